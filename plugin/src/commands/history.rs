//! `history`: what happened to an object.

use super::controlplane::{ControlplaneArgs, failed};
use super::{ClusterArgs, NamespaceArgs};
use crate::clock::wall_ms;
use crate::error::Failure;
use crate::print::tabwriter::TabWriter;
use crate::print::{json, sanitize, yaml};
use crate::scope::Scope;
use crate::terminal::Terminal;
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use mqtt_informer::cli::duration;
use mqtt_informer::controlplane::client::{Client, ClientError};
use mqtt_informer::kubernetes::duration::human;
use serde_json::{Value, json};
use std::time::Duration;

/// Show what happened to an object: when it was added, what changed, when it was deleted.
///
/// A controlplane with a store remembers it, for as long as its --history says. Without exactly one --cluster, the
/// object is looked for in all clusters, and CLUSTER is the first column.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  # What happened to a pod
  kubectl mqinformer history pod/web-1 -n shop --cluster cluster1

  # In whichever clusters it is, or was
  kubectl mqinformer history deploy/web -n shop

  # The object as it was before
  kubectl mqinformer get pod web-1 -n shop --cluster cluster1 --at 2h -o yaml")]
pub struct HistoryArgs {
    /// TYPE/NAME, or TYPE NAME.
    #[arg(value_name = "TYPE/NAME", num_args = 1..=2, required = true)]
    pub words: Vec<String>,

    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub clusters: ClusterArgs,

    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub namespace: NamespaceArgs,

    /// The newest so many changes of each.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=500))]
    pub limit: u16,

    /// How to print: json or yaml.
    #[arg(long, short, value_name = "FORM", hide_possible_values = true)]
    pub output: Option<HistoryForm>,

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
pub enum HistoryForm {
    /// `{"histories": [...]}`
    Json,
    /// The same as YAML.
    Yaml,
}

/// Prints what happened.
pub async fn run(
    args: &HistoryArgs,
    scope: &Scope,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let (kind, name) = object(&args.words)?;
    let selector = scope.selector(&args.clusters)?;
    let client = args.controlplane.client(scope, args.timeout).await?;
    let namespace = args
        .namespace
        .namespace
        .as_deref()
        .filter(|it| !it.is_empty())
        .unwrap_or("default");
    let clusters = match selector.only() {
        Some(only) => vec![only.as_str().to_owned()],
        None => {
            let words = super::controlplane::cluster_words(&args.clusters, scope)?;
            let mut query = vec![("kind", kind), ("limit", "1")];
            query.extend((!words.is_empty()).then_some(("cluster", words.as_str())));
            let answer = client.search(&query).await.map_err(failed)?;
            super::controlplane::tell_clusters(&answer.clusters, terminal)?;
            let there = answer
                .clusters
                .into_iter()
                .filter(|it| !matches!(it.state.as_str(), "unknown" | "missing"));
            there.map(|it| it.name).collect()
        }
    };
    let limit = args.limit.to_string();
    let (mut found, mut absence) = (Vec::new(), None);
    for cluster in &clusters {
        match told(&client, [cluster, kind, namespace, name], &limit).await {
            Ok(history) => found.push(history),
            Err(ClientError::Refused { code: 404, message }) => absence = Some(message),
            Err(error) => return Err(failed(error)),
        }
    }
    if found.is_empty() {
        let none =
            || format!("{kind} {name:?} not found: no cluster that is meant has anything of it");
        return Err(Failure::because(absence.unwrap_or_else(none)));
    }
    let document = json!({ "histories": found });
    match args.output {
        Some(HistoryForm::Json) => terminal.out(&json::document(&document, Terminal::audience())),
        Some(HistoryForm::Yaml) => terminal.out(&yaml::document(&document, Terminal::audience())),
        None => {
            terminal.out(&table(
                &found,
                selector.only().is_none(),
                !args.no_headers,
                wall_ms(),
            ))?;
            for history in found.iter().filter(|it| it["complete"] == false) {
                let cluster =
                    sanitize::word(history["cluster"].as_str().unwrap_or_default()).into_owned();
                terminal.err(&format!(
                    "cluster \"{cluster}\": what was before is not kept any more"
                ))?;
            }
            Ok(())
        }
    }
}

/// What was typed, as a type and a name.
fn object(words: &[String]) -> Result<(&str, &str), Failure> {
    let pair = match words {
        [word] => word.split_once('/'),
        [kind, name] if !kind.contains('/') && !name.contains('/') => {
            Some((kind.as_str(), name.as_str()))
        }
        _ => None,
    };
    let pair =
        pair.filter(|(kind, name)| !kind.is_empty() && !name.is_empty() && !name.contains('/'));
    pair.ok_or_else(|| {
        Failure::because("history is of one object: write TYPE/NAME, such as pod/web-1")
    })
}

/// The history of an object; what lives in no namespace is asked for without one.
async fn told(
    client: &Client,
    [cluster, kind, namespace, name]: [&str; 4],
    limit: &str,
) -> Result<Value, ClientError> {
    let in_one = path(&[cluster, kind, namespace, name]);
    match client.get(&in_one, &[("limit", limit)]).await {
        Err(ClientError::Refused { code: 404, message })
            if message.contains("are in no namespace") =>
        {
            client
                .get(&path(&[cluster, kind, name]), &[("limit", limit)])
                .await
        }
        answer => answer,
    }
}

fn path(segments: &[&str]) -> String {
    let segments = segments.iter().map(|segment| {
        let encode = |byte: u8| match byte {
            byte if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        };
        segment.bytes().map(encode).collect::<String>()
    });
    std::iter::once("/history".to_owned())
        .chain(segments)
        .collect::<Vec<_>>()
        .join("/")
}

fn table(histories: &[Value], with_cluster: bool, headers: bool, now_ms: i64) -> String {
    let mut writer = TabWriter::new();
    let first = if with_cluster { "CLUSTER\t" } else { "" };
    if headers {
        writer.write(&format!("{first}TIME\tAGE\tCHANGE\tWHAT\n"));
    }
    let text = |value: &Value| sanitize::cell(value.as_str().unwrap_or_default()).into_owned();
    for history in histories {
        let none = Vec::new();
        let steps = history["steps"].as_array().unwrap_or(&none);
        for step in steps {
            let cluster = match with_cluster {
                true => format!("{}\t", text(&history["cluster"])),
                false => String::new(),
            };
            let (time, age) = moment(&step["time"], now_ms);
            writer.write(&format!(
                "{cluster}{time}\t{age}\t{}\t{}\n",
                text(&step["type"]),
                what(step)
            ));
        }
    }
    writer.flush();
    writer.take()
}

/// A time to the second, and how long ago it was.
fn moment(time: &Value, now_ms: i64) -> (String, String) {
    let text = time.as_str().unwrap_or_default();
    match text.parse::<Timestamp>() {
        Ok(at) => {
            let whole = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            (whole, human(now_ms.saturating_sub(at.as_millisecond())))
        }
        Err(_) => (sanitize::cell(text).into_owned(), "<unknown>".to_owned()),
    }
}

/// `.status.phase: Pending → Running, ...`: what fits on a line.
fn what(step: &Value) -> String {
    const MOST: usize = 4;
    let none = Vec::new();
    let changes = step["changes"].as_array().unwrap_or(&none);
    let value = |value: &Value| match value {
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => shortened(text),
        other => shortened(&other.to_string()),
    };
    // Each by itself: what one value does to its line ends with it.
    let value = |of: &Value| sanitize::cell(&value(of)).into_owned();
    let one = |change: &Value| {
        let path = change["path"].as_str().unwrap_or_default();
        match (change.get("from"), change.get("to")) {
            (Some(from), Some(to)) => format!("{path}: {} → {}", value(from), value(to)),
            (None, Some(to)) => format!("{path}: + {}", value(to)),
            (Some(from), None) => format!("{path}: - {}", value(from)),
            (None, None) => path.to_owned(),
        }
    };
    let shown: Vec<_> = changes.iter().take(MOST).map(one).collect();
    let more = step["more"].as_u64().unwrap_or(0) + changes.len().saturating_sub(MOST) as u64;
    let mut text = shown.join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    sanitize::cell(&text).into_owned()
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn one_object_is_a_type_and_a_name() {
        assert_eq!(object(&words("pod/web")).unwrap(), ("pod", "web"));
        assert_eq!(object(&words("pod web")).unwrap(), ("pod", "web"));
        for text in ["pod", "pod/", "/web", "a/b/c", "a/b c"] {
            assert!(object(&words(text)).is_err(), "{text}");
        }
        assert_eq!(
            path(&["arn:eks/prod", "pods", "a b"]),
            "/history/arn:eks%2Fprod/pods/a%20b"
        );
    }

    #[test]
    fn a_line_for_each_change() {
        let history = json!({"cluster": "c1", "steps": [
            {"time": "1970-01-01T00:02:00.5Z", "type": "deleted"},
            {"time": "1970-01-01T00:01:00Z", "type": "changed", "more": 2, "changes": [
                {"path": ".status.phase", "from": "Pending", "to": "Running"},
                {"path": ".metadata.labels.a", "to": "evil\u{1b}[2J\n"},
                {"path": ".spec.x", "from": {"a": 1}}, {"path": ".data.p"}, {"path": ".e", "to": 1},
            ]},
            {"time": "1970-01-01T00:00:00Z", "type": "added"},
        ]});
        let text = table(&[history], true, true, 180_000);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines[0].split_whitespace().collect::<Vec<_>>(),
            ["CLUSTER", "TIME", "AGE", "CHANGE", "WHAT"]
        );
        assert!(
            lines[1].contains("1970-01-01T00:02:00Z   59s") || lines[1].contains("60s"),
            "{}",
            lines[1]
        );
        assert!(
            lines[2].contains(".status.phase: Pending → Running, .metadata.labels.a: + evil^[[2J"),
            "{}",
            lines[2]
        );
        assert!(
            lines[2].ends_with(".spec.x: - {\"a\":1}, .data.p and 3 more"),
            "{}",
            lines[2]
        );
        assert_eq!(lines.len(), 4);
    }
}
