//! After a power loss: numbers that were seen and lost are never given out again.
//!
//! SQLite with `synchronous = NORMAL` may lose its last commits with the machine's power (never with the process). The
//! objects come again with the next Sync. But somebody may have been told of a change 1000 that is lost: were another
//! change 1000 to follow, he would miss it. So a store that was not closed, on a machine that was started since, goes on
//! far above, and whoever watched from below is told to list again.

use super::database::Database;
use super::error::Error;
use super::schema::locked_state;

/// More than any number of changes that can be lost: those since the last checkpoint of the write-ahead log.
const LEAP: i64 = 1 << 24;
const CLOSED: &str = "closed";

/// Leaps if it has to, and notes on which start of the machine the store is open.
pub(super) async fn after_power_loss(database: &Database) -> Result<(), Error> {
    if matches!(database, Database::Postgres(_)) {
        return Ok(());
    }
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    let boot = boot.map_or_else(|_| "unknown".to_owned(), |id| id.trim().to_owned());
    opened_on(database, &boot).await
}

async fn opened_on(database: &Database, boot: &str) -> Result<(), Error> {
    let mut transaction = database.begin().await?;
    let state = locked_state(&mut transaction).await?;
    let sql = transaction.sql("SELECT boot FROM state");
    let before = transaction.fetch(sql).await?;
    let before = before.first().map(|row| row.text(0)).transpose()?;
    let lost = before.is_some_and(|before| before != CLOSED && before != boot && state.seq > 0);
    let seq = if lost { state.seq + LEAP } else { state.seq };
    let resumable = if lost { seq } else { state.resumable };
    let mut sql = transaction.sql("UPDATE state SET boot = ");
    sql.bind(boot).push(", seq = ").bind(seq);
    sql.push(", resumable = ").bind(resumable);
    transaction.execute(sql).await?;
    transaction.commit().await
}

/// Notes that everything is in the file. If it cannot be noted, the next start leaps.
pub(super) async fn closed(database: &Database) {
    let Database::Sqlite { writer, .. } = database else {
        return;
    };
    // What the log of changes holds is in the file, and on the disk, before it says so.
    let checkpoint = sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)");
    let noted = sqlx::raw_sql("UPDATE state SET boot = 'closed'");
    if checkpoint.execute(writer).await.is_ok() {
        let _: Result<_, _> = noted.execute(writer).await;
        let again = sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)");
        let _: Result<_, _> = again.execute(writer).await;
    }
}
