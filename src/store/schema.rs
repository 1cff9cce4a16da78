//! The schema, and the one row from which numbers are given out.

use super::database::{Database, Transaction};
use super::error::{Error, OpenError};
use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

const SQLITE: &[&str] = &[include_str!("migrations/sqlite_0001.sql")];
// The second step is about several processes, which SQLite does not have.
const POSTGRES: &[&str] = &[
    include_str!("migrations/postgres_0001.sql"),
    include_str!("migrations/postgres_0002.sql"),
];

/// The row `state`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    /// The newest number given out.
    pub(super) seq: i64,
    /// When. No later number has an earlier time, whatever the clock does.
    pub(super) at_ms: i64,
    /// What was true before this number is not kept any more.
    pub(super) horizon: i64,
    /// When that was.
    pub(super) horizon_ms: i64,
    /// Who has seen a lower number may have seen what was lost.
    pub(super) resumable: i64,
}

/// Brings the schema up to date. Several processes that start at once do it once.
pub(super) async fn migrate(database: &Database) -> Result<(), OpenError> {
    match database {
        Database::Sqlite { writer, .. } => migrator(SQLITE).run(writer).await?,
        Database::Postgres(pool) => migrator(POSTGRES).run(pool).await?,
    }
    Ok(())
}

fn migrator(steps: &'static [&'static str]) -> Migrator {
    let migration = |(version, sql): (i64, &&'static str)| {
        let sql = (*sql).into_sql_str();
        Migration::new(version, "store".into(), MigrationType::Simple, sql, false)
    };
    Migrator::with_migrations((1..).zip(steps).map(migration).collect())
}

const STATE: &str = "SELECT seq, at_ms, horizon, horizon_ms, resumable FROM state";

/// The state, as it is.
pub(super) async fn state(database: &Database) -> Result<State, Error> {
    read(&database.fetch(database.sql(STATE)).await?)
}

/// The state, which nobody else changes until the transaction ends: so numbers become visible in their order.
pub(super) async fn locked_state(transaction: &mut Transaction) -> Result<State, Error> {
    let mut sql = transaction.sql(STATE);
    sql.either("", " FOR UPDATE");
    read(&transaction.fetch(sql).await?)
}

/// The newest number given out.
pub(super) async fn newest(database: &Database) -> Result<u64, Error> {
    Ok(state(database).await?.seq.cast_unsigned())
}

fn read(rows: &[super::database::Row]) -> Result<State, Error> {
    let Some(row) = rows.first() else {
        return Err(Error::Refused("its table `state` is empty".into()));
    };
    Ok(State {
        seq: row.int(0)?,
        at_ms: row.int(1)?,
        horizon: row.int(2)?,
        horizon_ms: row.int(3)?,
        resumable: row.int(4)?,
    })
}
