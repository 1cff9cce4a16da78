//! The streams of a store: where each is, what it is of.

use super::database::{Database, Row, Transaction};
use super::error::Error;
use super::plan::{Plan, key};
use super::schema;
use super::stored::{Clusters, Sequence};
use super::stream::{Batch, Others, Position, Resource, Stream, StreamKey, view_of};
use super::write::{Target, commit_numbers};
use super::{Store, members, notify, select};
use crate::protocol::message::{Epoch, Term};
use crate::protocol::names::ClusterName;
use crate::protocol::rows::Header;
use bytes::Bytes;
use jiff::Timestamp;
use prost::Message;
use std::collections::BTreeSet;

impl Store {
    /// Where in a stream the store is; `None` if it has never had the whole of it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn position(&self, stream: &StreamKey) -> Result<Option<Position>, Error> {
        let database = &self.inner.database;
        let mut sql = database.sql(
            "SELECT s.term_number, s.term_nonce, s.feed, s.feed_seq, s.dictionary FROM streams s \
             JOIN kinds k ON k.id = s.kind WHERE s.feed_seq > 0",
        );
        select::stream(&mut sql, stream);
        let rows = database.fetch(sql).await?;
        rows.first().map(position).transpose()
    }

    /// The header of a stream as it came; `None` if none did.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn header(&self, stream: &StreamKey) -> Result<Option<Bytes>, Error> {
        header_bytes(&self.inner.database, stream).await
    }

    /// Key and digest of each entry of a stream, the header among them: what a `Sync` is made of, without values.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn digests(&self, stream: &StreamKey) -> Result<Vec<(Bytes, u64)>, Error> {
        let database = &self.inner.database;
        let mut sql = database.sql(
            "SELECT v.namespace, v.name, v.digest FROM versions v JOIN kinds k ON k.id = v.kind \
             WHERE v.until = 9223372036854775807 AND v.cluster = ",
        );
        sql.bind(stream.cluster.as_str());
        select::kind(
            &mut sql,
            stream.view,
            &stream.resource.group,
            &stream.resource.plural,
        );
        let rows = database.fetch(sql).await?;
        let digest = |row: &Row| {
            let digest = row.int(2)?.cast_unsigned();
            Ok((key(&row.text(0)?, &row.text(1)?), digest))
        };
        let mut digests: Vec<_> = rows.iter().map(digest).collect::<Result<_, Error>>()?;
        if let Some(header) = header_bytes(database, stream).await? {
            let digest = crate::protocol::entries::entry_digest(b"", &header);
            digests.push((Bytes::new(), digest));
        }
        Ok(digests)
    }

    /// Notes that a stream was what its cluster had, at this moment.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn prove(&self, stream: &StreamKey, at: Timestamp) -> Result<(), Error> {
        let mut transaction = self.inner.database.begin().await?;
        let mut sql = transaction.sql("UPDATE streams SET proven_ms = ");
        sql.bind(at.as_millisecond());
        sql.push(" WHERE cluster = ").bind(stream.cluster.as_str());
        sql.push(" AND kind IN (SELECT k.id FROM kinds k WHERE 1 = 1");
        select::kind(
            &mut sql,
            stream.view,
            &stream.resource.group,
            &stream.resource.plural,
        );
        sql.push(")");
        transaction.execute(sql).await?;
        transaction.commit().await
    }

    /// The clusters of which there is anything, in order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn clusters(&self) -> Result<Vec<ClusterName>, Error> {
        let database = &self.inner.database;
        let sql = database.sql("SELECT DISTINCT s.cluster FROM streams s ORDER BY s.cluster");
        let rows = database.fetch(sql).await?;
        rows.iter().map(|row| select::cluster(row, 0)).collect()
    }

    /// The streams of some clusters, in order of cluster, group and resource.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn streams(&self, clusters: &Clusters) -> Result<Vec<Stream>, Error> {
        let database = &self.inner.database;
        let mut sql = database.sql(
            "SELECT s.cluster, k.view, k.api_group, s.version, k.plural, s.header, s.synced_ms, s.proven_ms \
             FROM streams s JOIN kinds k ON k.id = s.kind WHERE 1 = 1",
        );
        select::clusters(&mut sql, clusters, |sql| _ = sql.push("s.cluster"));
        sql.push(" ORDER BY s.cluster, k.api_group, k.plural, k.view");
        let rows = database.fetch(sql).await?;
        rows.iter().map(stream).collect()
    }

    /// Deletes all that is known of a cluster, one change for each object, as if it had deleted them. What was is kept as
    /// long as any history is. Answers with the newest number.
    ///
    /// # Errors
    /// When the database cannot be written; then nothing was.
    pub async fn forget_cluster(&self, name: &ClusterName) -> Result<Sequence, Error> {
        self.forget_cluster_as(name, None).await
    }

    /// The same, by one of several processes: see [`Batch::fence`].
    ///
    /// # Errors
    /// [`Error::Superseded`] if another one has taken the cluster over; when the database cannot be written.
    pub async fn forget_cluster_as(
        &self,
        name: &ClusterName,
        fence: Option<u64>,
    ) -> Result<Sequence, Error> {
        let mut transaction = self.inner.database.begin().await?;
        let mut state = schema::locked_state(&mut transaction).await?;
        members::cluster_fenced(&mut transaction, name.as_str(), fence).await?;
        let at_ms = (self.inner.options.now)().as_millisecond();
        let at_ms = at_ms.max(state.at_ms);
        let mut sql = transaction.sql("SELECT DISTINCT kind FROM streams WHERE cluster = ");
        sql.bind(name.as_str()).push(" ORDER BY kind");
        let before = state.seq;
        for row in transaction.fetch(sql).await? {
            let kind = row.int(0)?;
            let target = Target {
                kind,
                cluster: name.as_str(),
                at_ms,
            };
            let current = target.current(&mut transaction).await?;
            let numbers = (state.seq, at_ms);
            let plan = Plan::new(current, Vec::new(), &Others::Go, numbers, |_| {
                Default::default()
            });
            state.seq = plan.seq;
            target.apply(&mut transaction, plan).await?;
        }
        let mut sql = transaction.sql("DELETE FROM streams WHERE cluster = ");
        sql.bind(name.as_str());
        transaction.execute(sql).await?;
        if state.seq > before {
            commit_numbers(&mut transaction, (state.seq, at_ms)).await?;
        }
        transaction.commit().await?;
        notify::heard(&self.inner.newest, state.seq.cast_unsigned());
        Ok(state.seq.cast_unsigned())
    }

    /// The keys of a stream's objects.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn keys(&self, stream: &StreamKey) -> Result<BTreeSet<Bytes>, Error> {
        let digests = self.digests(stream).await?.into_iter();
        Ok(digests
            .map(|(key, _)| key)
            .filter(|key| !key.is_empty())
            .collect())
    }
}

/// Writes what a batch says of its stream.
pub(super) async fn save(
    transaction: &mut Transaction,
    kind: i64,
    batch: &Batch,
    at_ms: i64,
) -> Result<(), Error> {
    let unknown = Position::default();
    let position = batch.position.as_ref().unwrap_or(&unknown);
    let term = position.epoch.term;
    let mut sql = transaction.sql(
        "INSERT INTO streams (kind, cluster, version, header, term_number, term_nonce, feed, feed_seq, dictionary, \
         synced_ms, proven_ms) VALUES (",
    );
    sql.bind(kind);
    sql.push(", ").bind(batch.stream.cluster.as_str());
    sql.push(", ").bind(&*batch.stream.resource.version);
    sql.push(", ").bind(batch.header.clone());
    sql.push(", ").bind(term.number.cast_signed());
    sql.push(", ").bind(i64::from(term.nonce));
    sql.push(", ").bind(i64::from(position.epoch.feed));
    sql.push(", ").bind(position.seq.cast_signed());
    sql.push(", ").bind(position.dictionary.clone());
    let synced = batch.position.as_ref().map(|_| at_ms);
    sql.push(", ").bind(synced).push(", ").bind(synced);
    sql.push(
        ") ON CONFLICT (kind, cluster) DO UPDATE SET version = excluded.version, \
         header = COALESCE(excluded.header, streams.header)",
    );
    if batch.position.is_some() {
        sql.push(
            ", term_number = excluded.term_number, term_nonce = excluded.term_nonce, feed = excluded.feed, \
             feed_seq = excluded.feed_seq, dictionary = excluded.dictionary, \
             synced_ms = COALESCE(streams.synced_ms, excluded.synced_ms), proven_ms = excluded.proven_ms",
        );
    }
    transaction.execute(sql).await?;
    Ok(())
}

/// The header of a stream, as it is stored.
pub(super) async fn header(database: &Database, stream: &StreamKey) -> Result<Header, Error> {
    let bytes = header_bytes(database, stream).await?;
    Ok(decoded(bytes))
}

async fn header_bytes(database: &Database, stream: &StreamKey) -> Result<Option<Bytes>, Error> {
    let mut sql =
        database.sql("SELECT s.header FROM streams s JOIN kinds k ON k.id = s.kind WHERE 1 = 1");
    select::stream(&mut sql, stream);
    let rows = database.fetch(sql).await?;
    Ok(rows
        .first()
        .map(|row| row.maybe_bytes(0))
        .transpose()?
        .flatten())
}

fn decoded(header: Option<Bytes>) -> Header {
    let header = header.map(|bytes| Header::decode(bytes).unwrap_or_default());
    header.unwrap_or_default()
}

fn position(row: &Row) -> Result<Position, Error> {
    let term = Term {
        number: row.int(0)?.cast_unsigned(),
        nonce: u32::try_from(row.int(1)?).unwrap_or_default(),
    };
    let feed = u32::try_from(row.int(2)?).unwrap_or_default();
    Ok(Position {
        epoch: Epoch { term, feed },
        seq: row.int(3)?.cast_unsigned(),
        dictionary: row.maybe_bytes(4)?,
    })
}

fn stream(row: &Row) -> Result<Stream, Error> {
    let key = StreamKey {
        cluster: select::cluster(row, 0)?,
        view: view_of(row.int(1)?),
        resource: Resource {
            group: row.text(2)?,
            version: row.text(3)?,
            plural: row.text(4)?,
        },
    };
    let moment = |column| {
        let ms = row.maybe_int(column)?;
        Ok::<_, Error>(ms.map(select::timestamp))
    };
    Ok(Stream {
        key,
        header: decoded(row.maybe_bytes(5)?),
        synced: moment(6)?,
        proven: moment(7)?,
    })
}
