//! `search`: over all clusters, by any field, now or in the past.

use super::ClusterArgs;
use super::controlplane::{ControlplaneArgs, cluster_words, failed, tell_clusters};
use crate::error::Failure;
use crate::print::table::{Rows, TableOptions, TablePrinter};
use crate::print::tabwriter::TabWriter;
use crate::print::{json, name, sanitize, yaml};
use crate::scope::Scope;
use crate::table::{Cell, Column, Metadata, Row};
use crate::terminal::Terminal;
use clap::{Args, ValueEnum};
use mqtt_informer::cli::duration;
use mqtt_informer::controlplane::client::{Answer, Client, Item};
use serde_json::Value;
use std::time::Duration;

/// Search all clusters by any field, now or in the past.
///
/// A controlplane with a store answers. QUERY is a type (or several: pods,deploy), conditions of fields, and characters
/// of the name, in any order: a word that begins with a dot (or !.) is a condition; of the others the first is the type
/// (or -, for all types), the next a fuzzy name. Namespaces are all, unless -n is typed.
///
/// Conditions: .PATH=VALUE, != < <= > >=, ~ (contains, in any case), .PATH (is there), !.PATH (is not). In a path, * in
/// brackets is any element of a list.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  # Pods that do not run, in production
  kubectl mqinformer search pods '.status.phase!=Running' --cluster 'prod-*'

  # Whatever has chk in its name, youngest first
  kubectl mqinformer search - chk --order -created

  # Which clusters run an old image, and how often
  kubectl mqinformer search pods '.spec.containers[*].image~nginx:1.2' --by cluster

  # Deployments with many replicas, these fields only
  kubectl mqinformer search deploy '.spec.replicas>5' --fields .spec.replicas,.status.readyReplicas

  # What was pending an hour ago
  kubectl mqinformer search pods .status.phase=Pending --at 1h")]
pub struct SearchArgs {
    /// A type, conditions, and characters of the name.
    #[arg(value_name = "QUERY")]
    pub words: Vec<String>,

    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub clusters: ClusterArgs,

    /// In these namespaces. Default: in all, whatever the configuration says.
    #[arg(
        long = "namespace",
        short,
        value_name = "NAME",
        value_delimiter = ',',
        id = "namespaces"
    )]
    pub namespaces: Vec<String>,

    /// A label selector: app=web, tier!=cache, 'env in (a,b)', '!canary'.
    #[arg(
        long,
        short = 'l',
        value_name = "SELECTOR",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    pub selector: String,

    /// What owns the objects: ReplicaSet/web-5d4f, or deploy/ for any of that type.
    #[arg(long, value_name = "TYPE/NAME")]
    pub owner: Option<String>,

    /// How long ago they were created: '<1h', '>2d'.
    #[arg(long, value_name = "AGE")]
    pub age: Vec<String>,

    /// By what they are ordered: created, name, namespace, phase, .PATH; - before it for the other way round.
    #[arg(long, value_name = "ORDER", allow_hyphen_values = true)]
    pub order: Option<String>,

    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,

    /// As it was then: how long ago (10m, 2d), or a time (2026-01-31T12:00:00Z).
    #[arg(long, value_name = "WHEN")]
    pub at: Option<String>,

    /// These fields instead of the usual columns.
    #[arg(long, value_name = ".PATH,...")]
    pub fields: Option<String>,

    /// How many there are, instead of which.
    #[arg(long)]
    pub count: bool,

    /// How many there are of each: cluster, namespace, kind, phase, label:KEY, .PATH.
    #[arg(long, value_name = "GROUP")]
    pub by: Option<String>,

    /// How to print: wide, json, yaml or name.
    #[arg(long, short, value_name = "FORM", hide_possible_values = true)]
    pub output: Option<SearchForm>,

    /// Print no headers.
    #[arg(long)]
    pub no_headers: bool,

    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub controlplane: ControlplaneArgs,

    /// For how long the controlplane may be silent.
    #[arg(long, env = "MQINFORMER_TIMEOUT", value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub timeout: Duration,
}

/// The forms of `-o`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SearchForm {
    /// All columns.
    Wide,
    /// The answer, with whole objects.
    Json,
    /// The same as YAML.
    Yaml,
    /// `pod/web`.
    Name,
}

/// Prints what was found.
pub async fn run(args: &SearchArgs, scope: &Scope, terminal: &mut Terminal) -> Result<(), Failure> {
    // Words that make no sense are told before anybody is asked.
    scope.selector(&args.clusters)?;
    let clusters = cluster_words(&args.clusters, scope)?;
    let query = query(args, clusters);
    let client = args.controlplane.client(scope, args.timeout).await?;
    if args.count || args.by.is_some() {
        return count(args, &client, query, terminal).await;
    }
    if let Some(form @ (SearchForm::Json | SearchForm::Yaml)) = args.output {
        let document = documents(args, &client, query).await?;
        return terminal.out(&match form {
            SearchForm::Yaml => yaml::document(&document, Terminal::audience()),
            _ => json::document(&document, Terminal::audience()),
        });
    }
    let answer = answers(args, &client, query).await?;
    for warning in &answer.warnings {
        terminal.err(&format!("warning: {}", sanitize::word(warning)))?;
    }
    tell_clusters(&answer.clusters, terminal)?;
    if answer.items.is_empty() {
        return terminal.err("No resources found");
    }
    terminal.out(&text(args, &answer))?;
    match answer.r#continue {
        Some(_) => terminal.err(&format!(
            "there are more than {}; --limit shows more",
            args.limit
        )),
        None => Ok(()),
    }
}

fn is_condition(word: &str) -> bool {
    word.starts_with(['.', '[']) || word.starts_with("!.") || word.starts_with("![")
}

/// What is asked, but for pages.
fn query(args: &SearchArgs, clusters: String) -> Vec<(&'static str, String)> {
    let (conditions, words): (Vec<_>, Vec<_>) =
        args.words.iter().partition(|word| is_condition(word));
    let mut words = words.into_iter();
    let kind = words
        .next()
        .filter(|word| *word != "-")
        .cloned()
        .unwrap_or_default();
    let name: String = words.map(String::as_str).collect();
    let given = |text: &Option<String>| text.clone().unwrap_or_default();
    let is_count = args.count || args.by.is_some();
    let mut query = vec![
        ("kind", kind),
        ("name", name),
        ("cluster", clusters),
        ("namespace", args.namespaces.join(",")),
        ("labels", args.selector.clone()),
        ("owner", given(&args.owner)),
        ("at", given(&args.at)),
        ("by", given(&args.by)),
    ];
    if !is_count {
        query.push(("order", given(&args.order)));
        query.push(("fields", given(&args.fields)));
    }
    query.extend(conditions.into_iter().map(|it| ("where", it.clone())));
    query.extend(args.age.iter().map(|age| ("age", age.clone())));
    query.retain(|(_, value)| !value.is_empty());
    query
}

fn pairs<'a>(query: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    query
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect()
}

/// The pages, as one answer.
async fn answers(
    args: &SearchArgs,
    client: &Client,
    mut query: Vec<(&'static str, String)>,
) -> Result<Answer, Failure> {
    let mut all = Answer::default();
    loop {
        let left = usize::try_from(args.limit).unwrap_or(usize::MAX) - all.items.len();
        query.retain(|(name, _)| !matches!(*name, "limit" | "continue"));
        query.push(("limit", left.min(500).to_string()));
        query.extend(all.r#continue.take().map(|token| ("continue", token)));
        let page = client.search(&pairs(&query)).await.map_err(failed)?;
        let items = [all.items, page.items].concat();
        all = Answer { items, ..page };
        if all.r#continue.is_none()
            || all.items.len() >= usize::try_from(args.limit).unwrap_or(usize::MAX)
        {
            return Ok(all);
        }
    }
}

/// The pages' documents, as one: whatever a later controlplane says, too.
async fn documents(
    args: &SearchArgs,
    client: &Client,
    mut query: Vec<(&'static str, String)>,
) -> Result<Value, Failure> {
    if args.fields.is_none() {
        query.push(("object", "true".to_owned()));
    }
    let most = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let (mut items, mut token) = (Vec::new(), None::<String>);
    loop {
        query.retain(|(name, _)| !matches!(*name, "limit" | "continue"));
        query.push(("limit", (most - items.len()).min(500).to_string()));
        query.extend(token.take().map(|token| ("continue", token)));
        let mut page = client
            .get("/search", &pairs(&query))
            .await
            .map_err(failed)?;
        if let Value::Array(found) = page["items"].take() {
            items.extend(found);
        }
        token = page["continue"].as_str().map(str::to_owned);
        if token.is_none() || items.len() >= most {
            page["items"] = items.into();
            return Ok(page);
        }
    }
}

async fn count(
    args: &SearchArgs,
    client: &Client,
    query: Vec<(&'static str, String)>,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let answer = client
        .get("/search/count", &pairs(&query))
        .await
        .map_err(failed)?;
    match args.output {
        Some(SearchForm::Json) => {
            return terminal.out(&json::document(&answer, Terminal::audience()));
        }
        Some(SearchForm::Yaml) => {
            return terminal.out(&yaml::document(&answer, Terminal::audience()));
        }
        _ => {}
    }
    let clusters = serde_json::from_value::<Vec<_>>(answer["clusters"].clone()).unwrap_or_default();
    for warning in answer["warnings"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        terminal.err(&format!("warning: {}", sanitize::word(warning)))?;
    }
    tell_clusters(&clusters, terminal)?;
    let Some(by) = &args.by else {
        return terminal.out(&format!("{}\n", answer["count"]));
    };
    let mut writer = TabWriter::new();
    if !args.no_headers {
        writer.write(&format!("{}\tCOUNT\n", sanitize::cell(&by.to_uppercase())));
    }
    for group in answer["groups"].as_array().into_iter().flatten() {
        let value = group["value"].as_str().unwrap_or("<none>");
        writer.write(&format!("{}\t{}\n", sanitize::cell(value), group["count"]));
    }
    writer.flush();
    terminal.out(&writer.take())
}

/// One table of each resource, in the order in which they were found.
fn text(args: &SearchArgs, answer: &Answer) -> String {
    if args.output == Some(SearchForm::Name) {
        return answer.items.iter().map(name_of).collect();
    }
    let mut resources: Vec<&str> = Vec::new();
    for item in &answer.items {
        if !resources.contains(&item.resource.as_str()) {
            resources.push(&item.resource);
        }
    }
    let several = resources.len() > 1;
    let tables = resources.into_iter().map(|resource| {
        let items: Vec<&Item> = answer
            .items
            .iter()
            .filter(|it| it.resource == resource)
            .collect();
        table(args, answer, resource, &items, several)
    });
    tables.collect::<Vec<_>>().join("\n")
}

fn name_of(item: &Item) -> String {
    let group = item.resource.split_once('.').map_or("", |(_, group)| group);
    let plural = item.resource.split('.').next().unwrap_or_default();
    name::line(item.kind.as_deref().unwrap_or(plural), group, &item.name)
}

fn table(
    args: &SearchArgs,
    answer: &Answer,
    resource: &str,
    items: &[&Item],
    several: bool,
) -> String {
    let columns = columns(args, answer, resource, items);
    let kind = items
        .first()
        .and_then(|item| item.kind.as_deref())
        .unwrap_or(resource)
        .to_lowercase();
    let group = resource
        .split_once('.')
        .map(|(_, group)| format!(".{group}"))
        .unwrap_or_default();
    let options = TableOptions {
        wide: args.output == Some(SearchForm::Wide),
        no_headers: args.no_headers,
        with_namespace: items.iter().any(|item| !item.namespace.is_empty()),
        with_cluster: true,
        kind: several.then(|| format!("{kind}{group}")),
        ..TableOptions::default()
    };
    let rows: Vec<Row> = items.iter().map(|item| row(args, answer, item)).collect();
    let lines = items.iter().zip(&rows).map(|(item, row)| Rows {
        cluster: &item.cluster,
        now_ms: 0,
        columns: &columns,
        rows: std::slice::from_ref(row),
        event: "",
    });
    TablePrinter::new(options).print(&lines.collect::<Vec<_>>())
}

/// The columns that the rows of a resource have; some that every object has, if no rows are kept.
fn columns(args: &SearchArgs, answer: &Answer, resource: &str, items: &[&Item]) -> Vec<Column> {
    let column = |name: &str| Column {
        name: name.to_owned(),
        names_objects: name == "Name",
        wide_only: false,
    };
    if args.fields.is_some() {
        let paths = items.first().and_then(|item| item.fields.as_ref());
        let paths = paths.into_iter().flat_map(|fields| fields.keys());
        return std::iter::once(column("Name"))
            .chain(paths.map(|path| column(path)))
            .collect();
    }
    match answer
        .columns
        .get(resource)
        .filter(|it| has_cells(items) && !it.is_empty())
    {
        Some(columns) => columns
            .iter()
            .map(|it| Column {
                name: it.name.clone(),
                names_objects: it.format == "name" && it.r#type == "string",
                wide_only: it.priority != 0,
            })
            .collect(),
        None => ["Name", "Phase", "Created"].map(column).into(),
    }
}

fn has_cells(items: &[&Item]) -> bool {
    items.iter().any(|item| item.cells.is_some())
}

fn row(args: &SearchArgs, answer: &Answer, item: &Item) -> Row {
    let text =
        |text: &Option<String>| Cell::of_text(text.clone().unwrap_or_else(|| "<none>".into()));
    let by_columns = answer
        .columns
        .get(&item.resource)
        .is_some_and(|columns| !columns.is_empty());
    let cells = match (&item.cells, &item.fields) {
        (_, Some(fields)) if args.fields.is_some() => {
            let values = fields.values().map(|value| Cell::of_text(plain(value)));
            std::iter::once(Cell::of_text(item.name.clone()))
                .chain(values)
                .collect()
        }
        (Some(cells), _) if by_columns => cells.iter().map(Cell::of_text).collect(),
        _ => vec![
            Cell::of_text(item.name.clone()),
            text(&item.phase),
            text(&item.created),
        ],
    };
    Row {
        cells,
        metadata: Metadata {
            name: item.name.clone(),
            namespace: item.namespace.clone(),
            labels: item.labels.clone(),
            uid: String::new(),
        },
    }
}

/// A field as a cell.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "<none>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(|it| !it.is_object() && !it.is_array()) => {
            items.iter().map(plain).collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn args(words: &[&str]) -> SearchArgs {
        #[derive(clap::Parser)]
        struct Words {
            #[command(flatten)]
            args: SearchArgs,
        }
        <Words as clap::Parser>::parse_from(std::iter::once(&"x").chain(words)).args
    }

    #[test]
    fn words_are_a_type_conditions_and_a_name() {
        let query = |words: &[&str]| {
            let query = query(&args(words), String::new());
            query
                .into_iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            query(&[
                ".a=b", "pods", "chk", "!.c", "--age", "<1h", "--order", "-created"
            ]),
            [
                "kind=pods",
                "name=chk",
                "order=-created",
                "where=.a=b",
                "where=!.c",
                "age=<1h"
            ]
        );
        assert_eq!(
            query(&["-", "chk", "-n", "a,b"]),
            ["name=chk", "namespace=a,b"]
        );
        assert_eq!(
            query(&["--by", "cluster", "--order", "name"]),
            ["by=cluster"]
        );
    }

    fn answer() -> Answer {
        serde_json::from_value(json!({
            "items": [
                {"cluster": "c1", "resource": "pods", "kind": "Pod", "namespace": "shop", "name": "web", "cells": ["web", "1/1", "n1"]},
                {"cluster": "c2", "resource": "pods", "kind": "Pod", "namespace": "shop", "name": "db\u{1b}", "cells": ["db\u{1b}", "0/1", "n2"]},
                {"cluster": "c1", "resource": "deployments.apps", "kind": "Deployment", "namespace": "", "name": "web"},
            ],
            "columns": {"pods": [{"name": "Name", "type": "string", "format": "name"}, {"name": "Ready"}, {"name": "Node", "priority": 1}]},
        }))
        .unwrap()
    }

    #[test]
    fn each_resource_is_a_table_of_its_own_columns() {
        assert_eq!(
            text(&args(&[]), &answer()),
            "CLUSTER   NAMESPACE   NAME       READY\nc1        shop        pod/web    1/1\nc2        shop        pod/db^[   0/1\n\n\
             CLUSTER   NAME                  PHASE    CREATED\nc1        deployment.apps/web   <none>   <none>\n"
        );
        assert_eq!(
            text(&args(&["-o", "name"]), &answer()),
            "pod/web\npod/db^[\ndeployment.apps/web\n"
        );
    }

    #[test]
    fn fields_are_columns() {
        let mut answer = answer();
        answer.items.truncate(1);
        answer.items[0].fields = serde_json::from_value(json!({".a": [1, 2], ".b": null})).unwrap();
        assert_eq!(
            text(&args(&["--fields", ".a,.b"]), &answer),
            "CLUSTER   NAMESPACE   NAME   .A    .B\nc1        shop        web    1,2   <none>\n"
        );
    }
}
