//! Searching and counting.

use super::Store;
use super::database::Row;
use super::error::Error;
use super::fields::{self, Place};
use super::list::{moment, true_at};
use super::path::FieldPath;
use super::search::{By, Found, Group, Search, Subject};
use super::select::{self, without_nul};
use super::sql::{Dialect, Sql};
use super::stored::{Cursor, GroupResource, Sequence};
use super::stream::view_code;
use crate::protocol::message::View;
use serde_json::{Value, json};

/// The most groups that are answered with: the largest.
const MAX_GROUPS: i64 = 10_000;

impl Store {
    /// The objects that are searched for, or a page of them; every page is of the sequence of the first one.
    ///
    /// # Errors
    /// [`Error::Expired`] if that sequence is not kept any more, [`Error::Invalid`] for a cursor of another search.
    pub async fn search(&self, search: &Search) -> Result<Found, Error> {
        let database = &self.inner.database;
        let at = search.after.as_ref().map(|cursor| cursor.at).or(search.at);
        let at = moment(database, at).await?;
        let rows = database
            .fetch(page(database.sql("SELECT "), search, at)?)
            .await?;
        moment(database, Some(at.cast_unsigned())).await?;
        let more = search.limit > 0 && rows.len() > search.limit;
        let shown = if more { search.limit } else { rows.len() };
        let mut items = Vec::with_capacity(shown);
        for row in rows.iter().take(shown) {
            let resource = GroupResource {
                group: row.text(9)?,
                plural: row.text(10)?,
            };
            items.push(select::stored(row, &resource, search.view)?);
        }
        let last = rows.get(shown.wrapping_sub(1)).filter(|_| more);
        let next = last
            .map(|row| cursor(row, at.cast_unsigned()))
            .transpose()?;
        let at = at.cast_unsigned();
        Ok(Found { items, at, next })
    }

    /// How many objects a search finds, by what they have in common: the largest groups first. One group, if they are
    /// grouped by nothing. Limit, order and cursor of the search do not matter.
    ///
    /// # Errors
    /// As [`Store::search`].
    pub async fn count(&self, search: &Search, by: &[By]) -> Result<Vec<Group>, Error> {
        let database = &self.inner.database;
        let at = moment(database, search.at).await?;
        let mut sql = database.sql("SELECT COUNT(*)");
        let columns = [", g0", ", g1", ", g2", ", g3"];
        if by.len() > columns.len() {
            return Err(Error::Invalid("at most four groups within groups".into()));
        }
        columns
            .iter()
            .take(by.len())
            .for_each(|it| _ = sql.push(it));
        sql.push(" FROM (");
        for (half, text) in halves(search) {
            sql.push(text).push("SELECT 1 AS one");
            let names = [" AS g0", " AS g1", " AS g2", " AS g3"];
            for (by, name) in by.iter().zip(names) {
                sql.push(", ");
                group(&mut sql, search.view, by, at);
                sql.push(name);
            }
            from(&mut sql, search, half, at);
        }
        sql.push(") x");
        if !by.is_empty() {
            sql.push(" GROUP BY ");
            sql.list(columns.iter().take(by.len()), |sql, it| {
                _ = sql.push(it.trim_start_matches(", "));
            });
            sql.push(" ORDER BY 1 DESC");
            columns
                .iter()
                .take(by.len())
                .for_each(|it| _ = sql.push(it));
            sql.push(" LIMIT ").bind(MAX_GROUPS);
        }
        let rows = database.fetch(sql).await?;
        moment(database, Some(at.cast_unsigned())).await?;
        let read = |row: &Row| {
            let values = (1..=by.len()).map(|column| row.maybe_text(column));
            Ok(Group {
                values: values.collect::<Result<_, Error>>()?,
                count: row.int(0)?.cast_unsigned(),
            })
        };
        rows.iter().map(read).collect()
    }
}

/// Which versions of those that were true: what is deleted was true never.
#[derive(Clone, Copy)]
enum Half {
    Still,
    Past,
    Deleted,
}

fn halves(search: &Search) -> Vec<(Half, &'static str)> {
    if search.deleted {
        return vec![(Half::Deleted, "")];
    }
    vec![(Half::Still, ""), (Half::Past, " UNION ALL ")]
}

fn page(mut sql: Sql, search: &Search, at: i64) -> Result<Sql, Error> {
    let limit = i64::try_from(search.limit).unwrap_or(i64::MAX - 1);
    let ordered = search.order.as_ref();
    let descending = ordered.is_some_and(|order| order.descending);
    let direction = move |sql: &mut Sql, columns: &[&'static str]| {
        sql.push(" ORDER BY ");
        sql.list(columns, |sql, column| {
            sql.push(column);
            sql.push(if descending { " DESC" } else { "" });
        });
        if limit > 0 {
            sql.push(" LIMIT ").bind(limit + 1);
        }
    };
    select::columns(&mut sql);
    sql.push(", k.api_group, k.plural, ");
    sql.push(if ordered.is_some() {
        "CAST(x.order_number AS TEXT), x.order_text FROM ("
    } else {
        "NULL, NULL FROM ("
    });
    for (half, text) in halves(search) {
        sql.push(text).push("SELECT * FROM (SELECT * FROM (");
        match ordered.map(|order| &order.by) {
            Some(By::Subject(subject)) if fields::column(search.view, subject).is_none() => {
                // The value is looked up once, and compared as both: an offset keeps it from being looked up for each.
                sql.push("SELECT w.*, ");
                by_value(&mut sql);
                sql.push(" FROM (SELECT v.*, ");
                value(&mut sql, search.view, subject, at, |sql, it| it.json(sql));
                sql.push(" AS order_json");
                from(&mut sql, search, half, at);
                sql.push(" LIMIT 9223372036854775807 OFFSET 0) w");
            }
            order => {
                sql.push("SELECT v.*");
                if let Some(order) = order {
                    sql.push(", ");
                    by(&mut sql, search.view, order, at);
                }
                from(&mut sql, search, half, at);
            }
        }
        sql.push(") y WHERE 1 = 1");
        if let Some(cursor) = &search.after {
            after(&mut sql, cursor, ordered.is_some(), descending)?;
        }
        if ordered.is_some() {
            direction(
                &mut sql,
                &[
                    "y.order_number",
                    "y.order_text",
                    "y.cluster",
                    "y.namespace",
                    "y.name",
                    "y.seq",
                ],
            );
        } else {
            direction(&mut sql, &["y.cluster", "y.namespace", "y.name", "y.seq"]);
        }
        sql.push(") half");
    }
    sql.push(") x JOIN kinds k ON k.id = x.kind JOIN bodies b ON b.seq = x.body");
    if ordered.is_some() {
        direction(
            &mut sql,
            &[
                "x.order_number",
                "x.order_text",
                "x.cluster",
                "x.namespace",
                "x.name",
                "x.seq",
            ],
        );
    } else {
        direction(&mut sql, &["x.cluster", "x.namespace", "x.name", "x.seq"]);
    }
    Ok(sql)
}

/// ` FROM` the versions `v` that are searched for.
fn from(sql: &mut Sql, search: &Search, half: Half, at: i64) {
    sql.push(" FROM versions v WHERE v.kind");
    kinds(sql, search);
    match half {
        Half::Still => true_at(sql, true, at),
        Half::Past => true_at(sql, false, at),
        Half::Deleted => _ = sql.push(" AND v.type = 2 AND v.seq <= ").bind(at),
    }
    matching(sql, search, at);
}

/// What a kind is compared with: those that are searched for.
pub(super) fn kinds(sql: &mut Sql, search: &Search) {
    match search.resources.as_slice() {
        // One number: then the index of what is true is read in its order.
        [resource] => {
            sql.push(" = (SELECT k.id FROM kinds k WHERE 1 = 1");
            select::kind(sql, search.view, &resource.group, &resource.plural);
        }
        resources => {
            sql.push(" IN (SELECT k.id FROM kinds k WHERE k.view = ");
            sql.bind(view_code(search.view));
            if !resources.is_empty() {
                sql.push(" AND (k.api_group, k.plural) IN (VALUES ");
                sql.list(resources, |sql, resource| {
                    sql.push("(").bind(without_nul(&resource.group)).push(", ");
                    sql.bind(without_nul(&resource.plural)).push(")");
                });
                sql.push(")");
            }
        }
    }
    sql.push(")");
}

/// ` AND` a version `v` is what is searched for, whatever its kind is and whenever it was true.
pub(super) fn matching(sql: &mut Sql, search: &Search, at: i64) {
    select::clusters(sql, &search.clusters, |sql| _ = sql.push("v.cluster"));
    if !search.namespaces.is_empty() {
        sql.push(" AND v.namespace IN (");
        sql.list(&search.namespaces, |sql, name| {
            _ = sql.bind(without_nul(name));
        });
        sql.push(")");
    }
    if let Some(fuzzy) = &search.fuzzy {
        sql.push(" AND v.name");
        fields::like(sql, subsequence(fuzzy));
    }
    select::labels(sql, &search.labels, select::Alias::Version);
    let owner = &search.owner;
    for (column, value) in [
        (" AND v.owner_kind = ", &owner.kind),
        (" AND v.owner_name = ", &owner.name),
        (" AND v.owner_uid = ", &owner.uid),
    ] {
        if let Some(value) = value {
            sql.push(column).bind(without_nul(value));
        }
    }
    if let Some(from) = search.created_from {
        sql.push(" AND v.created_ms >= ")
            .bind(from.as_millisecond());
    }
    if let Some(before) = search.created_before {
        sql.push(" AND v.created_ms < ")
            .bind(before.as_millisecond());
    }
    if let Some(ready) = search.ready {
        sql.push(" AND v.ready = ").bind(i64::from(ready));
    }
    for term in &search.terms {
        fields::term(sql, search.view, term, at);
    }
}

/// The pattern of names that have these characters in this order.
fn subsequence(characters: &str) -> String {
    let mut pattern = String::from("%");
    for c in characters.chars().filter(|c| !c.is_whitespace()) {
        pattern.push_str(&fields::escaped(c.encode_utf8(&mut [0; 4])));
        pattern.push('%');
    }
    pattern
}

/// `… AS order_number, … AS order_text`: numbers before texts, neither ever NULL, so that cursors compare.
fn by(sql: &mut Sql, view: View, by: &By, at: i64) {
    match by {
        By::Created => {
            sql.push("CAST(COALESCE(v.created_ms, 0) AS DOUBLE PRECISION) AS order_number, '' AS order_text");
        }
        By::Changed => {
            sql.push("CAST(v.at_ms AS DOUBLE PRECISION) AS order_number, '' AS order_text");
        }
        other => {
            sql.push("CAST(0 AS DOUBLE PRECISION) AS order_number, COALESCE(");
            group(sql, view, other, at);
            sql.either(", '')", ", '') COLLATE \"C\"")
                .push(" AS order_text");
        }
    }
}

/// The same of a value that was looked up.
fn by_value(sql: &mut Sql) {
    let value = Place::column("w.order_json");
    sql.push("COALESCE(");
    value.number(sql);
    sql.push(", -1e308) AS order_number, COALESCE(");
    value.text(sql);
    sql.either(", '')", ", '') COLLATE \"C\"");
    sql.push(" AS order_text");
}

/// The text by which objects are grouped; NULL for those that lack it.
fn group(sql: &mut Sql, view: View, by: &By, at: i64) {
    match by {
        By::Cluster => _ = sql.push("v.cluster"),
        By::Resource => {
            sql.push("(SELECT gk.plural || CASE gk.api_group WHEN '' THEN '' ELSE '.' || gk.api_group END ");
            sql.push("FROM kinds gk WHERE gk.id = v.kind)");
        }
        By::Namespace => _ = sql.push("v.namespace"),
        By::Name => _ = sql.push("v.name"),
        By::Created => _ = sql.push("CAST(v.created_ms AS TEXT)"),
        By::Changed => _ = sql.push("CAST(v.at_ms AS TEXT)"),
        By::Owner => _ = sql.push("(v.owner_kind || '/' || v.owner_name)"),
        By::Label(key) => match sql.dialect {
            Dialect::Sqlite => match FieldPath::of_members([&**key].into_iter()) {
                Some(_) => {
                    sql.push("json_extract(v.labels, ");
                    sql.bind(format!("$.\"{key}\"")).push(")");
                }
                None => _ = sql.push("NULL"),
            },
            Dialect::Postgres => _ = sql.push("(v.labels ->> ").bind(without_nul(key)).push(")"),
        },
        By::Subject(subject) => match fields::column(view, subject) {
            Some(column) => _ = sql.push(column),
            None => {
                sql.either("", "CAST(");
                value(sql, view, subject, at, |sql, place| place.text(sql));
                sql.either("", " AS TEXT)");
            }
        },
    }
}

/// A value of the body that has it.
fn value(
    sql: &mut Sql,
    view: View,
    subject: &Subject,
    at: i64,
    write: impl Fn(&mut Sql, Place<'_>),
) {
    let (needed, path) = match subject {
        Subject::Field(path) => (View::Objects, Some(path.clone())),
        Subject::Cell(name) => (View::Rows, FieldPath::of_members([&**name].into_iter())),
    };
    let Some(path) = path else {
        sql.either("NULL", "CAST(NULL AS JSONB)");
        return;
    };
    sql.push("(SELECT ");
    write(sql, Place::whole(&path));
    fields::from_body(sql, (view, needed), at);
    sql.push(")");
}

fn cursor(row: &Row, at: Sequence) -> Result<Cursor, Error> {
    let number = row.maybe_text(11)?;
    let number = number.and_then(|text| text.parse::<f64>().ok());
    let text = row.maybe_text(12)?;
    let order = number.map(|number| json!([number, text.unwrap_or_default()]));
    Ok(Cursor {
        at,
        order,
        cluster: row.text(1)?,
        namespace: row.text(2)?,
        name: row.text(3)?,
        seq: row.int(0)?.cast_unsigned(),
    })
}

/// ` AND` it comes after a cursor.
fn after(sql: &mut Sql, cursor: &Cursor, ordered: bool, descending: bool) -> Result<(), Error> {
    let order = cursor.order.as_ref().and_then(Value::as_array);
    let order = order.and_then(|order| {
        let number = order.first()?.as_f64()?;
        Some((number, order.get(1)?.as_str()?.to_owned()))
    });
    if order.is_some() != ordered {
        return Err(Error::Invalid("this cursor is of another search".into()));
    }
    sql.push(if ordered {
        " AND (y.order_number, y.order_text, y.cluster, y.namespace, y.name, y.seq)"
    } else {
        " AND (y.cluster, y.namespace, y.name, y.seq)"
    });
    sql.push(if descending { " < (" } else { " > (" });
    if let Some((number, text)) = order {
        sql.bind(number).push(", ");
        sql.bind(without_nul(&text)).push(", ");
    }
    sql.bind(&*cursor.cluster).push(", ");
    sql.bind(&*cursor.namespace).push(", ");
    sql.bind(&*cursor.name).push(", ");
    sql.bind(cursor.seq.cast_signed()).push(")");
    Ok(())
}
