//! `get works`: what a hub wants in the clusters, and how far each is.
//!
//! As a table, a line a work, as the live screen has it. In every other form they are the ManifestWorks themselves, which
//! `get` prints as it prints anything.

use super::get::{self, GetArgs};
use super::reader::{Limits, Reader};
use crate::clock::wall_ms;
use crate::error::Failure;
use crate::get::ClusterSelector;
use crate::get::messages::{self, Refusal};
use crate::rollout::Kind;
use crate::scope::{Attached, Place, Scope};
use crate::terminal::Terminal;
use crate::tui::view::hub::{self, HubKind};
use mqtt_informer::cli::asked_to_stop;
use mqtt_informer::protocol::message::Selection;
use mqtt_informer::protocol::names::{ClusterName, HUB};
use tabled::builder::Builder;
use tabled::settings::{Padding, Style};

/// Whether a command is about works: `works`, `work web`, `work/web`.
pub(super) fn are_meant(words: &[String]) -> bool {
    let first = words.first().map(String::as_str).unwrap_or_default();
    matches!(first.split('/').next(), Some("works" | "work"))
}

/// Prints them.
pub(super) async fn run(
    args: &GetArgs,
    scope: &Scope,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    if matches!(scope.place, Place::Contexts(_)) {
        return Err(Failure::because(
            "works are what a hub has, and a hub is found at a broker: leave out --context, or get manifestworks of that context",
        ));
    }
    let form = args.output.as_deref().unwrap_or_default();
    let is_table = matches!(form, "" | "wide");
    let is_plain = !args.watch && !args.watch_only && args.filter.is_empty() && args.at.is_none();
    let is_plain = is_plain && !args.show_labels && args.label_columns.is_empty();
    if !is_table || !is_plain || !args.sort_by.is_empty() || scope.is_offline() {
        return whole(args, scope, terminal).await;
    }
    let selector = scope.selector(&args.reach.clusters)?;
    let limits = Limits {
        timeout: args.timeouts.timeout,
        end: Some(args.timeouts.request_timeout).filter(|limit| !limit.is_zero()),
        way: scope.place.way(),
    };
    let attached = scope.attach(limits.timeout).await?;
    let result = tokio::select! {
        result = table(args, (limits, &selector), &attached, terminal) => result,
        () = asked_to_stop() => Err(Failure::Told(130)),
    };
    attached.leave().await;
    result
}

/// The name of the work in `work web` or `work/web`, if only that is meant.
fn names(words: &[String]) -> Vec<String> {
    let first = words.first().and_then(|word| word.split_once('/'));
    let first = first.map(|(_, name)| name.to_owned());
    first
        .into_iter()
        .chain(words.iter().skip(1).cloned())
        .collect()
}

/// The namespace that was named: on a hub, that is a cluster.
fn namespace(args: &GetArgs) -> Option<&str> {
    let named = args.reach.namespace.namespace.as_deref();
    named.filter(|name| !name.is_empty() && !args.reach.all_namespaces)
}

/// As `get` prints ManifestWorks.
async fn whole(args: &GetArgs, scope: &Scope, terminal: &mut Terminal) -> Result<(), Failure> {
    let mut args = args.clone();
    let clusters = std::mem::replace(&mut args.reach.clusters.cluster, vec![HUB.to_owned()]);
    match clusters.as_slice() {
        [] if namespace(&args).is_some() => {}
        [] => args.reach.all_namespaces = true,
        [all] if all == "all" => args.reach.all_namespaces = true,
        [one] if !one.contains(['*', '?', '!', '@']) => {
            args.reach.namespace.namespace = Some(one.clone());
        }
        _ => {
            return Err(Failure::because(
                "--cluster: in this form works are those of one cluster, or, without --cluster, of all",
            ));
        }
    }
    let names = names(&args.words);
    args.words = std::iter::once(Kind::Work.resource().to_owned())
        .chain(names)
        .collect();
    Box::pin(get::run(&args, scope, terminal)).await
}

async fn table(
    args: &GetArgs,
    (limits, selector): (Limits, &ClusterSelector),
    attached: &Attached,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let hub = ClusterName::new(HUB).map_err(Failure::because)?;
    let reader = Reader::new(attached.informer().clone(), limits);
    let selection = Selection {
        labels: args.selector.clone(),
        fields: args.field_selector.clone(),
        ..HubKind::Works(None).selection()
    };
    let read = tokio::select! {
        read = reader.read(&hub, selection) => read,
        line = reader.broken() => {
            terminal.err(&line)?;
            return Err(Failure::Told(1));
        }
    };
    let read = match read {
        Ok(read) => read,
        Err(trouble) => {
            terminal.err(&reader.line(&hub, &trouble))?;
            return Err(Failure::Told(1));
        }
    };
    // Whoever is there has said so: what an agent said before it left is old.
    reader.discovered().await;
    let names = names(&args.words);
    let is_meant = |cluster: &str, name: &str| {
        let meant = ClusterName::new(cluster).is_ok_and(|it| selector.matches(&it, &[]));
        meant
            && namespace(args).is_none_or(|it| it == cluster)
            && (names.is_empty() || names.iter().any(|it| it == name))
    };
    let clusters = attached.informer().clusters().borrow().clone();
    let has_left = |cluster: &str| {
        let mut known = clusters.iter();
        known.any(|(name, it)| name.as_str() == cluster && it.offline)
    };
    let rows = hub::works(&read.found.objects, wall_ms(), is_meant, has_left);
    // Their second cell is the name.
    let missing = names
        .iter()
        .filter(|name| rows.iter().all(|row| row.get(1) != Some(*name)));
    let missing: Vec<_> = missing.filter(|_| !args.ignore_not_found).collect();
    match rows.is_empty() {
        true if missing.is_empty() => terminal.err("No works found")?,
        true => {}
        false => terminal.out(&lines(rows, args.no_headers))?,
    }
    for name in &missing {
        let resource = read.found.resource.qualified();
        terminal.err(&Refusal::not_found(&resource, name).line())?;
    }
    if let Some(doubt) = read.doubt {
        terminal.err(&messages::stale(&hub, doubt))?;
    }
    match missing.is_empty() && (read.doubt.is_none() || args.allow_partial) {
        true => Ok(()),
        false => Err(Failure::Told(1)),
    }
}

fn lines(rows: Vec<Vec<String>>, no_headers: bool) -> String {
    let mut builder = Builder::default();
    if !no_headers {
        builder.push_record(hub::WORKS);
    }
    rows.into_iter().for_each(|row| builder.push_record(row));
    let mut table = builder.build();
    table.with(Style::empty()).with(Padding::new(0, 3, 0, 0));
    let text = table.to_string();
    let lines = text.lines().map(|line| format!("{}\n", line.trim_end()));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn works_are_meant_by_their_word() {
        for (text, meant, want) in [
            ("works", true, ""),
            ("work web", true, "web"),
            ("work/web db", true, "web db"),
            ("workloads", false, ""),
            ("pods", false, ""),
        ] {
            assert_eq!(are_meant(&words(text)), meant, "{text}");
            if meant {
                assert_eq!(names(&words(text)).join(" "), want, "{text}");
            }
        }
    }

    #[test]
    fn a_line_a_work() {
        let row = |cells: [&str; 7]| cells.map(str::to_owned).to_vec();
        let rows = vec![row(["a", "web", "True", "True", "1/1", "5m", ""])];
        assert_eq!(
            lines(rows.clone(), false),
            "CLUSTER   NAME   APPLIED   AVAILABLE   MANIFESTS   AGE   REASON\na         web    True      True        1/1         5m\n"
        );
        assert_eq!(lines(rows, true).lines().count(), 1);
    }
}
