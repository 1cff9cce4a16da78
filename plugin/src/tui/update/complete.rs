//! Candidates for what is typed behind a `:`.

use crate::tui::app::App;
use crate::tui::command::WORDS;
use std::collections::BTreeSet;

/// Types that every cluster has: they can be completed before one has answered.
const TYPES: [&str; 24] = [
    "configmaps",
    "cronjobs",
    "daemonsets",
    "deployments",
    "endpoints",
    "endpointslices",
    "events",
    "horizontalpodautoscalers",
    "ingresses",
    "jobs",
    "namespaces",
    "networkpolicies",
    "nodes",
    "persistentvolumeclaims",
    "persistentvolumes",
    "poddisruptionbudgets",
    "pods",
    "replicasets",
    "resourcequotas",
    "secrets",
    "serviceaccounts",
    "services",
    "statefulsets",
    "storageclasses",
];

/// The whole lines that a line may become, best first: only its last word is completed.
pub fn candidates(app: &App, typed: &str) -> Vec<String> {
    let start = typed.rfind([' ', ',', '@']).map_or(0, |at| at + 1);
    let (before, part) = typed.split_at(start);
    // A comma goes on with more of the same.
    let word_start = typed.rfind(' ').map_or(0, |at| at + 1);
    let word = &typed[word_start..];
    let first = typed.split_whitespace().next().unwrap_or_default();
    let is_clusters = word.starts_with('@') || (is_pick(first) && word_start > 0);
    let words: Vec<String> = match () {
        () if is_clusters => clusters(app),
        () if word_start == 0 => types(app),
        () => namespaces(app),
    };
    let fitting = words
        .into_iter()
        .filter(|word| word.starts_with(part) && word != part);
    fitting.map(|word| format!("{before}{word}")).collect()
}

/// What the first candidate would add to what is typed.
pub fn ghost(app: &App, typed: &str) -> Option<String> {
    if typed.is_empty() {
        return None;
    }
    let first = candidates(app, typed).into_iter().next()?;
    first.strip_prefix(typed).map(str::to_owned)
}

fn is_pick(word: &str) -> bool {
    matches!(
        word,
        "ctx" | "cl" | "cluster" | "clusters" | "context" | "contexts"
    )
}

fn types(app: &App) -> Vec<String> {
    let told = app.words.types.iter().map(String::as_str);
    let words = WORDS.iter().map(|(word, _)| *word);
    let all: BTreeSet<&str> = told.chain(TYPES).collect();
    // `po` means pods before it means poddisruptionbudgets, and both before what is no type.
    let rank = |word: &&str| {
        TYPES_FIRST
            .iter()
            .position(|it| it == word)
            .unwrap_or(TYPES_FIRST.len())
    };
    let mut all: Vec<&str> = all.into_iter().collect();
    all.sort_by_key(rank);
    let rest = words.filter(|word| !app.words.types.contains(*word));
    all.into_iter().chain(rest).map(str::to_owned).collect()
}

/// What is meant most of the time.
const TYPES_FIRST: [&str; 8] = [
    "pods",
    "deployments",
    "nodes",
    "services",
    "namespaces",
    "events",
    "jobs",
    "statefulsets",
];

fn clusters(app: &App) -> Vec<String> {
    let groups = app.groups.keys().cloned();
    let names = app.clusters.keys().map(|name| name.as_str().to_owned());
    // What has a space in it cannot be typed here.
    let names = groups
        .chain(names)
        .filter(|name| !name.contains([' ', ',']));
    names.chain(["all".to_owned()]).collect()
}

fn namespaces(app: &App) -> Vec<String> {
    let known = app
        .words
        .namespaces
        .iter()
        .filter(|name| !app.favourites.contains(name));
    let all = "all".to_owned();
    app.favourites
        .iter()
        .chain(known)
        .cloned()
        .chain([all])
        .collect()
}
