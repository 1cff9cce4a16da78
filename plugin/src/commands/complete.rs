//! `completion`, and what the scripts ask: candidates within a tenth of a second, or none.

use super::fleet::Fleet;
use super::{ClusterArgs, ReachArgs};
use crate::args::{Cli, Command as Verb};
use crate::complete::answer::{self, Question};
use crate::complete::script::Shell;
use crate::complete::words::Typed;
use crate::direct::Direct;
use crate::error::Failure;
use crate::get::roll::{Patience, Roll};
use crate::get::{ClusterSelector, Namespaces};
use crate::rollout::Kind;
use crate::scope::{Attached, Place, Scope};
use crate::settings::{self, locate, order};
use crate::terminal::Terminal;
use clap::{Args, CommandFactory};
use mqtt_informer::informer::Snapshot;
use mqtt_informer::kubernetes::{Kubeconfig, Login};
use mqtt_informer::protocol::message::{Selection, View};
use mqtt_informer::protocol::names::ClusterName;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::time::Duration;
use tokio::time::Instant;

/// kubectl looks for a program of this name.
const PROGRAM: &str = "kubectl_complete-mqinformer";
/// What the scripts ask by.
const WORD: &str = "__complete";
/// For so long clusters may answer, from the start of the program.
const LIMIT: Duration = Duration::from_millis(80);
/// Until then the syncers are told that nobody looks any more.
const GOODBYE: Duration = Duration::from_millis(95);
/// More is no help.
const MOST: usize = 2000;

/// Print the script that completes commands in a shell.
///
/// What it completes: verbs, flags, their values, and the names of clusters, contexts, namespaces, types and objects,
/// as far as the clusters say them within a tenth of a second.
///
/// kubectl completes `kubectl mqinformer` by itself once its own completion is set up (see `kubectl completion --help`)
/// and kubectl_complete-mqinformer is on the PATH, where `make build` puts it beside the plugin. The scripts are for
/// the plugin by its own name, kubectl-mqinformer.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  # bash: now, and in every shell
  source <(kubectl mqinformer completion bash)
  kubectl mqinformer completion bash > ~/.local/share/bash-completion/completions/kubectl-mqinformer

  # zsh
  kubectl mqinformer completion zsh > \"${fpath[1]}/_kubectl-mqinformer\"

  # fish
  kubectl mqinformer completion fish > ~/.config/fish/completions/kubectl-mqinformer.fish")]
pub struct CompletionArgs {
    /// Which shell.
    pub shell: Shell,
}

/// Prints a script.
pub fn run(args: &CompletionArgs, terminal: &mut Terminal) -> Result<(), Failure> {
    terminal.out(args.shell.script())
}

/// The words to be completed, the one under the cursor last, if it is completion that is asked for.
pub fn asked(words: &[OsString]) -> Option<Vec<String>> {
    let (program, rest) = words.split_first()?;
    let by_name = Path::new(program)
        .file_stem()
        .is_some_and(|name| name == PROGRAM);
    let rest = match rest.split_first() {
        Some((first, rest)) if first == WORD => rest,
        _ if by_name => rest,
        _ => return None,
    };
    Some(
        rest.iter()
            .map(|word| word.to_string_lossy().into_owned())
            .collect(),
    )
}

/// Prints the candidates for the last of these words.
pub fn answer(words: &[String]) -> Result<(), Failure> {
    let start = Instant::now();
    let typed = Typed::read(Cli::command(), &verb_first(words));
    let wish = answer::wish(&typed);
    let mut answers = match &wish.question {
        Some(question) => find_out(question, &typed, start),
        None => BTreeSet::new(),
    };
    if answers.len() > MOST {
        answers = answers.into_iter().take(MOST).collect();
    }
    let lines = answer::lines(&typed, &wish, &answers);
    let mut out = std::io::stdout();
    Ok(out.write_all(lines.as_bytes()).and_then(|()| out.flush())?)
}

/// The words with the verb before flags that stand before it; the last is under the cursor, and no verb yet.
fn verb_first(words: &[String]) -> Vec<String> {
    let Some((last, before)) = words.split_last() else {
        return Vec::new();
    };
    let program = OsString::from("kubectl-mqinformer");
    let line: Vec<OsString> = std::iter::once(program)
        .chain(before.iter().map(Into::into))
        .collect();
    let line = order::verb_first(&line, &Cli::command());
    let before = line
        .iter()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned());
    before.chain([last.clone()]).collect()
}

/// What is known here, without a network: of the kubeconfig and the configuration file. None if clusters have to say.
fn known_here(question: &Question, typed: &Typed) -> Option<BTreeSet<String>> {
    match question {
        Question::Contexts => {
            let files = match typed.value("kubeconfig") {
                Some(file) => vec![file.into()],
                None => Kubeconfig::files(std::env::var_os("KUBECONFIG").as_deref()),
            };
            let kubeconfig = Kubeconfig::read(&files).ok();
            let names = kubeconfig
                .iter()
                .flat_map(|it| it.contexts().map(str::to_owned).collect::<Vec<_>>());
            Some(names.chain(configured(typed).groups()).collect())
        }
        Question::Profiles => Some(configured(typed).profiles.into_keys().collect()),
        Question::Groups => Some(configured(typed).groups.into_keys().collect()),
        Question::Clusters
        | Question::Cluster
        | Question::Namespaces
        | Question::Types
        | Question::Names(_)
        | Question::OfHub(_) => None,
    }
}

/// What the configuration file names.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Configured {
    profiles: BTreeMap<String, serde_yaml::Value>,
    groups: BTreeMap<String, serde_yaml::Value>,
}

impl Configured {
    fn groups(&self) -> Vec<String> {
        self.groups.keys().map(|name| format!("@{name}")).collect()
    }
}

fn configured(typed: &Typed) -> Configured {
    let environment = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let located = locate::file(&settings_of(typed), &environment);
    let text = located.and_then(|located| std::fs::read_to_string(located.path).ok());
    text.and_then(|text| serde_yaml::from_str(&text).ok())
        .unwrap_or_default()
}

fn find_out(question: &Question, typed: &Typed, start: Instant) -> BTreeSet<String> {
    if let Some(known) = known_here(question, typed) {
        return known;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let Ok(runtime) = runtime else {
        return BTreeSet::new();
    };
    let said = runtime.block_on(ask_clusters(question, typed, start));
    // A name that is still being looked up would be waited for.
    runtime.shutdown_background();
    let mut said = said.unwrap_or_default();
    if *question == Question::Clusters {
        said.extend(configured(typed).groups());
    }
    said
}

/// What clusters say in time; none if what is typed makes no sense.
async fn ask_clusters(
    question: &Question,
    typed: &Typed,
    start: Instant,
) -> Option<BTreeSet<String>> {
    let said = settings::read(&settings_of(typed)).ok()?;
    let scope = said.scope().ok()?;
    let Verb::Get(args) = &said.cli.command else {
        return None;
    };
    // The clusters to choose from are all.
    let every = ClusterArgs::default();
    let hub = ClusterArgs {
        cluster: vec![args.hub.hub.to_string()],
        ..ClusterArgs::default()
    };
    let clusters = match question {
        Question::Clusters | Question::Cluster => &every,
        Question::OfHub(_) => &hub,
        _ => &args.reach.clusters,
    };
    let selector = scope.selector(clusters).ok()?;
    let mut reach = args.reach.clone();
    if *question == Question::OfHub(Kind::Work) {
        within_a_cluster(&mut reach);
    }
    let namespaces = scope.namespaces(&reach);
    let attached = tokio::time::timeout_at(start + LIMIT, attach(&scope)).await;
    let attached = attached.ok()?.ok()?;
    let mut found = BTreeSet::new();
    let asking = gather(question, &selector, &namespaces, &attached, &mut found);
    // What was found until then is what there is.
    let _ = tokio::time::timeout_at(start + LIMIT, asking).await;
    // Who is not told so goes on serving for a minute.
    let _ = tokio::time::timeout_at(start + GOODBYE, attached.leave()).await;
    Some(found)
}

/// On a hub a cluster is a namespace.
fn within_a_cluster(reach: &mut ReachArgs) {
    match reach.clusters.cluster.as_slice() {
        [one] if !one.contains(['*', '?', '!', '@']) && one != "all" => {
            reach.namespace.namespace.get_or_insert_with(|| one.clone());
        }
        _ => reach.all_namespaces |= reach.namespace.namespace.is_none(),
    }
}

/// Never asks anybody for a password: nobody would see the question.
async fn attach(scope: &Scope) -> Result<Attached, Failure> {
    match &scope.place {
        Place::Broker(_) => scope.attach(LIMIT).await,
        Place::Contexts(contexts) => {
            let login = Login::Unattended(LIMIT);
            Ok(Attached::Direct(Direct::start(contexts, login).await?))
        }
    }
}

async fn gather(
    question: &Question,
    selector: &ClusterSelector,
    namespaces: &Namespaces,
    attached: &Attached,
    found: &mut BTreeSet<String>,
) {
    let patience = Patience {
        timeout: LIMIT,
        request_timeout: None,
        goes_on: false,
        way: crate::get::plan::Way::Broker,
    };
    let roll = Roll::new(selector, 1, patience);
    let mut fleet = Fleet::new(attached.informer().clone(), roll);
    let clusters = fleet.informer.clusters();
    let mut asked = Vec::new();
    loop {
        for cluster in fleet.roll.take_wanted() {
            if let Some(selection) = selection(question, &cluster, namespaces) {
                fleet.subscribe(&cluster, 0, selection);
                asked.push(cluster);
            }
        }
        fleet.step();
        if matches!(question, Question::Clusters | Question::Cluster) {
            found.extend(clusters.borrow().keys().map(ToString::to_string));
        }
        for cluster in fleet.take_changed() {
            if let Some(store) = fleet.store(&cluster, 0) {
                found.extend(names(question, &store.snapshot()));
            }
        }
        let is_about_objects = !matches!(question, Question::Clusters | Question::Cluster);
        if fleet.roll.is_complete() && is_about_objects {
            return;
        }
        fleet.wait(LIMIT).await;
    }
}

fn selection(
    question: &Question,
    cluster: &ClusterName,
    namespaces: &Namespaces,
) -> Option<Selection> {
    let rows = |resource: &str, namespace: &str| Selection {
        resource: resource.to_owned(),
        namespace: namespace.to_owned(),
        ..Selection::default()
    };
    match question {
        Question::Types => Some(Selection {
            view: View::Resources,
            ..Selection::default()
        }),
        Question::Namespaces => Some(rows("namespaces", "")),
        Question::Names(kind) => Some(rows(kind, namespaces.of(cluster))),
        Question::OfHub(kind) => Some(rows(kind.resource(), namespaces.of(cluster))),
        Question::Clusters
        | Question::Cluster
        | Question::Contexts
        | Question::Profiles
        | Question::Groups => None,
    }
}

fn names(question: &Question, snapshot: &Snapshot) -> Vec<String> {
    let keys = snapshot
        .objects()
        .map(|(key, _)| String::from_utf8_lossy(key).into_owned());
    match question {
        // `deployments.v1.apps`
        Question::Types => keys
            .filter_map(|key| Some(key.split('.').next()?.to_owned()))
            .collect(),
        _ => keys
            .filter_map(|key| Some(key.rsplit('/').next()?.to_owned()))
            .collect(),
    }
}

/// A command line that says where the clusters are, and which are meant, as the one that was typed does.
fn settings_of(typed: &Typed) -> Vec<OsString> {
    let command = Cli::command();
    let get = command.find_subcommand("get");
    let takes = |long: &str| {
        let args = get.into_iter().flat_map(|get| get.get_arguments());
        let mut all = args.chain(command.get_arguments());
        all.any(|arg| {
            let settles = arg.is_global_set() || arg.get_env().is_some();
            arg.get_long() == Some(long) && (settles || long == "all-namespaces")
        })
    };
    let mut words: Vec<OsString> = ["kubectl-mqinformer", "get", "pods"].map(Into::into).into();
    for (long, value) in typed.flags.iter().filter(|(long, _)| takes(long)) {
        words.push(match value {
            Some(value) => format!("--{long}={value}").into(),
            None => format!("--{long}").into(),
        });
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<OsString> {
        words.iter().map(Into::into).collect()
    }

    #[test]
    fn who_asks_for_completion() {
        let some = |words: &[&str]| Some(words.iter().map(|it| (*it).to_owned()).collect());
        for (line, want) in [
            (
                &["/x/kubectl_complete-mqinformer", "get", ""][..],
                some(&["get", ""]),
            ),
            (&["kubectl-mqinformer", "__complete", "ge"], some(&["ge"])),
            (
                &["/x/kubectl_complete-mqinformer", "__complete", "ge"],
                some(&["ge"]),
            ),
            (&["kubectl-mqinformer", "get"], None),
            (&[], None),
        ] {
            assert_eq!(asked(&words(line)), want);
        }
    }

    #[test]
    fn flags_may_stand_before_the_verb() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for (line, want) in [
            ("-n shop get po", "get -n shop po"),
            ("--cluster a ge", "--cluster a ge"),
            ("get pods ", "get pods "),
        ] {
            assert_eq!(verb_first(&words(line)), words(want));
        }
    }

    #[test]
    fn only_what_says_where_the_clusters_are_is_taken_over() {
        let line = [
            "get",
            "pods",
            "--broker",
            "tcp://h:1",
            "--cluster=a",
            "-o",
            "json",
            "-A",
            "",
        ];
        let typed = Typed::read(Cli::command(), &line.map(String::from));
        assert_eq!(
            settings_of(&typed),
            words(&[
                "kubectl-mqinformer",
                "get",
                "pods",
                "--broker=tcp://h:1",
                "--cluster=a",
                "--all-namespaces"
            ])
        );
    }
}
