//! Candidates, out of what is known.

use super::words::{Typed, Wanted};
use crate::rollout::Kind;
use crate::settings;
use clap::{Arg, ValueHint};
use std::collections::BTreeSet;

/// How a shell is to go on (cobra's `ShellCompDirective`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directive {
    /// As it usually does: with files.
    Default = 0,
    /// No space behind a candidate, and no files.
    NoSpace = 6,
    /// No files.
    NoFiles = 4,
    /// Folders only.
    Folders = 16,
}

/// What has to be found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Names of clusters, and of groups of them.
    Clusters,
    /// The name of one cluster.
    Cluster,
    /// Contexts of the kubeconfig.
    Contexts,
    /// Profiles of the configuration file.
    Profiles,
    /// Its groups of clusters.
    Groups,
    /// Namespaces of the clusters that are meant.
    Namespaces,
    /// Types of their objects.
    Types,
    /// Names of objects of a type.
    Names(String),
    /// Names of a hub's objects of a type.
    OfHub(Kind),
}

/// What a command's first word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    /// `pods`, `pods,svc`, `pod/web`
    Type,
    /// `web`, `deploy/web`
    PodOrPair,
}

/// What is to be completed.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Found out elsewhere; its answers go behind `before`.
    pub question: Option<Question>,
    /// What stands before each answer: `a,b,` or `pod/`.
    pub before: String,
    /// Candidates that need no question, with their descriptions.
    pub known: Vec<(String, String)>,
    /// Answers may be followed by more of the same word.
    pub goes_on: bool,
    /// The shell's own completion, of files or folders.
    pub files: Option<Directive>,
}

/// What a command line wants.
pub fn wish(typed: &Typed) -> Wish {
    match &typed.wanted {
        Wanted::Verb => verbs(typed),
        Wanted::Flag => flags(typed),
        Wanted::Value(arg) => value(typed, arg),
        Wanted::Word(number) => word(typed, *number),
    }
}

/// Whether no shell takes the character for its own: bash inserts candidates as they are.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._:@/-".contains(c)
}

/// The lines for the shell: candidates that begin as what is typed does, and the directive.
pub fn lines(typed: &Typed, wish: &Wish, answers: &BTreeSet<String>) -> String {
    let answered = answers
        .iter()
        .filter(|answer| answer.chars().all(is_plain))
        .map(|answer| (format!("{}{answer}", wish.before), String::new()));
    let mut out = String::new();
    let mut all_go_on = true;
    for (candidate, description) in wish.known.iter().cloned().chain(answered) {
        // What comes from a cluster may not speak to the shell.
        let is_clean = !candidate.chars().any(|c| c.is_control() || c == '\u{7f}');
        if candidate.starts_with(&typed.part) && is_clean {
            all_go_on &= candidate.ends_with('=');
            out.push_str(&candidate);
            if !description.is_empty() {
                out.push('\t');
                out.push_str(&description);
            }
            out.push('\n');
        }
    }
    let goes_on = wish.goes_on || (all_go_on && !out.is_empty());
    let directive = match (wish.files, goes_on) {
        (Some(directive), _) => directive,
        (None, true) => Directive::NoSpace,
        (None, false) => Directive::NoFiles,
    };
    out + &format!(":{}\n", directive as u8)
}

fn verbs(typed: &Typed) -> Wish {
    let verbs = typed.command.get_subcommands();
    let visible = verbs.filter(|verb| !verb.is_hide_set());
    Wish {
        known: visible
            .map(|verb| {
                let about = verb
                    .get_about()
                    .map(ToString::to_string)
                    .unwrap_or_default();
                (verb.get_name().to_owned(), first_line(&about))
            })
            .collect(),
        ..Wish::default()
    }
}

fn flags(typed: &Typed) -> Wish {
    let mut known = Vec::new();
    let shorts_too = !typed.part.starts_with("--");
    for arg in typed
        .command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set())
    {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let help = first_line(&help);
        if let (Some(short), true) = (arg.get_short(), shorts_too) {
            known.push((format!("-{short}"), help.clone()));
        }
        if let Some(long) = arg.get_long() {
            known.push((format!("--{long}"), help));
        }
    }
    Wish {
        known,
        ..Wish::default()
    }
}

fn value(typed: &Typed, arg: &Arg) -> Wish {
    let ask = |question, list: bool| Wish {
        question: Some(question),
        before: if list {
            before_last(&typed.part, ',')
        } else {
            String::new()
        },
        ..Wish::default()
    };
    match arg.get_long().unwrap_or_default() {
        "cluster" => ask(Question::Clusters, true),
        "context" => {
            let mut wish = ask(Question::Contexts, true);
            wish.known = vec![(format!("{}all", wish.before), "every context".to_owned())];
            wish
        }
        "profile" => ask(Question::Profiles, false),
        "namespace" => ask(Question::Namespaces, false),
        "types" => Wish {
            known: ["Normal", "Warning"]
                .map(|name| (before_last(&typed.part, ',') + name, String::new()))
                .to_vec(),
            ..Wish::default()
        },
        "for" if typed.verbs.first().is_some_and(|verb| verb == "wait") => conditions(),
        "for" => pair(typed, Question::Types),
        _ => plain(arg),
    }
}

/// What `wait` can wait for.
fn conditions() -> Wish {
    let known = [
        ("condition=", "a condition is true, or condition=NAME=VALUE"),
        ("create", "the object exists"),
        ("delete", "the object is gone"),
        ("jsonpath=", "a field exists, or jsonpath=PATH=VALUE"),
    ];
    Wish {
        known: known
            .map(|(form, help)| (form.to_owned(), help.to_owned()))
            .into(),
        goes_on: true,
        ..Wish::default()
    }
}

/// The forms of `get -o`; those that end with an equals sign go on with a template.
const FORMS: [&str; 10] = [
    "wide",
    "json",
    "yaml",
    "kyaml",
    "name",
    "jsonpath=",
    "jsonpath-as-json=",
    "jsonpath-file=",
    "custom-columns=",
    "custom-columns-file=",
];

/// Values that clap knows.
fn plain(arg: &Arg) -> Wish {
    let files = match arg.get_value_hint() {
        ValueHint::DirPath => Some(Directive::Folders),
        ValueHint::FilePath | ValueHint::AnyPath => Some(Directive::Default),
        _ => None,
    };
    let values = arg.get_possible_values().into_iter();
    if arg.get_id() == "output" && values.len() == 0 {
        let known = FORMS.map(|form| (form.to_owned(), String::new()));
        return Wish {
            known: known.into(),
            ..Wish::default()
        };
    }
    Wish {
        known: values
            .filter(|value| !value.is_hide_set())
            .map(|value| {
                let help = value
                    .get_help()
                    .map(ToString::to_string)
                    .unwrap_or_default();
                (value.get_name().to_owned(), first_line(&help))
            })
            .collect(),
        files,
        ..Wish::default()
    }
}

fn word(typed: &Typed, number: usize) -> Wish {
    let first = match typed.verbs.first().map(String::as_str) {
        Some("get" | "describe" | "wait" | "diff" | "search" | "history") => First::Type,
        Some("logs") => First::PodOrPair,
        Some("rollout") if typed.verbs.len() > 1 => return rolled_out(typed, number),
        _ => return other_word(typed, number),
    };
    match (first, number, typed.words.first()) {
        (First::Type, 0, _) => {
            if typed.part.contains('/') {
                return pair(typed, Question::Types);
            }
            let before = before_last(&typed.part, ',');
            let is_get = before.is_empty() && typed.verbs.first().is_some_and(|it| it == "get");
            let works = (
                "works".to_owned(),
                "What a hub wants in clusters".to_owned(),
            );
            Wish {
                question: Some(Question::Types),
                before,
                known: is_get.then_some(works).into_iter().collect(),
                ..Wish::default()
            }
        }
        (First::Type, _, Some(kind)) if !kind.contains('/') => Wish {
            question: Some(names_of(typed, kind)),
            ..Wish::default()
        },
        (First::Type, _, _) => pair(typed, Question::Types),
        (First::PodOrPair, 0, _) if typed.part.contains('/') => pair(typed, Question::Types),
        (First::PodOrPair, 0, _) => Wish {
            question: Some(Question::Names("pods".to_owned())),
            ..Wish::default()
        },
        (First::PodOrPair, _, _) => Wish::default(),
    }
}

/// A word of a verb that reads no objects.
fn other_word(typed: &Typed, number: usize) -> Wish {
    let ask = |question| Wish {
        question: Some(question),
        ..Wish::default()
    };
    let verbs: Vec<_> = typed.verbs.iter().map(String::as_str).collect();
    match (verbs.as_slice(), number) {
        (["clusters", "forget"], _) => ask(Question::Cluster),
        (["config", "use"], 0) => ask(Question::Profiles),
        (["config", "groups", _], 0) => ask(Question::Groups),
        (["config", "groups", _], _) => ask(Question::Clusters),
        (["config", "set" | "unset"], 0) => Wish {
            known: keys(),
            ..Wish::default()
        },
        _ => {
            let arg = typed.command.get_positionals().nth(number);
            arg.map(plain).unwrap_or_default()
        }
    }
}

/// The keys of the configuration file.
fn keys() -> Vec<(String, String)> {
    let keys = settings::all().into_iter().map(|setting| setting.key);
    keys.map(|key| (key, String::new())).collect()
}

/// `TYPE/NAME`: a type first, then the name.
fn pair(typed: &Typed, types: Question) -> Wish {
    match typed.part.split_once('/') {
        None => Wish {
            question: Some(types),
            goes_on: true,
            ..Wish::default()
        },
        Some((kind, _)) => Wish {
            question: Some(names_of(typed, kind)),
            before: format!("{kind}/"),
            ..Wish::default()
        },
    }
}

/// What is asked for the names of objects of a type: `get` calls works what a hub has.
fn names_of(typed: &Typed, kind: &str) -> Question {
    let verb = typed.verbs.first().map_or("", String::as_str);
    match (verb, Kind::of(kind)) {
        ("get", Some(Kind::Work)) if kind.starts_with("work") => Question::OfHub(Kind::Work),
        ("rollout", Some(hubs)) if hubs.is_hubs() => Question::OfHub(hubs),
        _ => Question::Names(kind.to_owned()),
    }
}

/// A word of `rollout status`: a type that has one, then a name.
fn rolled_out(typed: &Typed, number: usize) -> Wish {
    let first = typed.words.first();
    match (number, typed.part.contains('/'), first) {
        (0, false, _) => Wish {
            known: Kind::WORDS
                .map(|(word, of)| (word.to_owned(), of.to_owned()))
                .into(),
            goes_on: true,
            ..Wish::default()
        },
        (0, true, _) => pair(typed, Question::Types),
        (1, _, Some(kind)) if !kind.contains('/') => Wish {
            question: Some(names_of(typed, kind)),
            ..Wish::default()
        },
        _ => Wish::default(),
    }
}

/// What stands before the last part of a list, its comma and an exclamation mark included.
fn before_last(part: &str, separator: char) -> String {
    let end = part
        .rfind(separator)
        .map_or(0, |at| at + separator.len_utf8());
    let (before, last) = part.split_at(end);
    match last.starts_with('!') {
        true => format!("{before}!"),
        false => before.to_owned(),
    }
}

fn first_line(help: &str) -> String {
    let line = help.lines().next().unwrap_or_default();
    line.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Cli;
    use clap::CommandFactory;

    fn completed(line: &str, answers: &[&str]) -> (Option<Question>, String) {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let typed = Typed::read(Cli::command(), &words);
        let wish = wish(&typed);
        let answers = answers.iter().map(|answer| (*answer).to_owned()).collect();
        let lines = lines(&typed, &wish, &answers);
        // Descriptions are the help's own words.
        let names = lines.lines().map(|line| line.split('\t').next().unwrap());
        (wish.question, names.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn what_is_asked_and_what_is_offered() {
        let names = |kind: &str| Some(Question::Names(kind.into()));
        for (line, answers, question, want) in [
            ("ver", &[][..], None, "version :4"),
            (
                "get pods -o js",
                &[],
                None,
                "json jsonpath= jsonpath-as-json= jsonpath-file= :4",
            ),
            (
                "get pods -o cu",
                &[],
                None,
                "custom-columns= custom-columns-file= :6",
            ),
            (
                "clusters forget e",
                &["east"],
                Some(Question::Cluster),
                "east :4",
            ),
            (
                "config use p",
                &["prod"],
                Some(Question::Profiles),
                "prod :4",
            ),
            (
                "config groups delete e",
                &["eu"],
                Some(Question::Groups),
                "eu :4",
            ),
            ("config unset password-", &[], None, "password-file :4"),
            (
                "get pods --cluster a,!b",
                &["bern", "a"],
                Some(Question::Clusters),
                "a,!bern :4",
            ),
            (
                "get pods --context ",
                &["kind-a"],
                Some(Question::Contexts),
                "all kind-a :4",
            ),
            (
                "get po",
                &["pods", "nodes"],
                Some(Question::Types),
                "pods :4",
            ),
            (
                "get svc,po",
                &["pods"],
                Some(Question::Types),
                "svc,pods :4",
            ),
            ("get pods w", &["web", "db"], names("pods"), "web :4"),
            ("get pod/w", &["web"], names("pod"), "pod/web :4"),
            (
                "get pod/web deploy/",
                &["web"],
                names("deploy"),
                "deploy/web :4",
            ),
            (
                "events --for po",
                &["pods"],
                Some(Question::Types),
                "pods :6",
            ),
            ("events --types W", &[], None, "Warning :4"),
            (
                "get wor",
                &["workloads"],
                Some(Question::Types),
                "works workloads :4",
            ),
            (
                "get works w",
                &["web"],
                Some(Question::OfHub(Kind::Work)),
                "web :4",
            ),
            (
                "get work/w",
                &["web"],
                Some(Question::OfHub(Kind::Work)),
                "work/web :4",
            ),
            (
                "get manifestworks w",
                &["web"],
                names("manifestworks"),
                "web :4",
            ),
            ("rollout status d", &[], None, "daemonset deployment :6"),
            (
                "rollout status deploy/",
                &["web"],
                names("deploy"),
                "deploy/web :4",
            ),
            (
                "rollout status mwrs w",
                &["web"],
                Some(Question::OfHub(Kind::ReplicaSet)),
                "web :4",
            ),
            ("rollout status work/web w", &[], None, ":4"),
            ("logs ", &["web-0"], names("pods"), "web-0 :4"),
            ("logs deploy/", &["web"], names("deploy"), "deploy/web :4"),
            (
                "get pods -n ",
                &["shop"],
                Some(Question::Namespaces),
                "shop :4",
            ),
            ("get pods --kubeconfig ", &[], None, ":0"),
            ("get pods --show-l", &[], None, "--show-labels :4"),
            (
                "get pods w",
                &["web\nevil", "web\x1b", "web;sh", "web$(sh)", "web sh"],
                names("pods"),
                ":4",
            ),
        ] {
            assert_eq!(
                completed(line, answers),
                (question, want.to_owned()),
                "{line}"
            );
        }
    }

    #[test]
    fn every_verb_that_people_see_is_offered() {
        let (_, offered) = completed("", &[]);
        let command = Cli::command();
        for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
            assert!(offered.contains(verb.get_name()), "{}", verb.get_name());
        }
    }
}
