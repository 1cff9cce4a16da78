//! Writing: one batch, one transaction.

use super::database::Transaction;
use super::error::Error;
use super::facts::Facts;
use super::plan::{Current, Entry, Plan, Put, Step, key, names};
use super::sql::{Sql, Type, Value};
use super::stored::Sequence;
use super::stream::{Batch, Others, StreamKey, view_code};
use super::{Store, members, notify, schema, streams};
use crate::protocol::message::View;
use crate::protocol::rows::{Column, Header};
use bytes::Bytes;
use prost::Message;
use std::collections::BTreeMap;

/// Rows a statement, from the most to one: few different statements, so that they stay prepared.
const ROWS: [usize; 3] = [256, 16, 1];
/// Bytes of values a statement, unless one value has more.
const BYTES: usize = 4 * 1024 * 1024;

impl Store {
    /// Writes a batch: all of it, or nothing if there is an error. What is there already takes no number, so that it is
    /// safe to write the same again. Answers with the newest number once all of it can be read.
    ///
    /// # Errors
    /// [`Error::Malformed`] if it is none that a cluster could mean; [`Error::Unavailable`] if the database cannot be
    /// reached: then the same can be tried again; [`Error::Superseded`] if its fencing token is too old.
    pub async fn write(&self, mut batch: Batch) -> Result<Sequence, Error> {
        let mut entries = BTreeMap::new();
        for (key, value) in batch.changes.drain(..) {
            if key.is_empty() {
                batch.header = value.or(batch.header);
            } else {
                names(&key)?;
                entries.insert(key, value);
            }
        }
        let database = &self.inner.database;
        let mut columns = columns(batch.header.as_ref());
        if batch.header.is_none() && batch.stream.view == View::Rows {
            columns = streams::header(database, &batch.stream).await?.columns;
        }
        let view = batch.stream.view;
        // A step is news, mostly: its values are read before the lock is taken. Of a whole, most is there already.
        let early = batch.others == Others::Stay;
        let read = |value: &Bytes| Facts::of(view, value, &columns);
        let entries = entries.into_iter().map(|(key, value)| Entry {
            facts: value.as_ref().filter(|_| early).map(read),
            key,
            value,
        });
        let entries: Vec<Entry> = entries.collect();

        let mut transaction = database.begin().await?;
        let state = schema::locked_state(&mut transaction).await?;
        let kind = kind(&mut transaction, &batch.stream).await?;
        let cluster = batch.stream.cluster.as_str();
        members::fenced(&mut transaction, (kind, cluster), batch.fence).await?;
        let at_ms = (self.inner.options.now)().as_millisecond();
        let at_ms = at_ms.max(state.at_ms);
        let target = Target {
            kind,
            cluster,
            at_ms,
        };
        let current = match batch.others {
            Others::Stay => target.current_of(&mut transaction, &entries).await?,
            Others::Go | Others::GoUnless(_) => target.current(&mut transaction).await?,
        };
        let plan = Plan::new(current, entries, &batch.others, (state.seq, at_ms), read);
        let seq = plan.seq;
        if !plan.steps.is_empty() {
            target.apply(&mut transaction, plan).await?;
            commit_numbers(&mut transaction, (seq, at_ms)).await?;
        }
        streams::save(&mut transaction, kind, &batch, at_ms).await?;
        transaction.commit().await?;
        let seq = seq.cast_unsigned();
        notify::heard(&self.inner.newest, seq);
        Ok(seq)
    }
}

/// Takes the numbers up to this one, and tells the other processes.
pub(super) async fn commit_numbers(
    transaction: &mut Transaction,
    (seq, at_ms): (i64, i64),
) -> Result<(), Error> {
    let mut sql = transaction.sql("UPDATE state SET seq = ");
    sql.bind(seq).push(", at_ms = ").bind(at_ms);
    transaction.execute(sql).await?;
    let mut sql = transaction.sql("INSERT INTO commits (seq, at_ms) VALUES (");
    sql.bind(seq).push(", ").bind(at_ms).push(")");
    transaction.execute(sql).await?;
    notify::tell(transaction, seq).await
}

fn columns(header: Option<&Bytes>) -> Vec<Column> {
    let header = header.map(|bytes| Header::decode(bytes.clone()).unwrap_or_default());
    header.unwrap_or_default().columns
}

/// The short number of what a stream is of.
async fn kind(transaction: &mut Transaction, stream: &StreamKey) -> Result<i64, Error> {
    let (view, resource) = (view_code(stream.view), &stream.resource);
    if [&resource.group, &resource.version, &resource.plural]
        .iter()
        .any(|word| word.contains('\0'))
    {
        let what = "the resource's name has a NUL character";
        return Err(Error::Malformed(what.into()));
    }
    loop {
        let mut sql = transaction.sql("SELECT id FROM kinds WHERE view = ");
        sql.bind(view);
        sql.push(" AND api_group = ").bind(&*resource.group);
        sql.push(" AND plural = ").bind(&*resource.plural);
        if let Some(row) = transaction.fetch(sql).await?.first() {
            return row.int(0);
        }
        let mut sql = transaction.sql("INSERT INTO kinds (view, api_group, plural) VALUES (");
        sql.bind(view).push(", ").bind(&*resource.group);
        sql.push(", ").bind(&*resource.plural).push(")");
        transaction.execute(sql).await?;
    }
}

/// Where versions are written: one stream's objects.
pub(super) struct Target<'a> {
    pub(super) kind: i64,
    pub(super) cluster: &'a str,
    pub(super) at_ms: i64,
}

impl Target<'_> {
    /// What is there of the whole stream.
    pub(super) async fn current(
        &self,
        transaction: &mut Transaction,
    ) -> Result<BTreeMap<Bytes, Current>, Error> {
        let mut sql = transaction.sql(
            "SELECT v.namespace, v.name, v.seq, v.uid, v.digest, v.first_ms FROM versions v \
             WHERE v.until = 9223372036854775807 AND v.kind = ",
        );
        sql.bind(self.kind)
            .push(" AND v.cluster = ")
            .bind(self.cluster);
        let mut current = BTreeMap::new();
        self.read(transaction, sql, &mut current).await?;
        Ok(current)
    }

    async fn current_of(
        &self,
        transaction: &mut Transaction,
        entries: &[Entry],
    ) -> Result<BTreeMap<Bytes, Current>, Error> {
        let mut current = BTreeMap::new();
        for entries in chunks(entries, |_| 0) {
            let mut sql = transaction
                .sql("SELECT v.namespace, v.name, v.seq, v.uid, v.digest, v.first_ms FROM ");
            sql.table(
                [Type::Text; 2],
                entries.iter().map(|entry| {
                    let (namespace, name) = names(&entry.key).unwrap_or_default();
                    [namespace.into(), name.into()]
                }),
            );
            // Each key is looked up: a cross join keeps SQLite from choosing the other order, a limit PostgreSQL from
            // comparing all of the cluster's objects, which it does while it has not counted them.
            sql.either(
                " CROSS JOIN versions v",
                " CROSS JOIN LATERAL (SELECT * FROM versions v",
            );
            sql.push(
                " WHERE v.until = 9223372036854775807 \
                 AND v.namespace = t.column1 AND v.name = t.column2 AND v.kind = ",
            );
            sql.bind(self.kind)
                .push(" AND v.cluster = ")
                .bind(self.cluster)
                .either("", " LIMIT 1) v");
            self.read(transaction, sql, &mut current).await?;
        }
        Ok(current)
    }

    async fn read(
        &self,
        transaction: &mut Transaction,
        sql: Sql,
        current: &mut BTreeMap<Bytes, Current>,
    ) -> Result<(), Error> {
        for row in transaction.fetch(sql).await? {
            let known = Current {
                seq: row.int(2)?,
                uid: row.text(3)?,
                digest: row.int(4)?.cast_unsigned(),
                first_ms: row.int(5)?,
            };
            current.insert(key(&row.text(0)?, &row.text(1)?), known);
        }
        Ok(())
    }

    /// Writes the versions of a plan. What ended first: an object has one version that is true.
    pub(super) async fn apply(
        &self,
        transaction: &mut Transaction,
        plan: Plan,
    ) -> Result<(), Error> {
        for ended in chunks(&plan.ended, |_| 0) {
            let mut sql = transaction.sql("UPDATE versions SET until = t.column2 FROM ");
            let rows = ended
                .iter()
                .map(|(seq, until)| [(*seq).into(), (*until).into()]);
            sql.table([Type::Int; 2], rows);
            sql.push(" WHERE versions.seq = t.column1");
            transaction.execute(sql).await?;
        }
        let (mut deleted, mut puts) = (Vec::new(), Vec::new());
        for step in plan.steps {
            match step {
                Step::Delete { seq, prior } => deleted.push((seq, prior)),
                Step::Put(put) => puts.push(*put),
            }
        }
        for deleted in chunks(&deleted, |_| 0) {
            let sql = self.deletions(transaction, deleted);
            transaction.execute(sql).await?;
        }
        for puts in chunks(&puts, value_length) {
            let sql = self.bodies(transaction, puts);
            transaction.execute(sql).await?;
            let sql = self.versions(transaction, puts);
            transaction.execute(sql).await?;
        }
        Ok(())
    }

    /// A deletion says of the object what was said last.
    fn deletions(&self, transaction: &Transaction, deleted: &[(i64, i64)]) -> Sql {
        let mut sql = transaction.sql("INSERT INTO versions SELECT t.column1, t.column1, ");
        sql.either("", "CAST(").bind(self.at_ms);
        sql.either("", " AS BIGINT)").push(
            ", 2, v.kind, v.cluster, v.namespace, v.name, v.seq, v.body, v.uid, v.created_ms, v.first_ms, v.labels, \
             v.owner_kind, v.owner_name, v.owner_uid, v.phase, v.ready, v.node, v.digest FROM ",
        );
        let rows = deleted
            .iter()
            .map(|(seq, prior)| [(*seq).into(), (*prior).into()]);
        sql.table([Type::Int; 2], rows);
        sql.push(" CROSS JOIN versions v WHERE v.seq = t.column2");
        sql
    }

    fn bodies(&self, transaction: &Transaction, puts: &[Put]) -> Sql {
        let mut sql = transaction.sql("INSERT INTO bodies (seq, json, bytes) SELECT t.column1, ");
        sql.either("jsonb(t.column2)", "t.column2::jsonb");
        sql.push(", t.column3 FROM ");
        let row = |put: &Put| {
            let facts = &put.facts;
            let shelved = Some(facts.shelved.clone());
            [put.seq.into(), facts.json.clone().into(), shelved.into()]
        };
        sql.table([Type::Int, Type::Text, Type::Bytes], puts.iter().map(row));
        sql
    }

    fn versions(&self, transaction: &Transaction, puts: &[Put]) -> Sql {
        let mut sql = transaction.sql(
            "INSERT INTO versions (until, at_ms, kind, cluster, seq, body, type, namespace, name, prior, uid, created_ms, \
             first_ms, labels, owner_kind, owner_name, owner_uid, phase, ready, node, digest) \
             SELECT 9223372036854775807, ",
        );
        sql.either("", "CAST(").bind(self.at_ms);
        sql.either(", ", " AS BIGINT), CAST(").bind(self.kind);
        sql.either(", ", " AS BIGINT), CAST(").bind(self.cluster);
        sql.either("", " AS TEXT)").push(
            ", t.column1, t.column1, t.column2, t.column3, t.column4, t.column5, t.column6, t.column7, t.column8, ",
        );
        sql.either("t.column9", "t.column9::jsonb").push(
            ", t.column10, t.column11, t.column12, t.column13, t.column14, t.column15, t.column16 FROM ",
        );
        use Type::{Int, Text};
        let types = [
            Int, Int, Text, Text, Int, Text, Int, Int, Text, Text, Text, Text, Text, Int, Text, Int,
        ];
        sql.table(types, puts.iter().map(columns_of));
        sql
    }
}

/// What a version has of its own, in the order of the statement that writes it.
fn columns_of(put: &Put) -> [Value; 16] {
    let (namespace, name) = names(&put.key).unwrap_or_default();
    let facts = &put.facts;
    [
        put.seq.into(),
        i64::from(put.modified).into(),
        namespace.into(),
        name.into(),
        put.prior.into(),
        (&*facts.uid).into(),
        facts.created_ms.into(),
        put.first_ms.into(),
        facts.labels.clone().into(),
        facts.owner_kind.clone().into(),
        facts.owner_name.clone().into(),
        facts.owner_uid.clone().into(),
        facts.phase.clone().into(),
        facts.ready.map(i64::from).into(),
        facts.node.clone().into(),
        put.digest.cast_signed().into(),
    ]
}

fn value_length(put: &Put) -> usize {
    let facts = &put.facts;
    facts.json.as_ref().map_or(0, String::len) + facts.shelved.len()
}

/// Slices of a few lengths, and of not too many bytes.
fn chunks<T>(items: &[T], length: impl Fn(&T) -> usize) -> impl Iterator<Item = &[T]> {
    let mut rest = items;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |item: &&T| {
            bytes += length(item);
            bytes <= BYTES
        };
        let most = rest.iter().take(ROWS[0]).take_while(fits).count();
        let rows = ROWS.into_iter().find(|rows| *rows <= most).unwrap_or(1);
        let (chunk, after) = rest.split_at_checked(rows)?;
        rest = after;
        Some(chunk)
    })
}
