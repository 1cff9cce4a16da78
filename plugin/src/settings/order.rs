//! Flags before the verb: `kubectl mqinformer -n shop get pods`, as kubectl takes them.

use clap::{Arg, ArgAction, Command};
use std::collections::BTreeSet;
use std::ffi::OsString;

/// What ends the flags, and flags that the program itself answers.
const NOT_THE_VERBS: [&str; 5] = ["--", "--help", "-h", "--version", "-V"];

/// The words with the verb before the flags that stand before it. Anything else is left as it is, to be refused.
pub(crate) fn verb_first(words: &[OsString], command: &Command) -> Vec<OsString> {
    let mut words = words.to_vec();
    if let Some(at) = verb(&words, command)
        && let Some(moved) = words.get_mut(1..=at)
    {
        moved.rotate_right(1);
    }
    words
}

/// Where the verb stands, if only flags and their values are before it.
fn verb(words: &[OsString], command: &Command) -> Option<usize> {
    let takers = takers(command);
    let mut at = 1;
    let mut is_the_verbs = false;
    loop {
        let word = words.get(at)?.to_str()?;
        if command.find_subcommand(word).is_some() {
            return is_the_verbs.then_some(at);
        }
        if !word.starts_with('-') || NOT_THE_VERBS.contains(&word) {
            return None;
        }
        is_the_verbs |= !is_global(word, command);
        at += if takers.contains(word) { 2 } else { 1 };
    }
}

/// Whether a flag is one of the program's own, which may stand anywhere.
fn is_global(word: &str, command: &Command) -> bool {
    let flag = word.split('=').next().unwrap_or_default();
    command.get_arguments().any(|argument| {
        argument.get_long().is_some() && flag.strip_prefix("--") == argument.get_long()
    })
}

/// The flags, of whichever verb, whose value is the next word.
fn takers(command: &Command) -> BTreeSet<String> {
    let verbs = command.get_subcommands().flat_map(Command::get_arguments);
    let all = command.get_arguments().chain(verbs);
    all.filter(|argument| takes_next(argument))
        .flat_map(|argument| {
            let long = argument.get_long().map(|long| format!("--{long}"));
            let short = argument.get_short().map(|short| format!("-{short}"));
            long.into_iter().chain(short)
        })
        .collect()
}

/// Whether the next word is the flag's value.
pub(crate) fn takes_next(argument: &Arg) -> bool {
    let takes = matches!(argument.get_action(), ArgAction::Set | ArgAction::Append);
    let may_lack = argument
        .get_num_args()
        .is_some_and(|range| range.min_values() == 0);
    takes && !may_lack
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Cli;
    use clap::CommandFactory;

    #[test]
    fn the_verb_comes_first() {
        for (words, want) in [
            ("p get pods -n x", "p get pods -n x"),
            ("p -n shop get pods", "p get -n shop pods"),
            ("p -n get get pods", "p get -n get pods"),
            (
                "p --cluster=a -A get pods -w",
                "p get --cluster=a -A pods -w",
            ),
            (
                "p --broker tcp://h -f logs web",
                "p logs --broker tcp://h -f web",
            ),
            (
                "p --broker tcp://h --offline clusters forget e",
                "p --broker tcp://h --offline clusters forget e",
            ),
            ("p -n shop nosuch pods", "p -n shop nosuch pods"),
            ("p -n", "p -n"),
            ("p -- get", "p -- get"),
            ("p --help get", "p --help get"),
        ] {
            let words: Vec<OsString> = words.split(' ').map(OsString::from).collect();
            let got = verb_first(&words, &Cli::command());
            let want: Vec<OsString> = want.split(' ').map(OsString::from).collect();
            assert_eq!(got, want);
        }
    }
}
