//! `kubectl mqinformer`: many Kubernetes clusters through an MQTT broker, as if they were local.
//!
//! # Layers
//! | module | what it is | what it never does |
//! |---|---|---|
//! | [`table`] | rows of many clusters as one table | IO, clocks; knows neither broker nor terminal |
//! | [`mod@print`] | kubectl's bytes: tables, JSON, YAML, names; of `table` | IO, clocks; knows no broker |
//! | [`get`] | a `get` as a state machine | IO, clocks, async |
//! | [`describe`] | objects and what belongs to them, as `kubectl describe` writes them | IO, clocks, async |
//! | [`wait`] | what `wait --for` waits for, looked for in an object | IO, clocks, async |
//! | [`events`] | events in the order of time, as kubectl prints them | IO, clocks, async |
//! | [`logs`] | which logs to read, and their lines | IO, clocks, async |
//! | [`complete`] | what a shell may complete | IO, clocks, async |
//! | [`diff`] | objects of several clusters, compared | IO, clocks |
//! | [`filter`] | `--filter`, and how printed columns compare | IO, clocks |
//! | [`tui`] | the live screen: state, what happens to it, how it looks | IO, clocks, async |
//! | [`cache`] | copies on this disk, from one command to the next | shows anything |
//! | [`commands`] | one file a verb: words in, informer and terminal around the above | |
//! | [`settings`] | the command line over the environment over the configuration file | knows a setting by name |
//! | [`scope`] | where the clusters are: behind a broker, or | |
//! | [`direct`] | the clusters of kubeconfig contexts, served in this process | a broker |
//! | [`terminal`] | stdout, stderr, progress | knows what is printed |
//! | [`error`] | words and exit codes | |

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod args;
pub mod cache;
mod clock;
pub mod commands;
pub mod complete;
pub mod describe;
pub mod diff;
pub mod direct;
pub mod error;
pub mod events;
pub mod filter;
pub mod get;
pub mod logs;
pub mod print;
pub mod rollout;
pub mod scope;
pub mod settings;
pub mod table;
pub mod terminal;
pub mod tui;
mod unsupported;
pub mod wait;

use args::{Cli, Command};
use clap::CommandFactory;
use error::Failure;
use mqtt_informer::cli::asked_to_stop;
use scope::Scope;
use settings::Unread;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;
use terminal::Terminal;

/// How long what is left of a command may take to end.
const GOODBYE: Duration = Duration::from_millis(100);

/// Runs a command line, its first word being the program's name, and says what went wrong.
pub fn main(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let failure = match run(words) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(failure) => failure,
    };
    if let Some(line) = failure.line() {
        // Nothing is left to be done when stderr is closed.
        let _ = writeln!(std::io::stderr(), "{line}");
    }
    ExitCode::from(failure.exit_code())
}

fn run(words: impl IntoIterator<Item = OsString>) -> Result<(), Failure> {
    let mut words: Vec<OsString> = words.into_iter().collect();
    // Alone on a terminal it is the screen; alone in a script it is a mistake.
    if words.len() == 1 && commands::tui::is_possible() {
        words.push("tui".into());
    }
    if let Some(words) = commands::complete::asked(&words) {
        return commands::complete::answer(&words);
    }
    let said = match settings::read(&words) {
        Ok(said) => said,
        Err(Unread::Words(error)) => return explain(&error, &words),
        Err(Unread::File(line)) => {
            writeln!(std::io::stderr(), "{line}")?;
            return Err(Failure::Told(1));
        }
    };
    log();
    let mut terminal = Terminal::new();
    match &said.cli.command {
        Command::Config(args) => return commands::config::run(args, &said, &mut terminal),
        Command::Completion(args) => return commands::complete::run(args, &mut terminal),
        Command::Man(args) => return commands::man::run(args, &mut terminal),
        _ => {}
    }
    let scope = match said.scope() {
        Ok(scope) => scope,
        Err(line) => {
            terminal.err(&line)?;
            return Err(Failure::Told(1));
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let result = runtime.block_on(command(&said.cli.command, &scope, &mut terminal));
    // Tasks end with what they started; a name that is still being looked up is not waited for.
    runtime.shutdown_timeout(GOODBYE);
    scope.finish(&mut terminal)?;
    result
}

async fn command(command: &Command, scope: &Scope, terminal: &mut Terminal) -> Result<(), Failure> {
    match command {
        Command::Get(args) => commands::get::run(args, scope, terminal).await,
        Command::Tui(args) | Command::Watch(args) => {
            commands::tui::run(args, scope, terminal).await
        }
        Command::Describe(args) => commands::describe::run(args, scope, terminal).await,
        Command::ApiResources(args) => commands::api_resources::run(args, scope, terminal).await,
        Command::Wait(args) => commands::wait::run(args, scope, terminal).await,
        Command::Rollout(args) => commands::rollout::run(args, scope, terminal).await,
        Command::Events(args) => commands::events::run(args, scope, terminal).await,
        Command::Logs(args) => commands::logs::run(args, scope, terminal).await,
        Command::Diff(args) => commands::diff::run(args, scope, terminal).await,
        Command::Search(args) => interruptible(commands::search::run(args, scope, terminal)).await,
        Command::History(args) => {
            interruptible(commands::history::run(args, scope, terminal)).await
        }
        Command::Clusters(args) => {
            interruptible(commands::clusters::run(args, scope, terminal)).await
        }
        Command::Demo(args) => commands::demo::run(args, terminal).await,
        Command::Version(args) => {
            interruptible(commands::version::run(args, scope, terminal)).await
        }
        // They are about the words themselves, and were run before anything was made of them.
        Command::Config(_) | Command::Completion(_) | Command::Man(_) => Ok(()),
    }
}

/// Ends a command that is interrupted as if it were done, so that nothing that it started outlives it.
async fn interruptible(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::select! {
        result = command => result,
        () = asked_to_stop() => Err(Failure::Told(130)),
    }
}

/// Help and version are what was asked for; everything else is an error in one line.
fn explain(error: &clap::Error, words: &[OsString]) -> Result<(), Failure> {
    use clap::error::ErrorKind;
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            Ok(write!(std::io::stdout(), "{}", error.render())?)
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            write!(std::io::stderr(), "{}", error.render())?;
            Err(Failure::Told(1))
        }
        _ => {
            let command_line = Cli::command();
            let verbs = command_line
                .get_subcommands()
                .map(|command| command.get_name());
            let verbs: Vec<_> = verbs.collect();
            let verb = words
                .get(1)
                .and_then(|word| word.to_str())
                .filter(|word| verbs.contains(word));
            let command = std::iter::once("kubectl mqinformer")
                .chain(verb)
                .collect::<Vec<_>>()
                .join(" ");
            writeln!(std::io::stderr(), "{}", error::usage(error, &command))?;
            Err(Failure::Told(1))
        }
    }
}

/// What the library has to tell goes to stderr when RUST_LOG asks for it: a person who looks at pods is told what
/// matters by the command itself.
fn log() {
    if std::env::var_os("RUST_LOG").is_some() {
        mqtt_informer::cli::log_to_stderr();
    }
}
