//! Where every setting comes from: the command line, over the environment, over the configuration file, over defaults.
//!
//! A setting is an argument of some command that has an environment variable. Its one description is that argument:
//! the file's key is the name of its flag, the file's values are checked by its parser, and become its defaults
//! before the command line is read. So a new argument with a variable is at once a key of the file and a line of
//! `config view`.
//!
//! | module | what it is |
//! |---|---|
//! | [`mod@file`] | the text of the configuration file, and what is wrong with it: pure |
//! | [`locate`] | which file |
//! | `order` | flags before the verb |
//! | `switches` | `--watch=true`, as kubectl's switches may be written |
//! | [`origin`] | where a value came from |

pub mod file;
pub mod locate;
pub(crate) mod order;
pub mod origin;
mod switches;

use crate::args::{Cli, Command as Verb};
use crate::cache::{Cache, Limits, label};
use crate::direct::{Contexts, Location};
use crate::get::Groups;
use crate::scope::{Place, Scope};
use clap::builder::Resettable;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches, ValueHint};
use file::{File, Values};
use mqtt_informer::cli::BrokerArgs;
use origin::Origin;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// These choose the file, so they cannot be in it.
const ABOUT_THE_FILE: [&str; 2] = ["config", "profile"];

/// One setting.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The key in the file, and the flag without its hyphens.
    pub key: String,
    /// The environment variable.
    pub variable: String,
    /// The argument's name in the program.
    pub(crate) id: String,
    argument: Arg,
}

impl Setting {
    /// It may have several values.
    pub fn is_list(&self) -> bool {
        matches!(self.argument.get_action(), ArgAction::Append)
    }

    /// It is true or false.
    pub fn is_switch(&self) -> bool {
        matches!(self.argument.get_action(), ArgAction::SetTrue)
            || self.argument.get_num_args() == Some((0..=1).into())
    }

    /// It is a path.
    pub fn is_path(&self) -> bool {
        matches!(
            self.argument.get_value_hint(),
            ValueHint::AnyPath | ValueHint::FilePath
        )
    }

    /// The flag: `--broker`.
    pub fn flag(&self) -> String {
        format!("--{}", self.argument.get_long().unwrap_or(&self.key))
    }
}

/// Every setting, those of all commands first.
pub fn all() -> Vec<Setting> {
    let mut found = Vec::new();
    gather(&Cli::command(), &mut found);
    found
}

fn gather(command: &Command, found: &mut Vec<Setting>) {
    for argument in command.get_arguments() {
        let id = argument.get_id().to_string();
        let known = found.iter().any(|setting| setting.id == id);
        if let (Some(variable), Some(long)) = (argument.get_env(), argument.get_long())
            && !known
            && !ABOUT_THE_FILE.contains(&id.as_str())
        {
            found.push(Setting {
                key: long.to_lowercase(),
                variable: variable.to_string_lossy().into_owned(),
                id,
                argument: argument.clone(),
            });
        }
    }
    command
        .get_subcommands()
        .for_each(|command| gather(command, found));
}

/// What was said, by whatever means.
#[derive(Debug)]
pub struct Said {
    /// The command line with everything that lies under it.
    pub cli: Cli,
    /// The configuration file, if there is one.
    pub file: Option<ReadFile>,
    /// Where it is, or would be; none without a home.
    pub path: Option<PathBuf>,
    /// The innermost command's.
    matches: ArgMatches,
}

/// A configuration file that was read.
#[derive(Debug)]
pub struct ReadFile {
    /// Where it is.
    pub path: PathBuf,
    /// The names of its profiles.
    pub profiles: Vec<String>,
    /// The profile in use.
    pub profile: Option<String>,
    /// What it says, that profile over the rest.
    values: Values,
    /// Names for lists of clusters.
    pub groups: Groups,
}

/// Why nothing could be made of what was said.
#[derive(Debug)]
pub enum Unread {
    /// The command line, the environment; or help was asked for.
    Words(clap::Error),
    /// The configuration file: a line for stderr.
    File(String),
}

/// Reads the command line, the environment and the configuration file.
///
/// # Errors
/// When something in them makes no sense.
pub fn read(words: &[OsString]) -> Result<Said, Unread> {
    let words = &order::verb_first(words, &Cli::command());
    let words = &switches::plain(words, &Cli::command());
    let environment = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let settings = all();
    let bare = under(Cli::command(), &Values::new());
    // Help and mistakes do not need a file; a broken file must not be in the way of help.
    let bare = bare.try_get_matches_from(words).map_err(Unread::Words)?;
    let located = locate::file(words, &environment);
    let path = located.as_ref().map(|located| located.path.clone());
    // What writes the file may begin it.
    let located = located.map(|located| locate::Located {
        named: located.named && !writes_the_file(&bare),
        ..located
    });
    let mut file = match located {
        None => None,
        Some(located) => {
            let profile = locate::word(words, "profile")
                .or_else(|| environment("MQINFORMER_PROFILE"))
                .map(|name| name.to_string_lossy().into_owned());
            read_file(located, profile, &settings).map_err(Unread::File)?
        }
    };
    if let Some(file) = &mut file
        && Origin::of(&innermost(bare), "broker", None) != Origin::Default
    {
        file::leave_login(&mut file.values);
    }
    let values = file
        .as_ref()
        .map(|file| file.values.clone())
        .unwrap_or_default();
    let parsed = under(Cli::command(), &values).try_get_matches_from(words);
    let parsed = parsed.map_err(Unread::Words)?;
    let cli = Cli::from_arg_matches(&parsed).map_err(Unread::Words)?;
    let matches = innermost(parsed);
    Ok(Said {
        cli,
        file,
        path,
        matches,
    })
}

/// Whether the command is one that writes the configuration file.
fn writes_the_file(bare: &ArgMatches) -> bool {
    let cli = Cli::from_arg_matches(bare);
    matches!(cli, Ok(Cli { command: Verb::Config(args), .. }) if args.command.writes())
}

/// Reads a command line, and nothing of the environment or the configuration file.
///
/// # Errors
/// When the words make no sense.
pub fn without_surroundings(words: &[OsString]) -> Result<Cli, clap::Error> {
    fn deaf(command: Command) -> Command {
        let command =
            command.mut_args(|argument| argument.env(Resettable::<clap::builder::OsStr>::Reset));
        command.mut_subcommands(deaf)
    }
    Cli::from_arg_matches(&deaf(Cli::command()).try_get_matches_from(words)?)
}

/// The command with the file's values as its defaults. An empty variable counts as unset.
fn under(command: Command, values: &Values) -> Command {
    let command = command.mut_args(|argument| {
        let is_empty = |name: &OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
        let argument = match argument.get_env().is_some_and(is_empty) {
            true => argument.env(Resettable::<clap::builder::OsStr>::Reset),
            false => argument,
        };
        match values.get(argument.get_id().as_str()) {
            Some(value) => argument.default_values(value.words.clone()),
            None => argument,
        }
    });
    command.mut_subcommands(|command| under(command, values))
}

fn innermost(mut matches: ArgMatches) -> ArgMatches {
    while let Some((_, inner)) = matches.remove_subcommand() {
        matches = inner;
    }
    matches
}

fn read_file(
    located: locate::Located,
    profile: Option<String>,
    settings: &[Setting],
) -> Result<Option<ReadFile>, String> {
    let path = located.path;
    let shown = path.display();
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !located.named => {
            return match profile {
                Some(name) => Err(format!(
                    "error: there is no profile {name:?}: {shown} does not exist"
                )),
                None => Ok(None),
            };
        }
        Err(error) => {
            return Err(format!(
                "error: configuration file {shown} cannot be read: {error}"
            ));
        }
    };
    let wrong = |wrong: file::Wrong| {
        format!(
            "error: {}",
            crate::print::sanitize::word(&format!("{shown}:{wrong}"))
        )
    };
    let file = File::parse(&text, settings).map_err(wrong)?;
    let (profile, mut values) = file.with_profile(profile.as_deref()).map_err(wrong)?;
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let folder = path.parent().unwrap_or(Path::new("."));
    for setting in settings.iter().filter(|setting| setting.is_path()) {
        if let Some(value) = values.get_mut(&setting.id) {
            for word in &mut value.words {
                *word = locate::from_file(word, folder, home.as_deref());
            }
        }
    }
    Ok(Some(ReadFile {
        profiles: file.profiles.keys().cloned().collect(),
        path,
        profile,
        values,
        groups: file.groups,
    }))
}

impl Said {
    /// Where the clusters are: what is said nearer to the command wins.
    ///
    /// # Errors
    /// A line for stderr.
    pub fn scope(&self) -> Result<Scope, String> {
        let groups = self
            .file
            .as_ref()
            .map(|file| file.groups.clone())
            .unwrap_or_default();
        let is_typed = |id: &str| self.origin(id) == Origin::Flag;
        let needs_clusters = match &self.cli.command {
            Verb::Demo(_) if is_typed("context") => {
                return Err("error: a demo has its own clusters; leave --context out".to_owned());
            }
            Verb::Demo(_) | Verb::Config(_) | Verb::Completion(_) | Verb::Man(_) => false,
            Verb::Version(_) => is_typed("context"),
            Verb::Get(_)
            | Verb::Tui(_)
            | Verb::Watch(_)
            | Verb::Describe(_)
            | Verb::ApiResources(_)
            | Verb::Wait(_)
            | Verb::Rollout(_)
            | Verb::Events(_)
            | Verb::Logs(_)
            | Verb::Diff(_)
            | Verb::Search(_)
            | Verb::History(_)
            | Verb::Clusters(_) => true,
        };
        let is_direct = needs_clusters && self.is_direct()?;
        if is_direct && self.cli.cache.offline {
            return Err(
                "error: --offline is for clusters behind a broker: what contexts have is not kept; leave one out"
                    .to_owned(),
            );
        }
        let place = if is_direct {
            let kubeconfig = self.cli.direct.kubeconfig.as_deref();
            let location = match (kubeconfig, is_typed("kubeconfig")) {
                (Some(file), true) => Location::File(Path::new(file)),
                (list, _) => Location::List(list),
            };
            let contexts = Contexts::read(location, &self.cli.direct.context, &groups);
            Place::Contexts(contexts.map_err(|error| error.to_string())?)
        } else {
            Place::Broker(self.cli.broker.clone())
        };
        let cache = match &place {
            Place::Broker(broker) if needs_clusters => self.cache(broker)?,
            _ => None,
        };
        Ok(Scope {
            place,
            cache,
            groups,
            namespace_is_typed: is_typed("namespace"),
            context_is_typed: is_typed("context"),
        })
    }

    /// What is kept of the clusters behind this broker; none without a home.
    fn cache(&self, broker: &BrokerArgs) -> Result<Option<Arc<Cache>>, String> {
        let args = &self.cli.cache;
        let environment = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let folder = locate::cache(&environment).filter(|_| !args.no_cache);
        let Some(folder) = folder else {
            return match args.offline {
                true => Err(
                    "error: --offline needs a cache: leave --no-cache out, and have a HOME"
                        .to_owned(),
                ),
                false => Ok(None),
            };
        };
        let topics = [broker.signal_topic.as_str(), broker.payload_topic.as_str()];
        let identity = label::identity(&broker.broker, broker.username.as_deref(), topics);
        let limits = Limits {
            size: args.cache_size,
            age: args.cache_age,
        };
        Ok(Some(Arc::new(Cache::new(
            folder,
            identity,
            limits,
            args.offline,
        ))))
    }

    fn origin(&self, id: &str) -> Origin {
        Origin::of(&self.matches, id, self.file.as_ref())
    }

    fn is_direct(&self) -> Result<bool, String> {
        let context = self.origin("context");
        let others = [("broker", "--broker"), ("cluster", "--cluster")];
        if self.cli.direct.context.is_empty() {
            return match self.origin("kubeconfig") {
                Origin::Flag => Err(
                    "error: --kubeconfig is for --context: name contexts with it, or \"all\""
                        .into(),
                ),
                _ => Ok(false),
            };
        }
        let nearer = others
            .iter()
            .filter(|(id, _)| self.origin(id).rank() > context.rank())
            .count();
        match (
            context,
            others
                .iter()
                .find(|(id, _)| self.origin(id) == Origin::Flag),
        ) {
            (Origin::Flag, Some((_, flag @ "--cluster"))) => Err(format!(
                "error: {flag} and --context cannot be used together: with --context the clusters are its contexts; \
                 leave some out by --context 'kind-*,!kind-old'"
            )),
            (Origin::Flag, Some((_, flag))) => Err(format!(
                "error: {flag} and --context cannot be used together: contexts are reached without a broker"
            )),
            _ => Ok(nearer == 0),
        }
    }

    /// The settings that are on the command line, with their words.
    pub fn typed(&self) -> Vec<(Setting, Vec<String>)> {
        let typed = |setting: Setting| match self.value(&setting) {
            (Some(words), Origin::Flag) => Some((setting, words)),
            _ => None,
        };
        all().into_iter().filter_map(typed).collect()
    }

    /// The values of a setting as text, and where they came from; none if it has none, or the command has no such
    /// argument.
    pub fn value(&self, setting: &Setting) -> (Option<Vec<String>>, Origin) {
        let raw = self.matches.try_get_raw(&setting.id).ok().flatten();
        let words = raw.map(|raw| {
            raw.map(|word| word.to_string_lossy().into_owned())
                .collect()
        });
        (words, self.origin(&setting.id))
    }
}
