//! Opening a store: which database, its schema, and the news of other processes.

use super::database::Database;
use super::error::{Error, OpenError};
use super::{Options, Store, leap, notify, schema};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use std::fs::{File, TryLockError};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long a statement waits for a connection, or SQLite for its lock.
const PATIENCE: Duration = Duration::from_secs(10);

/// What all handles of a store share.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) database: Database,
    pub(super) options: Options,
    pub(super) newest: watch::Sender<u64>,
    /// Hears of other processes' commits; ends with the store.
    listener: Option<tokio::task::AbortHandle>,
    /// Held while the store is open; the kernel lets go of it however this process ends.
    _lock: Option<File>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(listener) = &self.listener {
            listener.abort();
        }
    }
}

impl Store {
    /// Opens `sqlite://FILE`, made if it is missing, `sqlite::memory:`, or `postgres://USER:PASSWORD@HOST/DATABASE`; brings
    /// its schema up to date.
    ///
    /// # Errors
    /// When it cannot be reached or read, is in use by another process, or was written by a newer version.
    pub async fn open(url: &str, options: Options) -> Result<Self, OpenError> {
        let is_postgres = url.starts_with("postgres://") || url.starts_with("postgresql://");
        let (database, lock) = if is_postgres {
            (postgres(url, &options).await?, None)
        } else if url.starts_with("sqlite:") {
            sqlite(url, &options).await?
        } else {
            // A URL may have a password in it: only its scheme is said.
            let scheme = url.split_once(':').map_or("it", |(scheme, _)| scheme);
            return Err(OpenError::Url(scheme.to_owned()));
        };
        schema::migrate(&database).await?;
        leap::after_power_loss(&database).await?;
        let newest = watch::Sender::new(schema::newest(&database).await?);
        let listener = notify::listen(&database, &newest).await?;
        let inner = Inner {
            database,
            options,
            newest,
            listener,
            _lock: lock,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Waits for what is being written, and lets go of the database. Whoever asks later is told that it is closed.
    pub async fn close(&self) {
        // It has a connection of its own, which the database would wait for.
        if let Some(listener) = &self.inner.listener {
            listener.abort();
        }
        leap::closed(&self.inner.database).await;
        self.inner.database.close().await;
    }
}

async fn postgres(url: &str, options: &Options) -> Result<Database, OpenError> {
    let connect = PgConnectOptions::from_str(url).map_err(Error::from)?;
    let connect = connect
        .application_name("mqtt-informer")
        // A database that does not answer must not hold a batch for ever.
        .options([
            ("statement_timeout", "60s"),
            ("lock_timeout", "30s"),
            // Nor must a process that is frozen or cut off in the middle of one hold up the others.
            ("idle_in_transaction_session_timeout", "10s"),
        ]);
    let pool = PgPoolOptions::new()
        .max_connections(options.connections.max(2))
        .acquire_timeout(PATIENCE)
        .connect_with(connect);
    Ok(Database::Postgres(pool.await.map_err(Error::from)?))
}

async fn sqlite(url: &str, options: &Options) -> Result<(Database, Option<File>), OpenError> {
    let connect = SqliteConnectOptions::from_str(url).map_err(Error::from)?;
    let file = connect.get_filename().to_owned();
    let in_memory = url.contains(":memory:") || url.contains("mode=memory");
    let lock = if in_memory {
        None
    } else {
        Some(locked(&file)?)
    };
    let connect = connect
        .create_if_missing(true)
        // Readers and the writer do not wait for each other.
        .journal_mode(SqliteJournalMode::Wal)
        // A commit is in the file when the process dies, and may be lost with the machine's power: all of it, with its
        // position in the stream, so that the next Sync repairs it; `leap` sees to those who watch.
        .synchronous(SqliteSynchronous::Normal)
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .busy_timeout(PATIENCE)
        .pragma("cache_size", "-32768")
        .pragma("temp_store", "memory")
        .pragma("journal_size_limit", "67108864");
    let pool = |connections| {
        SqlitePoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(PATIENCE)
            .idle_timeout(None)
            .max_lifetime(None)
    };
    let writer = pool(1).connect_with(connect.clone()).await;
    let writer = writer.map_err(Error::from)?;
    // A database in memory is that of its one connection.
    let readers = if in_memory {
        writer.clone()
    } else {
        pool(options.connections.max(1)).connect_lazy_with(connect.pragma("query_only", "on"))
    };
    Ok((Database::Sqlite { writer, readers }, lock))
}

/// The lock beside the database's file: two processes would give out the same numbers to different readers.
fn locked(file: &Path) -> Result<File, OpenError> {
    let mut name = file.as_os_str().to_owned();
    name.push(".lock");
    let failed =
        |error: std::io::Error| Error::Refused(format!("cannot lock {}: {error}", file.display()));
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&name)
        .map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(file.display().to_string())),
        Err(TryLockError::Error(error)) => Err(failed(error).into()),
    }
}
