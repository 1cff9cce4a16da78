//! Fields of objects as conditions of a statement.

use super::select::{Alias, without_nul};
use super::sql::{Dialect, Sql};
use super::stored::Filter;
use super::stream::view_code;
use crate::protocol::message::View;

/// ` AND` its fields are what a field selector says. A field that is absent is empty, as for API servers.
///
/// Fields are the object's: those of a row are looked up in the object of the same name, at the same moment.
pub(super) fn selector(sql: &mut Sql, filter: &Filter, of: Alias, at: i64) {
    let terms: Vec<_> = filter.fields.terms().collect();
    let (names, others): (Vec<_>, Vec<_>) = terms
        .into_iter()
        .partition(|(field, ..)| matches!(*field, "metadata.name" | "metadata.namespace"));
    for (field, differs, value) in names {
        sql.push(" AND ");
        match field {
            "metadata.name" => of.push(sql, "v.name", "p.name"),
            _ => of.push(sql, "v.namespace", "p.namespace"),
        }
        sql.push(if differs { " <> " } else { " = " });
        sql.bind(without_nul(value));
    }
    if others.is_empty() {
        return;
    }
    of_object(sql, filter, of, at, |sql| {
        for (field, differs, value) in &others {
            let path: Vec<&str> = field.split('.').collect();
            sql.push(" AND COALESCE(");
            text(sql, &path);
            sql.push(if *differs { ", '') <> " } else { ", '') = " });
            sql.bind(without_nul(value));
        }
    });
}

/// ` AND` the object `o`, with its body `ob`, is what `conditions` say: the version itself, or the object of a row.
pub(super) fn of_object(
    sql: &mut Sql,
    filter: &Filter,
    of: Alias,
    at: i64,
    conditions: impl FnOnce(&mut Sql),
) {
    sql.push(" AND EXISTS (SELECT 1 FROM versions o JOIN bodies ob ON ob.seq = o.body WHERE ");
    if filter.view == View::Rows {
        sql.push("o.kind = (SELECT k.id FROM kinds k WHERE k.view = ");
        sql.bind(view_code(View::Objects));
        sql.push(" AND k.api_group = ")
            .bind(without_nul(&filter.resource.group));
        sql.push(" AND k.plural = ")
            .bind(without_nul(&filter.resource.plural));
        of.push(
            sql,
            ") AND o.cluster = v.cluster AND o.namespace = v.namespace AND o.name = v.name AND o.seq <= ",
            ") AND o.cluster = p.cluster AND o.namespace = p.namespace AND o.name = p.name AND o.seq <= ",
        );
        sql.bind(at).push(" AND o.until > ").bind(at);
    } else {
        of.push(sql, "o.seq = v.seq", "o.seq = p.seq");
    }
    conditions(sql);
    sql.push(")");
}

/// The text of a field of the body `ob`; NULL if it is absent.
pub(super) fn text(sql: &mut Sql, path: &[&str]) {
    match sql.dialect {
        Dialect::Sqlite => {
            let path = json_path(path);
            sql.push("CASE json_type(ob.json, ").bind(path.clone());
            sql.push(") WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE CAST(json_extract(ob.json, ");
            sql.bind(path).push(") AS TEXT) END");
        }
        Dialect::Postgres => {
            sql.push("(ob.json #>> ARRAY[");
            sql.list(path, |sql, step| _ = sql.bind(without_nul(step)));
            sql.push("])");
        }
    }
}

/// A path as SQLite reads one. What could end a quoted name is left out of it: then it is another name, and no object has
/// it.
fn json_path(path: &[&str]) -> String {
    let mut out = String::from("$");
    for step in path {
        out.push_str(".\"");
        out.extend(step.chars().filter(|c| !matches!(c, '"' | '\\' | '\0')));
        out.push('"');
    }
    out
}
