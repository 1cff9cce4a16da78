//! Errors at the edge: one line `error: ...` that says what to do, and an exit code.

use crate::print::sanitize;
use crate::unsupported;
use std::io;

/// Why a command ends early.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command has already said what there was to say.
    #[error("exit code {0}")]
    Told(u8),
    /// Something is wrong that a person can change.
    #[error("{0:#}")]
    Because(#[from] anyhow::Error),
    /// Whoever read the output has read enough.
    #[error("nobody reads the output any more")]
    BrokenPipe,
}

impl Failure {
    /// An error in these words.
    pub fn because(message: impl std::fmt::Display) -> Self {
        Self::Because(anyhow::anyhow!("{message}"))
    }

    /// 0 for a closed pipe: `kubectl mqinformer get pods | head` is no failure.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Told(code) => *code,
            Self::Because(_) => 1,
            Self::BrokenPipe => 0,
        }
    }

    /// The line for stderr, without its line break; none if there is nothing to say.
    pub fn line(&self) -> Option<String> {
        match self {
            Self::Because(error) => {
                Some(format!("error: {}", sanitize::word(&format!("{error:#}"))))
            }
            Self::Told(_) | Self::BrokenPipe => None,
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            _ => Self::Because(error.into()),
        }
    }
}

/// What clap says of a command line, in one line: what is wrong, what was perhaps meant, where help is.
pub fn usage(error: &clap::Error, command: &str) -> String {
    use clap::error::{ContextKind, ContextValue, ErrorKind};
    if let (ErrorKind::UnknownArgument, Some(ContextValue::String(flag))) =
        (error.kind(), error.get(ContextKind::InvalidArg))
        && let Some(verb) = command.rsplit(' ').next()
        && let Some(why) = unsupported::why(verb, flag)
    {
        return format!("error: {flag} is not supported: {why}; see `{command} --help`");
    }
    let text = error.render().to_string();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines
        .next()
        .unwrap_or("error: this command line cannot be understood");
    let detail: Vec<_> = lines
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
        // What clap adds about values that begin with a hyphen is never what was meant here.
        .filter(|line| !line.starts_with("tip: to pass"))
        .map(|line| line.trim_start_matches("tip: ").trim_matches(['[', ']']))
        .collect();
    let mut line = first.to_owned();
    if !detail.is_empty() {
        line = format!("{} ({})", line, detail.join("; "));
    }
    format!("{}; see `{command} --help`", sanitize::word(&line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_and_nothing_hostile() {
        let failure = Failure::because("bad\nnews\x1b[2J");
        assert_eq!(failure.line().unwrap(), "error: bad^Jnews^[[2J");
        assert_eq!(failure.exit_code(), 1);
        let pipe = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((pipe.line(), pipe.exit_code()), (None, 0));
    }
}
