//! Processes that share one store: who is there, and who may write a stream.
//!
//! Whoever says of itself that it is there (a beat) is believed for so long, by the database's own clock. Who takes which
//! cluster follows from that list and is no matter of the store. What is: two that write one stream in turn would undo
//! each other's steps. So each writes with a fencing token, of which later ones are larger, and a stream that was written
//! with one takes no smaller one. A writer that was frozen, or cut off, and comes back too late, is refused.

use super::Store;
use super::database::{Database, Transaction};
use super::error::Error;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a member says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beat<'a> {
    /// Which group shares its clusters.
    pub share: &'a str,
    /// Who it is: another one after each start.
    pub member: &'a str,
    /// The digest of the members by whom it acts.
    pub view: u64,
    /// So long it is believed to be there.
    pub lease: Duration,
}

/// What it is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beaten {
    /// All that are there, itself included, and by which view each acts.
    pub members: BTreeMap<String, u64>,
    /// A fencing token larger than all that were given out before.
    pub fence: u64,
}

const NOW: &str =
    "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT), nextval('fences')";

impl Store {
    /// Whether several processes may share it.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        matches!(self.inner.database, Database::Postgres(_))
    }

    /// Says that a member is there, and answers who else is.
    ///
    /// # Errors
    /// When the database cannot be written; always, if it is one for one process only.
    pub async fn beat(&self, beat: &Beat<'_>) -> Result<Beaten, Error> {
        let mut transaction = self.members().await?;
        let now = transaction.sql(NOW);
        let rows = transaction.fetch(now).await?;
        let (Some(now), Some(fence)) = (
            rows.first().map(|row| row.int(0)).transpose()?,
            rows.first().map(|row| row.int(1)).transpose()?,
        ) else {
            return Err(Error::Refused("it does not say what time it is".into()));
        };
        let lease = i64::try_from(beat.lease.as_millis()).unwrap_or(i64::MAX);
        let expires = now.saturating_add(lease);
        // One that finds itself expired: then the database was away, and the others had no chance either.
        let mut sql = transaction.sql("UPDATE members SET expires_ms = ");
        sql.bind(expires).push(" WHERE share = ").bind(beat.share);
        sql.push(" AND EXISTS (SELECT 1 FROM members m WHERE m.share = ");
        sql.bind(beat.share);
        sql.push(" AND m.member = ").bind(beat.member);
        sql.push(" AND m.expires_ms <= ").bind(now).push(")");
        transaction.execute(sql).await?;
        let mut sql =
            transaction.sql("INSERT INTO members (share, member, view, expires_ms) VALUES (");
        sql.bind(beat.share).push(", ").bind(beat.member);
        sql.push(", ").bind(beat.view.cast_signed());
        sql.push(", ").bind(expires);
        sql.push(
            ") ON CONFLICT (share, member) DO UPDATE SET view = excluded.view, expires_ms = excluded.expires_ms",
        );
        transaction.execute(sql).await?;
        let mut sql = transaction.sql("DELETE FROM members WHERE expires_ms <= ");
        sql.bind(now);
        transaction.execute(sql).await?;
        let mut sql = transaction.sql("SELECT member, view FROM members WHERE share = ");
        sql.bind(beat.share);
        let mut members = BTreeMap::new();
        for row in transaction.fetch(sql).await? {
            members.insert(row.text(0)?, row.int(1)?.cast_unsigned());
        }
        transaction.commit().await?;
        Ok(Beaten {
            members,
            fence: fence.cast_unsigned(),
        })
    }

    /// Says that a member goes: the others need not wait for its lease to end.
    ///
    /// # Errors
    /// As [`Store::beat`].
    pub async fn leave(&self, share: &str, member: &str) -> Result<(), Error> {
        let mut transaction = self.members().await?;
        let mut sql = transaction.sql("DELETE FROM members WHERE share = ");
        sql.bind(share).push(" AND member = ").bind(member);
        transaction.execute(sql).await?;
        transaction.commit().await
    }

    /// A transaction that nobody else looks at the members beside.
    async fn members(&self) -> Result<Transaction, Error> {
        if !self.is_shared() {
            let why = "SQLite is for one process; use PostgreSQL, which several may share";
            return Err(Error::Refused(why.into()));
        }
        let mut transaction = self.inner.database.begin().await?;
        let lock = transaction.sql("LOCK TABLE members IN EXCLUSIVE MODE");
        transaction.execute(lock).await?;
        Ok(transaction)
    }
}

/// Refuses a stream that was written with a larger token. The caller holds the row of `state`: nobody writes meanwhile.
pub(super) async fn fenced(
    transaction: &mut Transaction,
    (kind, cluster): (i64, &str),
    fence: Option<u64>,
) -> Result<(), Error> {
    let (Some(fence), Transaction::Postgres(_)) = (fence, &transaction) else {
        return Ok(());
    };
    let mut sql = transaction.sql("INSERT INTO writers (kind, cluster, fence) VALUES (");
    sql.bind(kind).push(", ").bind(cluster);
    sql.push(", ").bind(fence.cast_signed());
    sql.push(
        ") ON CONFLICT (kind, cluster) DO UPDATE SET fence = excluded.fence WHERE writers.fence <= excluded.fence",
    );
    match transaction.execute(sql).await? {
        0 => Err(Error::Superseded),
        _ => Ok(()),
    }
}

/// The same of all streams of a cluster.
pub(super) async fn cluster_fenced(
    transaction: &mut Transaction,
    cluster: &str,
    fence: Option<u64>,
) -> Result<(), Error> {
    let (Some(fence), Transaction::Postgres(_)) = (fence, &transaction) else {
        return Ok(());
    };
    let mut sql = transaction.sql("SELECT kind FROM writers WHERE cluster = ");
    sql.bind(cluster);
    let rows = transaction.fetch(sql).await?;
    for row in rows {
        fenced(transaction, (row.int(0)?, cluster), Some(fence)).await?;
    }
    Ok(())
}
