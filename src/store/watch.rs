//! What happened after a number.

use super::error::Error;
use super::select::{self, Alias};
use super::sql::Sql;
use super::stored::{Changes, Filter, Sequence};
use super::{Store, fields, schema};

impl Store {
    /// The changes after a number that concern a filter, in their order, at most `limit` of them.
    ///
    /// # Errors
    /// [`Error::Expired`] if they are not all kept any more: then a list is needed. [`Error::Future`] if the number was
    /// not given out yet.
    pub async fn changes(
        &self,
        filter: &Filter,
        after: Sequence,
        limit: usize,
    ) -> Result<Changes, Error> {
        let database = &self.inner.database;
        let newest = self.resumable(after).await?;
        let mut sql = database.sql("SELECT ");
        select::columns(&mut sql);
        sql.push(", x.said, x.said_before FROM (SELECT v.*, ");
        said(&mut sql, filter, Alias::Version, newest);
        sql.push(" AS said, ");
        said(&mut sql, filter, Alias::Prior, newest);
        sql.push(
            " AS said_before, p.body AS prior_body FROM versions v LEFT JOIN versions p ON p.seq = v.prior AND v.type = 1 \
             WHERE v.seq > ",
        );
        sql.bind(after.cast_signed());
        sql.push(" AND v.seq <= ").bind(newest);
        select::identity(&mut sql, filter);
        sql.push(
            ") x JOIN bodies b ON b.seq = CASE WHEN x.said = 1 THEN x.body ELSE x.prior_body END \
             WHERE x.said = 1 OR x.said_before = 1 ORDER BY x.seq LIMIT ",
        );
        let limit = limit.max(1);
        sql.bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = database.fetch(sql).await?;
        let items = rows
            .iter()
            .map(|row| select::change(row, &filter.resource, filter.view))
            .collect::<Result<Vec<_>, Error>>()?;
        // What was pruned while it was read is missing in it.
        self.resumable(after).await?;
        let full = items.len() == limit;
        let last = items
            .last()
            .filter(|_| full)
            .map(|change| change.object.seq);
        let up_to = last.unwrap_or(newest.cast_unsigned());
        Ok(Changes { items, up_to })
    }

    /// The newest number, if a watch can go on after `after`.
    pub(super) async fn resumable(&self, after: Sequence) -> Result<i64, Error> {
        let state = schema::state(&self.inner.database).await?;
        let newest = state.seq.cast_unsigned();
        let oldest = state.horizon.max(state.resumable).cast_unsigned();
        if after > newest {
            return Err(Error::Future {
                asked: after,
                newest,
            });
        }
        if after < oldest {
            return Err(Error::Expired {
                asked: after,
                oldest,
            });
        }
        Ok(state.seq)
    }
}

/// 1 if a version is there and is what a filter asks for, else 0.
fn said(sql: &mut Sql, filter: &Filter, of: Alias, at: i64) {
    sql.push("CAST(CASE WHEN ");
    of.push(sql, "v.seq IS NOT NULL", "p.seq IS NOT NULL");
    select::labels(sql, &filter.labels, of);
    fields::selector(sql, filter, of, at);
    sql.push(" THEN 1 ELSE 0 END AS BIGINT)");
}
