//! `config` as it writes the file: each verb is one change, checked as the file is checked when it is read.

use crate::error::Failure;
use crate::get::{ClusterSelector, Groups};
use crate::print::sanitize;
use crate::settings::file::edit::{Change, edit};
use crate::settings::file::{File, LOGIN};
use crate::settings::{Said, Setting, all};
use crate::terminal::Terminal;
use clap::{Args, Subcommand, ValueHint};
use mqtt_informer::link::BrokerOptions;
use serde_yaml::Value;
use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Remember a broker under a name: a profile.
///
/// What else is typed of --username, --password-file, --tls, --ca-crt, --client-crt, --client-key, --client-id,
/// --signal-topic, --payload-topic, --QoS and the like becomes the profile's too.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  kubectl mqinformer config set-broker prod mqtts://broker.example.com --username me --password-file ~/.mq-password
  kubectl mqinformer config use prod")]
pub struct SetBrokerArgs {
    /// The profile's name.
    pub name: String,
    /// The broker's URL.
    #[arg(value_hint = ValueHint::Url)]
    pub url: String,
}

/// Make a profile the current one.
#[derive(Clone, Debug, Args)]
pub struct UseArgs {
    /// The profile's name.
    pub name: String,
}

/// Set a value in the file.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  kubectl mqinformer config set timeout 10s
  kubectl mqinformer config set cluster @eu us-1 --profile prod")]
pub struct SetArgs {
    /// The name of a flag, without its hyphens.
    pub key: String,
    /// Its value; several of a list.
    #[arg(required = true)]
    pub values: Vec<String>,
}

/// Take a value out of the file.
#[derive(Clone, Debug, Args)]
pub struct UnsetArgs {
    /// The name of a flag, without its hyphens.
    pub key: String,
}

/// Names for lists of clusters: show them, or change them.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  kubectl mqinformer config groups
  kubectl mqinformer config groups set eu 'eu-*' '!eu-old'
  kubectl mqinformer get pods --cluster @eu
  kubectl mqinformer config groups delete eu")]
pub struct GroupsArgs {
    #[command(subcommand)]
    pub command: Option<GroupsCommand>,
}

/// What can be done with groups.
#[derive(Clone, Debug, Subcommand)]
pub enum GroupsCommand {
    /// Make a group, or make it anew.
    Set {
        /// Its name, without the @.
        name: String,
        /// Its clusters: names, patterns with * and ?, and ! before these for all but those.
        #[arg(required = true)]
        clusters: Vec<String>,
    },
    /// Forget a group.
    Delete {
        /// Its name, without the @.
        name: String,
    },
}

/// `config set-broker`.
pub(super) fn set_broker(
    args: &SetBrokerArgs,
    said: &Said,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let mut writing = Writing::begin(said)?;
    let profile = ["profiles", args.name.as_str()];
    let forgot = writing.set_broker(&profile, args.url.as_str().into())?;
    for (setting, words) in said.typed() {
        if setting.key == "broker" {
            return Err(Failure::because(
                "the broker's URL is typed twice: leave --broker out",
            ));
        }
        let value = value(&setting, &absolute(&setting, &words)?);
        writing.change(
            &[profile[0], profile[1], setting.key.as_str()],
            Change::Set(value),
        )?;
    }
    let name = shown(&args.name);
    let current = said.file.as_ref().and_then(|file| file.profile.as_deref());
    let hint = match current == Some(args.name.as_str()) {
        true => String::new(),
        false => format!(" `kubectl mqinformer config use {name}` makes it the current one."),
    };
    writing.finish(
        &format!("Profile \"{name}\" set.{hint}{forgot}\n"),
        terminal,
    )
}

/// `config use`.
pub(super) fn use_profile(
    args: &UseArgs,
    said: &Said,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let known = said.file.as_ref().map(|file| file.profiles.as_slice());
    let known = known.unwrap_or_default();
    if !known.contains(&args.name) {
        let known = match known {
            [] => "the file has none; `kubectl mqinformer config set-broker` makes one".to_owned(),
            known => format!("the file has {}", known.join(", ")),
        };
        return Err(Failure::because(format!(
            "there is no profile {:?}: {known}",
            args.name
        )));
    }
    let mut writing = Writing::begin(said)?;
    writing.change(&["current-profile"], Change::Set(args.name.as_str().into()))?;
    let name = shown(&args.name);
    writing.finish(&format!("Switched to profile \"{name}\".\n"), terminal)
}

/// `config set`.
pub(super) fn set(args: &SetArgs, said: &Said, terminal: &mut Terminal) -> Result<(), Failure> {
    let settings = all();
    let setting = settings.iter().find(|setting| setting.key == args.key);
    let value = match setting {
        Some(setting) => value(setting, &absolute(setting, &args.values)?),
        // Whatever it is, the file's own check says what is wrong with it.
        None => args.values.join(",").into(),
    };
    let mut writing = Writing::begin(said)?;
    let path = path(said, &args.key);
    let forgot = match path.split_last() {
        Some((&"broker", parent)) => writing.set_broker(parent, value)?,
        _ => {
            writing.change(&path, Change::Set(value))?;
            ""
        }
    };
    let key = shown(&args.key);
    writing.finish(&format!("Property \"{key}\" set.{forgot}\n"), terminal)
}

/// `config unset`.
pub(super) fn unset(args: &UnsetArgs, said: &Said, terminal: &mut Terminal) -> Result<(), Failure> {
    let mut writing = Writing::begin(said)?;
    let before = writing.text.clone();
    writing.change(&path(said, &args.key), Change::Remove)?;
    if writing.text == before {
        return Err(Failure::because(format!(
            "{:?} is not set in the file",
            args.key
        )));
    }
    let key = shown(&args.key);
    writing.finish(&format!("Property \"{key}\" unset.\n"), terminal)
}

/// `config groups`.
pub(super) fn groups(
    args: &GroupsArgs,
    said: &Said,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let none = Groups::new();
    let known = said.file.as_ref().map_or(&none, |file| &file.groups);
    match &args.command {
        None if known.is_empty() => terminal.err("No groups found"),
        None => {
            let headers = ["NAME", "CLUSTERS"].map(str::to_owned);
            let line = |(name, words): (&String, &Vec<String>)| {
                [format!("@{name}"), words.join(",")].map(|text| sanitize::word(&text).into_owned())
            };
            let lines = std::iter::once(headers).chain(known.iter().map(line));
            terminal.out(&super::super::clusters::aligned(lines))
        }
        Some(GroupsCommand::Set { name, clusters }) => {
            ClusterSelector::new("group", clusters, &none).map_err(Failure::because)?;
            let name = name.trim_start_matches('@');
            let mut writing = Writing::begin(said)?;
            writing.change(&["groups", name], Change::Set(clusters.clone().into()))?;
            let name = shown(name);
            writing.finish(&format!("Group \"@{name}\" set.\n"), terminal)
        }
        Some(GroupsCommand::Delete { name }) => {
            let name = name.trim_start_matches('@');
            if !known.contains_key(name) {
                return Err(Failure::because(format!(
                    "there is no group {:?} in the file",
                    format!("@{name}")
                )));
            }
            let mut writing = Writing::begin(said)?;
            writing.change(&["groups", name], Change::Remove)?;
            let name = shown(name);
            writing.finish(&format!("Group \"@{name}\" deleted.\n"), terminal)
        }
    }
}

/// Where a key stands: in the profile that was typed, or above all profiles.
fn path<'a>(said: &'a Said, key: &'a str) -> Vec<&'a str> {
    match &said.cli.file.profile {
        Some(profile) => vec!["profiles", profile.as_str(), key],
        None => vec![key],
    }
}

fn shown(name: &str) -> String {
    sanitize::word(name).into_owned()
}

fn value(setting: &Setting, words: &[String]) -> Value {
    let split = |word: &String| word.split(',').map(str::to_owned).collect::<Vec<_>>();
    match words {
        words if setting.is_list() => words.iter().flat_map(split).collect::<Vec<_>>().into(),
        [word] if setting.is_switch() && word == "true" => true.into(),
        [word] if setting.is_switch() && word == "false" => false.into(),
        words => words.join(",").into(),
    }
}

/// Paths of the file are relative to the file; those of a command line to where it was typed.
fn absolute(setting: &Setting, words: &[String]) -> Result<Vec<String>, Failure> {
    let absolute = |word: &String| {
        if word.starts_with("~/") {
            return Ok(word.clone());
        }
        let path = std::path::absolute(word)?;
        Ok(path.to_string_lossy().into_owned())
    };
    match setting.is_path() {
        true => words.iter().map(absolute).collect(),
        false => Ok(words.to_vec()),
    }
}

/// Whether there is something at that place of a file.
fn has(text: &str, path: &[&str]) -> bool {
    let whole = serde_yaml::from_str::<Value>(text).ok();
    path.iter()
        .try_fold(whole.unwrap_or_default(), |value, key| {
            value.get(key).cloned()
        })
        .is_some()
}

/// The file while it is being changed.
struct Writing {
    path: PathBuf,
    text: String,
    is_kept: bool,
}

impl Writing {
    fn begin(said: &Said) -> Result<Self, Failure> {
        let path = said.path.clone().ok_or_else(|| {
            Failure::because(
                "there is no place for a configuration file: set HOME, or name one by --config",
            )
        })?;
        // A file that is a link stays one, and what it leads to is written.
        let path = fs::canonicalize(&path).unwrap_or(path);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(unwritten("read", &path, &error)),
        };
        Ok(Self {
            path,
            text,
            is_kept: true,
        })
    }

    /// Makes a change; what the file could not be read with is refused.
    fn change(&mut self, path: &[&str], change: Change) -> Result<(), Failure> {
        let edited = edit(&self.text, path, &change)
            .ok_or_else(|| Failure::because(format!("{} cannot be set here", path.join("."))))?;
        let settings = all();
        if let Err(wrong) = File::parse(&edited.text, &settings) {
            return Err(Failure::because(wrong.message));
        }
        self.text = edited.text;
        self.is_kept &= edited.is_kept;
        Ok(())
    }

    /// Sets the broker of a mapping. A login that stood beside another one is nobody else's: it goes, and what is to be
    /// said of that comes back.
    fn set_broker(&mut self, parent: &[&str], url: Value) -> Result<&'static str, Failure> {
        BrokerOptions::check_url(url.as_str().unwrap_or_default()).map_err(Failure::because)?;
        let at = |key| [parent, &[key]].concat();
        let before = self.text.clone();
        self.change(&at("broker"), Change::Set(url))?;
        if self.text == before || !has(&before, &at("broker")) {
            return Ok("");
        }
        let changed = self.text.clone();
        for setting in all().iter().filter(|it| LOGIN.contains(&it.id.as_str())) {
            self.change(&at(&setting.key), Change::Remove)?;
        }
        Ok(match self.text == changed {
            true => "",
            false => " The login of the broker before was removed.",
        })
    }

    /// Puts the file in its place, whole, for its owner only.
    fn finish(self, done: &str, terminal: &mut Terminal) -> Result<(), Failure> {
        self.write()
            .map_err(|error| unwritten("written", &self.path, &error))?;
        if !self.is_kept {
            let path = sanitize::word(&self.path.display().to_string()).into_owned();
            terminal.err(&format!(
                "warning: {path} had to be written anew: its comments are lost"
            ))?;
        }
        terminal.out(done)
    }

    fn write(&self) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        // Beside it, since only there it can be renamed; readable by its owner only from the beginning.
        let mut beside = tempfile::NamedTempFile::new_in(folder)?;
        beside.write_all(self.text.as_bytes())?;
        beside
            .as_file()
            .set_permissions(Permissions::from_mode(0o600))?;
        beside.as_file().sync_all()?;
        beside.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }
}

fn unwritten(what: &str, path: &Path, error: &io::Error) -> Failure {
    let path = path.display();
    Failure::because(format!(
        "configuration file {path} cannot be {what}: {error}"
    ))
}
