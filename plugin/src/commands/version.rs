//! `version`.

use super::clusters::direct::tell_failures;
use crate::error::Failure;
use crate::print::sanitize;
use crate::scope::{Place, Scope};
use crate::terminal::Terminal;
use clap::{Args, ValueEnum};
use mqtt_informer::cli::duration;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Show this program's version; with --context, those of the API servers too.
#[derive(Clone, Debug, Args)]
pub struct VersionArgs {
    /// How to print it: json.
    #[arg(long, short, value_name = "FORM", hide_possible_values = true)]
    pub output: Option<VersionForm>,

    /// For how long an API server may be silent before it is given up.
    #[arg(long, env = "MQINFORMER_TIMEOUT", value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub timeout: Duration,
}

/// How a version is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum VersionForm {
    /// `{"version": "v0.1.0"}`
    Json,
}

/// Prints the version. Nobody is asked for theirs unless contexts were typed.
pub async fn run(
    args: &VersionArgs,
    scope: &Scope,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let own = format!("v{}", env!("CARGO_PKG_VERSION"));
    let probed = match &scope.place {
        Place::Contexts(contexts) if scope.context_is_typed => contexts.probe(args.timeout).await,
        _ => Vec::new(),
    };
    let known = probed
        .iter()
        .filter_map(|probed| Some((&probed.name, probed.version.as_ref().ok()?)));
    match args.output {
        None => {
            let mut text = format!("kubectl-mqinformer {own}\n");
            for (name, version) in known {
                let (name, version) = (sanitize::word(name.as_str()), sanitize::word(version));
                text.push_str(&format!("cluster \"{name}\" {version}\n"));
            }
            terminal.out(&text)?;
        }
        Some(VersionForm::Json) => {
            let mut document = json!({ "version": own });
            if !probed.is_empty() {
                let clusters: Map<_, _> = known
                    .map(|(name, version)| (name.to_string(), Value::from(version.as_str())))
                    .collect();
                document["clusters"] = clusters.into();
            }
            terminal.out(&crate::print::json::document(
                &document,
                Terminal::audience(),
            ))?;
        }
    }
    tell_failures(&probed, terminal)
}
