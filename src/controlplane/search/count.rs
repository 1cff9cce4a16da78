//! `/search/count`: how many objects match, of each group.

use super::ask;
use super::parameters::Endpoint;
use super::problem::Problem;
use super::query::Query;
use super::reader::Reader;
use super::{Served, answered};
use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

pub(super) async fn count(
    State(served): State<Served>,
    uri: Uri,
    reader: Reader,
) -> Result<Response, Problem> {
    let counted = served.in_turn(counted(&served, &uri, &reader)).await;
    answered(&uri, counted.map(|counted| Json(counted).into_response()))
}

async fn counted(served: &Served, uri: &Uri, reader: &Reader) -> Result<Value, Problem> {
    let query = Query::parse(
        uri.query().unwrap_or_default(),
        Endpoint::Count,
        served.now(),
    )?;
    let scope = served.scope(&query, reader).await?;
    let search = served.asked(&query, &scope).await?;
    let by: Vec<_> = query.by.iter().map(ask::by).collect::<Result<_, _>>()?;
    let groups = served.store().count(&search, &by).await?;
    let total: u64 = groups.iter().map(|group| group.count).sum();
    let shown = groups.iter().map(
        |group| json!({"value": group.values.first().cloned().flatten(), "count": group.count}),
    );
    let mut answer = json!({
        "asOf": query.at.unwrap_or(query.asked).to_string(),
        "count": total,
        "clusters": scope.states_json(query.asked),
        "warnings": scope.warnings,
    });
    if query.by.is_some() {
        answer["groups"] = shown.collect();
    }
    Ok(answer)
}
