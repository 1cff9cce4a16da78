//! Reading many objects by their keys.

use super::Store;
use super::database::Database;
use super::error::Error;
use super::list::{moment, true_at};
use super::select::{self, without_nul};
use super::sql::Sql;
use super::stored::{GroupResource, ObjectKey, Sequence, Stored};
use crate::protocol::message::View;
use std::collections::{BTreeMap, HashMap};

/// So many keys a statement.
const KEYS: usize = 500;

/// The keys of one kind in one view, and where in the answer each belongs.
type Wanted<'a> = Vec<(usize, &'a ObjectKey)>;

impl Store {
    /// The objects of these keys, in their order, as they are or as they were at a number; none where nothing is.
    ///
    /// # Errors
    /// As [`Store::list`].
    pub async fn get_many(
        &self,
        keys: &[ObjectKey],
        at: Option<Sequence>,
    ) -> Result<Vec<Option<Stored>>, Error> {
        let database = &self.inner.database;
        let at = moment(database, at).await?;
        let mut kinds: BTreeMap<(u8, &GroupResource), Wanted<'_>> = BTreeMap::new();
        for (place, key) in keys.iter().enumerate() {
            let view = u8::from(key.view == View::Objects);
            kinds
                .entry((view, &key.resource))
                .or_default()
                .push((place, key));
        }
        let mut found = vec![None; keys.len()];
        for wanted in kinds.values().flat_map(|wanted| wanted.chunks(KEYS)) {
            let Some((_, first)) = wanted.first() else {
                continue;
            };
            let rows = database
                .fetch(of_one_kind(database, first, wanted, at))
                .await?;
            let mut objects = HashMap::new();
            for row in &rows {
                let stored = select::stored(row, &first.resource, first.view)?;
                let key = &stored.key;
                objects.insert(
                    (key.cluster.clone(), key.namespace.clone(), key.name.clone()),
                    stored,
                );
            }
            for (place, key) in wanted {
                let name = (key.cluster.clone(), key.namespace.clone(), key.name.clone());
                if let (Some(slot), Some(stored)) = (found.get_mut(*place), objects.get(&name)) {
                    *slot = Some(stored.clone());
                }
            }
        }
        moment(database, Some(at.cast_unsigned())).await?;
        Ok(found)
    }
}

fn of_one_kind(
    database: &Database,
    kind: &ObjectKey,
    wanted: &[(usize, &ObjectKey)],
    at: i64,
) -> Sql {
    let mut sql = database.sql("SELECT ");
    select::columns(&mut sql);
    for (still, text) in [
        (true, " FROM (SELECT * FROM ("),
        (false, " UNION ALL SELECT * FROM ("),
    ] {
        // In this order: each key is looked up, instead of each object being compared with the keys.
        sql.push(text).push("SELECT v.* FROM (VALUES ");
        sql.list(wanted, |sql, (_, key)| {
            sql.push("(").bind(key.cluster.as_str()).push(", ");
            sql.bind(without_nul(&key.namespace)).push(", ");
            sql.bind(without_nul(&key.name)).push(")");
        });
        sql.push(") w CROSS JOIN versions v WHERE v.kind = (SELECT k.id FROM kinds k WHERE 1 = 1");
        select::kind(
            &mut sql,
            kind.view,
            &kind.resource.group,
            &kind.resource.plural,
        );
        sql.push(") AND v.cluster = w.column1 AND v.namespace = w.column2 AND v.name = w.column3");
        true_at(&mut sql, still, at);
        sql.push(if still { ") present" } else { ") past" });
    }
    sql.push(") x JOIN bodies b ON b.seq = x.body");
    sql
}
