//! Forgetting: what ended before a moment is of no use for anything after it.

use super::database::{Database, Transaction};
use super::error::Error;
use super::{Store, schema};
use jiff::Timestamp;

/// Versions a transaction: others write in between.
const ROWS: i64 = 1000;
/// Free pages that SQLite gives back at once.
const PAGES: &str = "PRAGMA incremental_vacuum(2048)";

/// What was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// How many versions.
    pub versions: u64,
}

impl Store {
    /// Forgets what was not true any more at this moment: from now on nothing before it can be asked for. What is true
    /// now stays, however old it is.
    ///
    /// It may be interrupted: the next one goes on.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn prune(&self, before: Timestamp) -> Result<Pruned, Error> {
        let database = &self.inner.database;
        let horizon = self.horizon(before).await?;
        let mut pruned = Pruned::default();
        loop {
            let mut transaction = database.begin().await?;
            let versions = prune(&mut transaction, horizon).await?;
            transaction.commit().await?;
            pruned.versions += versions;
            if versions == 0 {
                break;
            }
        }
        tidy(database).await?;
        Ok(pruned)
    }

    /// First nobody may ask any more, then it is forgotten.
    async fn horizon(&self, before: Timestamp) -> Result<i64, Error> {
        let mut transaction = self.inner.database.begin().await?;
        let state = schema::locked_state(&mut transaction).await?;
        let before_ms = before.as_millisecond();
        let mut sql = transaction.sql("SELECT MAX(seq) FROM commits WHERE at_ms <= ");
        sql.bind(before_ms);
        let rows = transaction.fetch(sql).await?;
        let newest = rows.first().map(|row| row.maybe_int(0)).transpose()?;
        let horizon = newest.flatten().unwrap_or(0).max(state.horizon);
        let mut sql = transaction.sql("UPDATE state SET horizon = ");
        sql.bind(horizon).push(", horizon_ms = ");
        sql.bind(before_ms.max(state.horizon_ms));
        transaction.execute(sql).await?;
        // The newest of them stays: it says what was at the horizon.
        let mut sql = transaction.sql("DELETE FROM commits WHERE seq < ");
        sql.bind(horizon);
        transaction.execute(sql).await?;
        transaction.commit().await?;
        Ok(horizon)
    }
}

/// Forgets some versions that ended by a number, and their values.
async fn prune(transaction: &mut Transaction, horizon: i64) -> Result<u64, Error> {
    // Who writes holds this row too: two that prune at once do not meet.
    schema::locked_state(transaction).await?;
    // A deletion before what it deleted: it shows that one's value.
    let mut sql = transaction
        .sql("SELECT v.seq FROM versions v WHERE v.until < 9223372036854775807 AND v.until <= ");
    sql.bind(horizon);
    sql.push(" ORDER BY v.until, v.type DESC LIMIT ").bind(ROWS);
    let rows = transaction.fetch(sql).await?;
    let numbers = rows.iter().map(|row| row.int(0));
    let numbers = numbers.collect::<Result<Vec<_>, _>>()?;
    for text in [
        "DELETE FROM bodies WHERE seq IN (",
        "DELETE FROM versions WHERE seq IN (",
    ] {
        if numbers.is_empty() {
            break;
        }
        let mut sql = transaction.sql(text);
        sql.list(&numbers, |sql, number| _ = sql.bind(*number));
        sql.push(")");
        transaction.execute(sql).await?;
    }
    Ok(numbers.len() as u64)
}

/// SQLite: gives free pages back to the file system, and looks at its indexes. PostgreSQL does so by itself.
async fn tidy(database: &Database) -> Result<(), Error> {
    let Database::Sqlite { writer, .. } = database else {
        return Ok(());
    };
    sqlx::raw_sql(PAGES).execute(writer).await?;
    sqlx::raw_sql("PRAGMA optimize").execute(writer).await?;
    Ok(())
}
