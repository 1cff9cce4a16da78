//! What was.

use super::error::Error;
use super::select::{self, without_nul};
use super::sql::Sql;
use super::stored::{Change, ChangeKind, ObjectKey, Sequence};
use super::{Store, schema};
use jiff::Timestamp;

impl Store {
    /// The newest number that was given out at this moment or before: what a list `at` a time is of.
    ///
    /// # Errors
    /// [`Error::TooOld`] if what was then is not kept any more.
    pub async fn sequence_at(&self, time: Timestamp) -> Result<Sequence, Error> {
        let database = &self.inner.database;
        let state = schema::state(database).await?;
        if time.as_millisecond() < state.horizon_ms {
            return Err(Error::TooOld {
                asked: time,
                oldest: select::timestamp(state.horizon_ms),
            });
        }
        let mut sql = database.sql("SELECT MAX(seq) FROM commits WHERE at_ms <= ");
        sql.bind(time.as_millisecond());
        let rows = database.fetch(sql).await?;
        let newest = rows.first().map(|row| row.maybe_int(0)).transpose()?;
        let newest = newest.flatten().unwrap_or(0).max(state.horizon);
        Ok(newest.cast_unsigned())
    }

    /// What happened to one object, and to others that had its name before, the newest first; before a number, if one is
    /// given, and at most so many.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn history(
        &self,
        key: &ObjectKey,
        before: Option<Sequence>,
        limit: usize,
    ) -> Result<Vec<Change>, Error> {
        let database = &self.inner.database;
        // Each version names the one before; a chain begins with what is there, or with a deletion.
        let mut sql = database
            .sql("WITH RECURSIVE h(seq, prior) AS (SELECT v.seq, v.prior FROM versions v WHERE ");
        named(&mut sql, key);
        sql.push(
            " AND v.until = 9223372036854775807 UNION SELECT v.seq, v.prior FROM versions v WHERE ",
        );
        named(&mut sql, key);
        sql.push(
            " AND v.type = 2 UNION SELECT v.seq, v.prior FROM h JOIN versions v ON v.seq = h.prior) SELECT ",
        );
        select::columns(&mut sql);
        sql.push(
            " FROM h JOIN versions x ON x.seq = h.seq JOIN bodies b ON b.seq = x.body WHERE x.seq < ",
        );
        let before = before.and_then(|before| i64::try_from(before).ok());
        sql.bind(before.unwrap_or(i64::MAX));
        sql.push(" ORDER BY x.seq DESC LIMIT ");
        sql.bind(i64::try_from(limit.max(1)).unwrap_or(i64::MAX));
        let rows = database.fetch(sql).await?;
        let read = |row| {
            let object = select::stored(row, &key.resource, key.view)?;
            let kind = match row.int(7)? {
                0 => ChangeKind::Added,
                1 => ChangeKind::Modified,
                _ => ChangeKind::Deleted,
            };
            Ok(Change { kind, object })
        };
        rows.iter().map(read).collect()
    }
}

fn named(sql: &mut Sql, key: &ObjectKey) {
    sql.push("v.kind = (SELECT k.id FROM kinds k WHERE 1 = 1");
    select::kind(sql, key.view, &key.resource.group, &key.resource.plural);
    sql.push(") AND v.cluster = ").bind(key.cluster.as_str());
    sql.push(" AND v.namespace = ")
        .bind(without_nul(&key.namespace));
    sql.push(" AND v.name = ").bind(without_nul(&key.name));
}
