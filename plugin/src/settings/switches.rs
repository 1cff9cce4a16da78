//! Switches with a value, as kubectl's may be written: `--watch=true`, `--no-headers=false`, `-A=true`.

use clap::{ArgAction, Command};
use std::collections::BTreeSet;
use std::ffi::OsString;

/// The words with `--switch=true` as `--switch`, and without `--switch=false`. Other values are left to be refused.
pub(super) fn plain(words: &[OsString], command: &Command) -> Vec<OsString> {
    let mut switches = BTreeSet::new();
    gather(command, &mut switches);
    let mut over = false;
    let plain = |word: &OsString| {
        over |= word == "--";
        let (flag, value) = word.to_str().filter(|_| !over)?.split_once('=')?;
        switches.contains(flag).then_some(())?;
        // strconv.ParseBool.
        match value {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(Some(OsString::from(flag))),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(None),
            _ => None,
        }
    };
    let mut plain = plain;
    words
        .iter()
        .filter_map(|word| plain(word).unwrap_or_else(|| Some(word.clone())))
        .collect()
}

fn gather(command: &Command, switches: &mut BTreeSet<String>) {
    for argument in command.get_arguments() {
        if matches!(argument.get_action(), ArgAction::SetTrue) {
            switches.extend(argument.get_long().map(|long| format!("--{long}")));
            switches.extend(argument.get_short().map(|short| format!("-{short}")));
        }
    }
    command
        .get_subcommands()
        .for_each(|command| gather(command, switches));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Cli;
    use clap::CommandFactory;

    #[test]
    fn switches_may_have_values() {
        for (words, want) in [
            ("get pods --watch=true -n x", "get pods --watch -n x"),
            (
                "get --no-headers=false --show-labels=T",
                "get --show-labels",
            ),
            ("get pods -A=true -w=false", "get pods -A"),
            ("get --watch=maybe", "get --watch=maybe"),
            ("get pods -n=true", "get pods -n=true"),
            ("get --selector=true", "get --selector=true"),
            ("get -- --watch=true", "get -- --watch=true"),
        ] {
            let words: Vec<OsString> = words.split(' ').map(OsString::from).collect();
            let got = plain(&words, &Cli::command());
            let want: Vec<OsString> = want.split(' ').map(OsString::from).collect();
            assert_eq!(got, want);
        }
    }
}
