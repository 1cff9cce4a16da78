//! What goes wrong with a store.

use jiff::Timestamp;
use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;

/// Why a store did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database cannot be reached, is full or is busy: nothing was written, and the same can be tried again.
    #[error("the database does not answer ({0}); it is tried again")]
    Unavailable(String),
    /// What was asked for is older than what is kept.
    #[error("sequence {asked} is older than what is kept, which begins with {oldest}: list again")]
    Expired {
        /// Which sequence number.
        asked: u64,
        /// The oldest that can be asked for.
        oldest: u64,
    },
    /// What is asked for was longer ago than what is kept.
    #[error("{asked} is longer ago than what is kept, which begins at {oldest}")]
    TooOld {
        /// When.
        asked: Timestamp,
        /// The earliest moment that can be asked for.
        oldest: Timestamp,
    },
    /// A sequence number that was never given out.
    #[error("sequence {asked} is newer than the store's newest, {newest}")]
    Future {
        /// Which sequence number.
        asked: u64,
        /// The newest.
        newest: u64,
    },
    /// What a cluster sent is no stream of objects. It is as wrong tomorrow.
    #[error("{0}")]
    Malformed(String),
    /// A query that nobody can answer: a cursor that was not given out, a path that is none.
    #[error("{0}")]
    Invalid(String),
    /// Another process has taken the stream over since: see [`Batch::fence`](super::Batch::fence). Nothing was written.
    #[error(
        "another controlplane writes this cluster now; if it is of another group, give them other --resources, or one --share-name"
    )]
    Superseded,
    /// The database refused a statement, or answered with what was never written.
    #[error("the database refused it: {0}")]
    Refused(String),
}

impl Error {
    /// Whether the same may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The URL is none of a store.
    #[error("{0:?} is no store: use sqlite://FILE or postgres://USER:PASSWORD@HOST/DATABASE")]
    Url(String),
    /// Another process has it open.
    #[error(
        "{0} is in use by another process: stop that one, or use PostgreSQL, which several may share"
    )]
    InUse(String),
    /// Its schema is that of a newer version.
    #[error(
        "the store was written by a newer version of this program (its schema has step {0}): use that version"
    )]
    Newer(i64),
    /// It cannot be reached or read.
    #[error("cannot open the store: {0}")]
    Failed(#[from] Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match error {
            E::Database(database) if is_passing(database.as_ref()) => {
                Self::Unavailable(database.message().to_owned())
            }
            // Not the whole error: its detail may quote what was to be written.
            E::Database(database) => Self::Refused(database.message().to_owned()),
            E::Io(error) => Self::Unavailable(error.to_string()),
            E::PoolTimedOut => Self::Unavailable("no connection was free in time".into()),
            E::PoolClosed => Self::Unavailable("the store is closed".into()),
            E::WorkerCrashed => Self::Unavailable("its thread has ended".into()),
            E::Tls(error) => Self::Unavailable(format!("TLS: {error}")),
            E::BeginFailed => Self::Unavailable("no transaction was begun".into()),
            E::Protocol(error) => Self::Unavailable(error),
            other => Self::Refused(other.to_string()),
        }
    }
}

impl From<MigrateError> for OpenError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(version) | MigrateError::VersionTooOld(version, _) => {
                Self::Newer(version)
            }
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
                Self::Failed(error.into())
            }
            other => Self::Failed(Error::Refused(other.to_string())),
        }
    }
}

/// Whether a database's refusal passes by itself.
fn is_passing(error: &dyn DatabaseError) -> bool {
    let Some(code) = error.code() else {
        return false;
    };
    // SQLite: busy 5, locked 6, i/o 10, full 13, cannot open 14, each with an extension in the higher bytes.
    if let (Ok(code), true) = (code.parse::<u32>(), code.len() < 5) {
        return matches!(code & 0xff, 5 | 6 | 10 | 13 | 14);
    }
    // PostgreSQL: connections, read-only (a standby), a transaction that took too long, serialization and deadlocks, resources, lock not available,
    // an operator's intervention, i/o.
    let classes = [
        "08", "25006", "25P03", "40", "53", "55P03", "57P", "57014", "58",
    ];
    classes.iter().any(|class| code.starts_with(class))
}
