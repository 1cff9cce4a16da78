//! Which versions a question is about, as conditions of a statement.

use super::database::Row;
use super::error::Error;
use super::sql::{Dialect, Sql};
use super::stored::{Change, ChangeKind, Clusters, Filter, GroupResource, ObjectKey, Stored};
use super::stream::{StreamKey, view_code};
use crate::protocol::compress::unshelve;
use crate::protocol::message::View;
use crate::protocol::names::ClusterName;
use crate::protocol::selector::{LabelCondition, LabelSelector};
use jiff::Timestamp;

/// No value is larger: it would not have come by a broker.
const MAX_VALUE: usize = 1 << 30;

/// What is selected of a version `x` and its body `b`: what [`stored`] reads.
pub(super) fn columns(sql: &mut Sql) {
    sql.push("x.seq, x.cluster, x.namespace, x.name, x.uid, x.at_ms, x.first_ms, x.type, b.bytes");
}

/// Reads what [`columns`] selected.
pub(super) fn stored(row: &Row, resource: &GroupResource, view: View) -> Result<Stored, Error> {
    let shelved = row.maybe_bytes(8)?.unwrap_or_default();
    let value = unshelve(&shelved, MAX_VALUE)
        .map_err(|error| Error::Refused(format!("it has a damaged value: {error}")))?;
    Ok(Stored {
        key: ObjectKey {
            cluster: cluster(row, 1)?,
            resource: resource.clone(),
            view,
            namespace: row.text(2)?,
            name: row.text(3)?,
        },
        seq: row.int(0)?.cast_unsigned(),
        uid: row.text(4)?,
        value,
        first_seen: timestamp(row.int(6)?),
        changed: timestamp(row.int(5)?),
        deleted: row.int(7)? == 2,
    })
}

/// Reads a change: what [`columns`] selected, then whether the object was meant at its number, and before it.
pub(super) fn change(row: &Row, resource: &GroupResource, view: View) -> Result<Change, Error> {
    let mut object = stored(row, resource, view)?;
    let (said, before) = (row.int(9)? == 1, row.int(10)? == 1);
    let kind = match (object.deleted, said, before) {
        (true, ..) | (_, false, _) => ChangeKind::Deleted,
        (_, true, false) => ChangeKind::Added,
        (_, true, true) => ChangeKind::Modified,
    };
    object.deleted = kind == ChangeKind::Deleted;
    Ok(Change { kind, object })
}

pub(super) fn cluster(row: &Row, column: usize) -> Result<ClusterName, Error> {
    let name = ClusterName::new(&row.text(column)?);
    name.map_err(|error| Error::Refused(format!("it has a cluster whose name is none: {error}")))
}

/// A moment; one that no calendar has is the first one.
pub(super) fn timestamp(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or_default()
}

/// ` AND` it is of a kind `k`.
pub(super) fn kind(sql: &mut Sql, view: View, group: &str, plural: &str) {
    sql.push(" AND k.view = ").bind(view_code(view));
    sql.push(" AND k.api_group = ").bind(without_nul(group));
    sql.push(" AND k.plural = ").bind(without_nul(plural));
}

/// ` AND` it is the stream `s` of a kind `k`.
pub(super) fn stream(sql: &mut Sql, stream: &StreamKey) {
    kind(
        sql,
        stream.view,
        &stream.resource.group,
        &stream.resource.plural,
    );
    sql.push(" AND s.cluster = ").bind(stream.cluster.as_str());
}

/// ` AND` it is of these clusters.
pub(super) fn clusters(sql: &mut Sql, clusters: &Clusters, column: impl Fn(&mut Sql)) {
    let Clusters::Some(names) = clusters else {
        return;
    };
    sql.push(" AND ");
    column(sql);
    match names.as_slice() {
        [name] => _ = sql.push(" = ").bind(name.as_str()),
        [] => _ = sql.push(" IS NULL"),
        names => {
            sql.push(" IN (");
            sql.list(names, |sql, name| _ = sql.bind(name.as_str()));
            sql.push(")");
        }
    }
}

/// A text that is asked for. PostgreSQL has no NUL in text, and no name has one.
pub(super) fn without_nul(text: &str) -> String {
    super::text::clean(text).into_owned()
}

/// The alias of a version that conditions are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alias {
    /// `v`, the version; its body is `vb`.
    Version,
    /// `p`, the version before; its body is `pb`.
    Prior,
}

impl Alias {
    /// One text for each, as a statement needs literals.
    pub(super) fn push(self, sql: &mut Sql, version: &'static str, prior: &'static str) {
        sql.push(match self {
            Self::Version => version,
            Self::Prior => prior,
        });
    }
}

/// ` AND` it is which object a filter asks for, by what an object keeps for ever. The version is `v`.
pub(super) fn identity(sql: &mut Sql, filter: &Filter) {
    sql.push(" AND v.kind = (SELECT k.id FROM kinds k WHERE 1 = 1");
    kind(
        sql,
        filter.view,
        &filter.resource.group,
        &filter.resource.plural,
    );
    sql.push(")");
    clusters(sql, &filter.clusters, |sql| _ = sql.push("v.cluster"));
    if let Some(namespace) = &filter.namespace {
        sql.push(" AND v.namespace = ").bind(without_nul(namespace));
    }
    if let Some(name) = &filter.name {
        sql.push(" AND v.name = ").bind(without_nul(name));
    }
}

/// ` AND` its labels are what a selector says.
pub(super) fn labels(sql: &mut Sql, selector: &LabelSelector, of: Alias) {
    for (key, condition) in selector.conditions() {
        sql.push(" AND ");
        label(sql, key, condition, of);
    }
}

fn label(sql: &mut Sql, key: &str, condition: &LabelCondition, of: Alias) {
    let value = |sql: &mut Sql| match sql.dialect {
        // The key is valid: it has no quote. The path is bound, like everything.
        Dialect::Sqlite => {
            of.push(sql, "json_extract(v.labels, ", "json_extract(p.labels, ");
            sql.bind(format!("$.\"{key}\"")).push(")");
        }
        Dialect::Postgres => {
            of.push(sql, "(v.labels ->> ", "(p.labels ->> ");
            sql.bind(key).push(")");
        }
    };
    let among = |sql: &mut Sql, values: &std::collections::BTreeSet<String>| {
        sql.push(" IN (");
        sql.list(values, |sql, value| _ = sql.bind(&**value));
        sql.push(")");
    };
    let number = |sql: &mut Sql, operator: &'static str, bound: &str| {
        sql.push("CASE WHEN ");
        value(sql);
        sql.either(
            " NOT GLOB '*[^0-9]*' AND length(",
            " ~ '^[0-9]{1,18}$' THEN CAST(",
        );
        value(sql);
        if sql.dialect == Dialect::Sqlite {
            sql.push(") BETWEEN 1 AND 18 THEN CAST(");
            value(sql);
        }
        sql.push(" AS BIGINT)").push(operator);
        sql.bind(bound.parse::<i64>().unwrap_or_default());
        sql.either(" ELSE 0 END", " ELSE FALSE END");
    };
    match condition {
        LabelCondition::Exists => {
            value(sql);
            sql.push(" IS NOT NULL");
        }
        LabelCondition::Absent => {
            value(sql);
            sql.push(" IS NULL");
        }
        LabelCondition::In(values) => {
            value(sql);
            among(sql, values);
        }
        LabelCondition::NotIn(values) => {
            sql.push("(");
            value(sql);
            sql.push(" IS NULL OR NOT ");
            value(sql);
            among(sql, values);
            sql.push(")");
        }
        LabelCondition::Greater(bound) => number(sql, " > ", bound),
        LabelCondition::Less(bound) => number(sql, " < ", bound),
    }
}
