//! Where a value came from.

use super::ReadFile;
use clap::ArgMatches;
use clap::parser::ValueSource;

/// Where a value came from, the farthest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// This line of the configuration file.
    File {
        /// Counted from 1; 0 if it could not be found.
        line: usize,
    },
    /// Its environment variable.
    Environment,
    /// Its flag.
    Flag,
}

impl Origin {
    /// Where the value of an argument came from.
    pub(super) fn of(matches: &ArgMatches, id: &str, file: Option<&ReadFile>) -> Self {
        // A command without this argument has no value of it from anywhere.
        let known = matches.try_contains_id(id).is_ok();
        match known.then(|| matches.value_source(id)).flatten() {
            Some(ValueSource::CommandLine) => Self::Flag,
            Some(ValueSource::EnvVariable) => Self::Environment,
            _ => match file.and_then(|file| file.values.get(id)) {
                Some(value) => Self::File { line: value.line },
                None => Self::Default,
            },
        }
    }

    /// What is said nearer to the command has the higher rank.
    pub(super) fn rank(self) -> u8 {
        match self {
            Self::Default => 0,
            Self::File { .. } => 1,
            Self::Environment => 2,
            Self::Flag => 3,
        }
    }
}
