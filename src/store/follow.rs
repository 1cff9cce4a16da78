//! What happens to what is searched for.

use super::database::Row;
use super::error::Error;
use super::search::Search;
use super::select;
use super::sql::Sql;
use super::stored::{Change, Changes, GroupResource, Sequence};
use super::{Store, find};

impl Store {
    /// The changes after a number that concern a search, in their order, at most `limit` of them: an object that begins to
    /// match is added, one that no longer does is deleted. Moment, order, cursor and limit of the search do not matter.
    ///
    /// # Errors
    /// As [`Store::changes`].
    pub async fn search_changes(
        &self,
        search: &Search,
        after: Sequence,
        limit: usize,
    ) -> Result<Changes, Error> {
        let newest = self.resumable(after).await?;
        let database = &self.inner.database;
        let mut sql = database.sql("SELECT ");
        select::columns(&mut sql);
        sql.push(
            ", x.said, x.said_before, k.api_group, k.plural FROM (SELECT w.*, CAST(CASE WHEN ",
        );
        matches(&mut sql, search, "w.seq", newest);
        sql.push(" THEN 1 ELSE 0 END AS BIGINT) AS said, CAST(CASE WHEN w.type = 1 AND ");
        matches(&mut sql, search, "w.prior", newest);
        sql.push(
            " THEN 1 ELSE 0 END AS BIGINT) AS said_before, \
             (SELECT pv.body FROM versions pv WHERE pv.seq = w.prior) AS prior_body FROM versions w WHERE w.seq > ",
        );
        sql.bind(after.cast_signed());
        sql.push(" AND w.seq <= ").bind(newest).push(" AND w.kind");
        find::kinds(&mut sql, search);
        sql.push(
            ") x JOIN kinds k ON k.id = x.kind JOIN bodies b ON b.seq = CASE WHEN x.said = 1 THEN x.body ELSE x.prior_body END \
             WHERE x.said = 1 OR x.said_before = 1 ORDER BY x.seq LIMIT ",
        );
        let limit = limit.max(1);
        sql.bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = database.fetch(sql).await?;
        let items: Vec<Change> = rows
            .iter()
            .map(|row| change(row, search))
            .collect::<Result<_, _>>()?;
        // What was pruned while it was read is missing in it.
        self.resumable(after).await?;
        let last = items.last().filter(|_| items.len() == limit);
        let up_to = last.map_or(newest.cast_unsigned(), |change| change.object.seq);
        Ok(Changes { items, up_to })
    }
}

/// Whether the version of that number is what is searched for.
fn matches(sql: &mut Sql, search: &Search, number: &'static str, at: i64) {
    sql.push("EXISTS (SELECT 1 FROM versions v WHERE v.seq = ")
        .push(number);
    find::matching(sql, search, at);
    sql.push(")");
}

fn change(row: &Row, search: &Search) -> Result<Change, Error> {
    let resource = GroupResource {
        group: row.text(11)?,
        plural: row.text(12)?,
    };
    select::change(row, &resource, search.view)
}
