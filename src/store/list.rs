//! Reading objects: one, or all of a kind, as they are at one number.

use super::database::Database;
use super::error::Error;
use super::select::{self, Alias};
use super::sql::Sql;
use super::stored::{Clusters, Cursor, Filter, List, ObjectKey, Page, Sequence, Stored};
use super::{Store, fields, schema};

impl Store {
    /// One object as it is.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn get(&self, key: &ObjectKey) -> Result<Option<Stored>, Error> {
        let list = List {
            filter: Filter {
                clusters: Clusters::one(key.cluster.clone()),
                resource: key.resource.clone(),
                view: key.view,
                namespace: Some(key.namespace.clone()),
                name: Some(key.name.clone()),
                ..Filter::default()
            },
            ..List::default()
        };
        Ok(self.list(&list).await?.items.pop())
    }

    /// A list, or a page of it. Every page is of the sequence of the first one, whatever is written in the meantime.
    ///
    /// # Errors
    /// [`Error::Expired`] if that is not kept any more, [`Error::Future`] if it is not given out yet.
    pub async fn list(&self, list: &List) -> Result<Page, Error> {
        let database = &self.inner.database;
        let at = list.after.as_ref().map(|cursor| cursor.at).or(list.at);
        let at = moment(database, at).await?;
        let rows = database.fetch(page(database, list, at)).await?;
        let filter = &list.filter;
        let mut items = rows
            .iter()
            .map(|row| select::stored(row, &filter.resource, filter.view))
            .collect::<Result<Vec<_>, _>>()?;
        // What was pruned while it was read is not a list of that moment.
        moment(database, Some(at.cast_unsigned())).await?;
        let more = list.limit > 0 && items.len() > list.limit;
        if more {
            items.truncate(list.limit);
        }
        let next = items.last().filter(|_| more).map(|last| Cursor {
            at: at.cast_unsigned(),
            order: None,
            cluster: last.key.cluster.as_str().to_owned(),
            namespace: last.key.namespace.clone(),
            name: last.key.name.clone(),
            seq: last.seq,
        });
        let remaining = match &next {
            Some(cursor) if list.count => Some(remaining(database, filter, cursor, at).await?),
            _ => None,
        };
        Ok(Page {
            items,
            at: at.cast_unsigned(),
            next,
            remaining,
        })
    }
}

/// The sequence that is asked for, if the store can answer for it; the newest if none is.
pub(super) async fn moment(database: &Database, asked: Option<Sequence>) -> Result<i64, Error> {
    let state = schema::state(database).await?;
    let Some(asked) = asked else {
        return Ok(state.seq);
    };
    let newest = state.seq.cast_unsigned();
    let oldest = state.horizon.cast_unsigned();
    if asked > newest {
        return Err(Error::Future { asked, newest });
    }
    if asked < oldest {
        return Err(Error::Expired { asked, oldest });
    }
    Ok(asked.cast_signed())
}

fn page(database: &Database, list: &List, at: i64) -> Sql {
    let mut sql = database.sql("SELECT ");
    select::columns(&mut sql);
    sql.push(" FROM (");
    for (half, text) in [" SELECT * FROM (", " UNION ALL SELECT * FROM ("]
        .into_iter()
        .enumerate()
    {
        sql.push(text);
        sql.push("SELECT v.* FROM versions v WHERE 1 = 1");
        matching(&mut sql, &list.filter, at);
        if let Some(cursor) = &list.after {
            after(&mut sql, cursor);
        }
        true_at(&mut sql, half == 0, at);
        sql.push(" ORDER BY v.cluster, v.namespace, v.name");
        limit(&mut sql, list.limit);
        sql.push(if half == 0 { ") present" } else { ") past" });
    }
    sql.push(") x JOIN bodies b ON b.seq = x.body ORDER BY x.cluster, x.namespace, x.name");
    limit(&mut sql, list.limit);
    sql
}

/// ` AND` it was true at a moment: and is still, or has ended since. Two questions, each with an index of its own, so
/// that a page of a recent moment costs a page and what happened since, however much history there is.
pub(super) fn true_at(sql: &mut Sql, still: bool, at: i64) {
    if still {
        sql.push(" AND v.until = 9223372036854775807");
    } else {
        sql.push(" AND v.until < 9223372036854775807 AND v.until > ")
            .bind(at);
    }
    sql.push(" AND v.seq <= ").bind(at);
}

/// ` AND` it is what a filter asks for.
pub(super) fn matching(sql: &mut Sql, filter: &Filter, at: i64) {
    select::identity(sql, filter);
    select::labels(sql, &filter.labels, Alias::Version);
    fields::selector(sql, filter, Alias::Version, at);
}

fn after(sql: &mut Sql, cursor: &Cursor) {
    sql.push(" AND (v.cluster, v.namespace, v.name) > (");
    sql.bind(&*cursor.cluster).push(", ");
    sql.bind(&*cursor.namespace).push(", ");
    sql.bind(&*cursor.name).push(")");
}

/// One more than asked for: whether there is a next page.
fn limit(sql: &mut Sql, limit: usize) {
    if limit > 0 {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX - 1);
        sql.push(" LIMIT ").bind(limit + 1);
    }
}

async fn remaining(
    database: &Database,
    filter: &Filter,
    cursor: &Cursor,
    at: i64,
) -> Result<u64, Error> {
    let mut count = 0;
    for still in [true, false] {
        let mut sql = database.sql("SELECT COUNT(*) FROM versions v WHERE 1 = 1");
        matching(&mut sql, filter, at);
        after(&mut sql, cursor);
        true_at(&mut sql, still, at);
        let rows = database.fetch(sql).await?;
        count += rows.first().map_or(Ok(0), |row| row.int(0))?;
    }
    Ok(count.cast_unsigned())
}
