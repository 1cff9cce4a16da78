//! `clusters --context`: which contexts answer, and what they run.

use super::{ClustersArgs, ClustersForm, aligned};
use crate::direct::{Contexts, Probed};
use crate::error::Failure;
use crate::get::messages;
use crate::print::sanitize;
use crate::terminal::Terminal;
use serde_json::json;

const HEADERS: [&str; 4] = ["NAME", "STATE", "KUBERNETES", "NAMESPACE"];

/// Lists the contexts; those that do not answer are told on stderr, too, and make it a failure.
pub(super) async fn run(
    args: &ClustersArgs,
    contexts: &Contexts,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let probed = contexts.probe(args.timeout).await;
    match args.output {
        Some(ClustersForm::Json) => {
            let list: Vec<_> = probed.iter().map(object).collect();
            let list = json!({ "clusters": list });
            terminal.out(&crate::print::json::document(&list, Terminal::audience()))?;
        }
        None => {
            let headers = (!args.no_headers).then(|| HEADERS.map(str::to_owned));
            terminal.out(&aligned(headers.into_iter().chain(probed.iter().map(line))))?;
        }
    }
    tell_failures(&probed, terminal)
}

/// A line on stderr for each context that does not answer; a failure if there is one.
pub(in crate::commands) fn tell_failures(
    probed: &[Probed],
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let mut failed = false;
    for Probed { name, version, .. } in probed {
        if let Err(why) = version {
            failed = true;
            terminal.err(&messages::refused(
                name,
                &messages::Refusal::local(why.clone()),
            ))?;
        }
    }
    if failed {
        Err(Failure::Told(1))
    } else {
        Ok(())
    }
}

fn line(probed: &Probed) -> [String; 4] {
    let (state, version) = match &probed.version {
        Ok(version) => ("fresh", version.as_str()),
        Err(_) => ("failed", "<unknown>"),
    };
    [probed.name.as_str(), state, version, &probed.namespace]
        .map(|text| sanitize::word(text).into_owned())
}

fn object(probed: &Probed) -> serde_json::Value {
    let name = probed.name.as_str();
    let namespace = &probed.namespace;
    match &probed.version {
        Ok(version) => json!({
            "name": name, "state": "fresh", "kubernetesVersion": version, "namespace": namespace,
        }),
        Err(why) => json!({
            "name": name, "state": "failed", "kubernetesVersion": "", "namespace": namespace, "message": why,
        }),
    }
}
