//! `/search`: objects that match.

use super::item::{self, Shape};
use super::kinds::Known;
use super::parameters::Endpoint;
use super::problem::Problem;
use super::query::Query;
use super::reader::Reader;
use super::scope::Scope;
use super::token::Token;
use super::{Served, answered};
use crate::controlplane::client::Encoded;
use crate::protocol::message::View;
use crate::store::{ObjectKey, Sequence, Stored};
use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use prost::Message;
use serde_json::{Map, Value, json};

pub(super) async fn search(
    State(served): State<Served>,
    uri: Uri,
    reader: Reader,
) -> Result<Response, Problem> {
    let found = served.in_turn(found(&served, &uri, &reader)).await;
    answered(&uri, found.map(|found| Json(found).into_response()))
}

async fn found(served: &Served, uri: &Uri, reader: &Reader) -> Result<Value, Problem> {
    let query = Query::parse(
        uri.query().unwrap_or_default(),
        Endpoint::Search,
        served.now(),
    )?;
    let scope = served.scope(&query, reader).await?;
    let search = served.asked(&query, &scope).await?;
    let found = served.store().search(&search).await?;
    let items = items(served, &query, &scope, &found.items, Some(found.at)).await?;
    let next = found.next.map(|cursor| {
        Token {
            asked: query.asked,
            cursor,
        }
        .print(query.identity)
    });
    Ok(json!({
        "resourceVersion": found.at.to_string(),
        "asOf": query.at.unwrap_or(query.asked).to_string(),
        "items": items,
        "continue": next,
        "columns": columns(&query, &scope, &found.items),
        "headers": headers(&query, &scope),
        "clusters": scope.states_json(query.asked),
        "warnings": scope.warnings,
    }))
}

/// Objects as they are shown, with the cells of their rows at the same moment.
pub(super) async fn items(
    served: &Served,
    query: &Query,
    scope: &Scope,
    found: &[Stored],
    at: Option<Sequence>,
) -> Result<Vec<Value>, Problem> {
    let rows = match query.fields.is_empty() || query.row {
        true => {
            let row = |stored: &Stored| ObjectKey {
                view: View::Rows,
                ..stored.key.clone()
            };
            let keys: Vec<_> = found.iter().map(row).collect();
            served.store().get_many(&keys, at).await?
        }
        false => Vec::new(),
    };
    let shape = Shape {
        fields: &query.fields,
        object: query.object,
        row: query.row,
        now: query.at.unwrap_or(query.asked),
    };
    let one = |(at, stored): (usize, &Stored)| {
        let row = rows.get(at).and_then(Option::as_ref).map(|row| &row.value);
        item::item(stored, row, scope.known.get(&stored.key.resource), shape)
    };
    Ok(found.iter().enumerate().map(one).collect())
}

/// The columns of each resource that is shown.
fn columns(query: &Query, scope: &Scope, found: &[Stored]) -> Value {
    let mut columns = Map::new();
    if !query.fields.is_empty() {
        return Value::Object(columns);
    }
    let shown = |resource: &_| {
        scope.resources.contains(resource) || found.iter().any(|it| it.key.resource == *resource)
    };
    for known in scope.known.values().filter(|known| shown(&known.resource)) {
        columns.insert(known.qualified(), item::columns(&known.header.columns));
    }
    Value::Object(columns)
}

/// What rows are rows of.
fn headers(query: &Query, scope: &Scope) -> Value {
    let shown = scope
        .known
        .values()
        .filter(|known| query.row && scope.resources.contains(&known.resource));
    let header = |known: &Known| {
        (
            known.qualified(),
            Encoded::print(&known.header.encode_to_vec()).into(),
        )
    };
    Value::Object(shown.map(header).collect())
}
