//! `get works`: what a hub wants in the clusters, and how far each is.
//!
//! As a table, a line a work, as the live screen has it. In every other form they are the ManifestWorks themselves, which
//! `get` prints as it prints anything.

mod follow;

use super::get::{self, GetArgs};
use super::reader::{Limits, Read, Reader};
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
use mqtt_informer::protocol::names::ClusterName;
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
    let is_plain = args.filter.is_empty() && args.at.is_none();
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
    let asking = Asking {
        args,
        selector: &selector,
        attached: &attached,
        reader: Reader::new(attached.informer().clone(), limits),
        names: names(&args.words),
    };
    let work = async {
        match args.watch || args.watch_only {
            true => follow::follow(&asking, terminal).await,
            false => asking.table(terminal).await,
        }
    };
    let result = tokio::select! {
        result = work => result,
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
    let hub = vec![args.hub.hub.to_string()];
    let clusters = std::mem::replace(&mut args.reach.clusters.cluster, hub);
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

/// What is asked for, and who answers.
struct Asking<'a> {
    args: &'a GetArgs,
    selector: &'a ClusterSelector,
    attached: &'a Attached,
    reader: Reader,
    names: Vec<String>,
}

impl Asking<'_> {
    fn selection(&self) -> Selection {
        Selection {
            labels: self.args.selector.clone(),
            fields: self.args.field_selector.clone(),
            ..HubKind::Works(None).selection()
        }
    }

    /// What the hub has; after the line that says why it has not answered.
    async fn read(&self, terminal: &mut Terminal) -> Result<Read, Failure> {
        let hub = &self.args.hub.hub;
        let line = tokio::select! {
            read = self.reader.read(hub, self.selection()) => match read {
                Ok(read) => return Ok(read),
                Err(trouble) => self.reader.hub_line(hub, &trouble),
            },
            line = self.reader.broken() => line,
        };
        terminal.err(&line)?;
        Err(Failure::Told(1))
    }

    /// The lines that are meant.
    fn rows(&self, read: &Read) -> Vec<Vec<String>> {
        let is_meant = |cluster: &str, name: &str| {
            let cluster_is = ClusterName::new(cluster);
            let meant = cluster_is.is_ok_and(|it| self.selector.matches(&it, &[]));
            meant
                && namespace(self.args).is_none_or(|it| it == cluster)
                && (self.names.is_empty() || self.names.iter().any(|it| it == name))
        };
        let clusters = self.attached.informer().clusters().borrow().clone();
        let has_left = |cluster: &str| {
            let mut known = clusters.iter();
            known.any(|(name, it)| name.as_str() == cluster && it.offline)
        };
        hub::works(&read.found.objects, wall_ms(), is_meant, has_left)
    }

    /// The names that were asked for, and that no line has.
    fn missing(&self, rows: &[Vec<String>]) -> Vec<&String> {
        // Their second cell is the name.
        let there = |name: &String| rows.iter().any(|row| row.get(1) == Some(name));
        let missing = self.names.iter().filter(|name| !there(name));
        missing.filter(|_| !self.args.ignore_not_found).collect()
    }

    fn tell_missing(
        &self,
        missing: &[&String],
        read: &Read,
        terminal: &mut Terminal,
    ) -> Result<(), Failure> {
        for name in missing {
            let resource = read.found.resource.qualified();
            terminal.err(&Refusal::not_found(&resource, name).line())?;
        }
        Ok(())
    }

    async fn table(&self, terminal: &mut Terminal) -> Result<(), Failure> {
        let read = self.read(terminal).await?;
        // Whoever is there has said so: what an agent said before it left is old.
        self.reader.discovered().await;
        let rows = self.rows(&read);
        let missing = self.missing(&rows);
        match rows.is_empty() {
            true if missing.is_empty() => terminal.err("No works found")?,
            true => {}
            false => terminal.out(&lines(rows, self.args.no_headers))?,
        }
        self.tell_missing(&missing, &read, terminal)?;
        if let Some(doubt) = read.doubt {
            terminal.err(&messages::stale(&self.args.hub.hub, doubt))?;
        }
        match missing.is_empty() && (read.doubt.is_none() || self.args.allow_partial) {
            true => Ok(()),
            false => Err(Failure::Told(1)),
        }
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
