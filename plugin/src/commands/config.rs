//! `config`: what is set, and where that was said; and the file written, so that nobody has to.

mod change;

use super::clusters::aligned;
use super::{ClusterArgs, HubArgs, NamespaceArgs, TimeoutArgs};
use crate::error::Failure;
use crate::print::{json, sanitize, yaml};
use crate::settings::origin::Origin;
use crate::settings::{Said, Setting, all};
use crate::terminal::Terminal;
use change::{GroupsArgs, SetArgs, SetBrokerArgs, UnsetArgs, UseArgs};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

/// Show what is set, and where that was said; change the configuration file.
///
/// Every setting can be a flag, an environment variable, or a key of the configuration file; the flag wins over the
/// variable, and that over the file. The file is ~/.config/mqinformer/config.yaml (XDG_CONFIG_HOME counts), or what
/// --config or MQINFORMER_CONFIG says.
///
/// Its keys are the names of the flags. Under "profiles", a name has settings that go before the others when it is
/// chosen by --profile, or is the current-profile. Under "groups", a name has a list of clusters: --cluster @name.
/// Paths are relative to the file, and ~/ is the home directory. A password cannot be in it: put that into a file of
/// its own, which password-file names.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  # ~/.config/mqinformer/config.yaml
  broker: mqtts://broker.example.com
  username: me
  password-file: ~/.config/mqinformer/password
  timeout: 10s
  current-profile: prod
  profiles:
    prod: {cluster: [\"@eu\", us-1]}
    lab: {broker: tcp://127.0.0.1:1883, username: nobody}
  groups:
    eu: [\"eu-*\", \"!eu-old\"]

  # The same without an editor
  kubectl mqinformer config set-broker lab tcp://127.0.0.1:1883 --username nobody
  kubectl mqinformer config use lab
  kubectl mqinformer config set timeout 10s
  kubectl mqinformer config groups set eu 'eu-*' '!eu-old'

  # What that amounts to
  kubectl mqinformer config view
  kubectl mqinformer config view --profile lab -o json")]
pub struct ConfigArgs {
    #[command(subcommand)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub command: ConfigCommand,
}

/// What can be done with the configuration.
#[derive(Clone, Debug, Subcommand)]
#[expect(
    missing_docs,
    reason = "a doc comment here would replace the command's help"
)]
pub enum ConfigCommand {
    View(ViewArgs),
    SetBroker(SetBrokerArgs),
    Use(UseArgs),
    Set(SetArgs),
    Unset(UnsetArgs),
    Groups(GroupsArgs),
}

impl ConfigCommand {
    /// Whether it writes the file, which need not be there before.
    pub fn writes(&self) -> bool {
        match self {
            Self::View(_) => false,
            Self::Groups(args) => args.command.is_some(),
            Self::SetBroker(_) | Self::Use(_) | Self::Set(_) | Self::Unset(_) => true,
        }
    }
}

/// Show the value of each setting, and where it came from.
///
/// FROM is a flag, an environment variable, a line of the configuration file, or the default. Passwords are never
/// shown.
#[derive(Clone, Debug, Args)]
pub struct ViewArgs {
    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub clusters: ClusterArgs,
    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub namespace: NamespaceArgs,
    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub hub: HubArgs,
    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub timeouts: TimeoutArgs,

    /// How to print: json or yaml.
    #[arg(long, short, value_name = "FORM", hide_possible_values = true)]
    pub output: Option<ViewForm>,
}

/// The forms of `-o`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ViewForm {
    /// `{"settings": [...]}`
    Json,
    /// The same as YAML.
    Yaml,
}

/// One setting as it is shown.
struct Shown {
    name: String,
    value: Value,
    from: From,
}

enum From {
    Default,
    File(String, usize),
    Environment(String),
    Flag(String),
}

/// Shows the settings, or changes them.
pub fn run(args: &ConfigArgs, said: &Said, terminal: &mut Terminal) -> Result<(), Failure> {
    match &args.command {
        ConfigCommand::View(args) => view(args, said, terminal),
        ConfigCommand::SetBroker(args) => change::set_broker(args, said, terminal),
        ConfigCommand::Use(args) => change::use_profile(args, said, terminal),
        ConfigCommand::Set(args) => change::set(args, said, terminal),
        ConfigCommand::Unset(args) => change::unset(args, said, terminal),
        ConfigCommand::Groups(args) => change::groups(args, said, terminal),
    }
}

fn view(args: &ViewArgs, said: &Said, terminal: &mut Terminal) -> Result<(), Failure> {
    let password = std::env::var_os("BROKER_PASSWORD").is_some_and(|value| !value.is_empty());
    let mut shown: Vec<_> = all().iter().map(|setting| shown(setting, said)).collect();
    let place = shown
        .iter()
        .position(|shown| shown.name == "password-file")
        .unwrap_or(shown.len());
    shown.insert(place, password_shown(password));
    let text = match args.output {
        None => table(&shown),
        Some(ViewForm::Json) => json::document(&document(&shown, said), Terminal::audience()),
        Some(ViewForm::Yaml) => yaml::document(&document(&shown, said), Terminal::audience()),
    };
    terminal.out(&text)
}

fn shown(setting: &Setting, said: &Said) -> Shown {
    let (words, origin) = said.value(setting);
    let mut words = words.unwrap_or_default();
    if setting.key == "broker" {
        words.iter_mut().for_each(|url| *url = without_login(url));
    }
    let value = match words.as_slice() {
        _ if setting.is_list() => json!(words),
        [word] if setting.is_switch() => Value::Bool(word == "true"),
        [word] => Value::from(word.as_str()),
        _ if setting.is_switch() => Value::Bool(false),
        _ => Value::Null,
    };
    let path = || {
        said.file
            .as_ref()
            .map(|file| file.path.display().to_string())
            .unwrap_or_default()
    };
    let from = match origin {
        Origin::Default => From::Default,
        Origin::File { line } => From::File(path(), line),
        Origin::Environment => From::Environment(setting.variable.clone()),
        Origin::Flag => From::Flag(setting.flag()),
    };
    Shown {
        name: setting.key.clone(),
        value,
        from,
    }
}

fn password_shown(is_set: bool) -> Shown {
    let (value, from) = match is_set {
        true => (
            Value::from(HIDDEN),
            From::Environment("BROKER_PASSWORD".to_owned()),
        ),
        false => (Value::Null, From::Default),
    };
    Shown {
        name: "password".to_owned(),
        value,
        from,
    }
}

/// What stands for what is not shown.
const HIDDEN: &str = "***";

/// A URL without what stands before its `@`, which may be a password.
fn without_login(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{HIDDEN}@{host}"),
        (None, Some((_, host))) => format!("{HIDDEN}@{host}"),
        _ => url.to_owned(),
    }
}

fn table(shown: &[Shown]) -> String {
    let line = |shown: &Shown| {
        let value = match &shown.value {
            Value::Null => "<none>".to_owned(),
            Value::Array(words) if words.is_empty() => "<none>".to_owned(),
            Value::Array(words) => words
                .iter()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
                .join(","),
            Value::String(word) => word.clone(),
            other => other.to_string(),
        };
        let from = match &shown.from {
            From::Default => "default".to_owned(),
            From::File(path, line) => format!("{path}:{line}"),
            From::Environment(name) if shown.name == "password" => format!("set by {name}"),
            From::Environment(name) => format!("env {name}"),
            From::Flag(flag) => format!("flag {flag}"),
        };
        [shown.name.clone(), value, from].map(|text| sanitize::word(&text).into_owned())
    };
    let headers = ["SETTING", "VALUE", "FROM"].map(str::to_owned);
    aligned(std::iter::once(headers).chain(shown.iter().map(line)))
}

fn document(shown: &[Shown], said: &Said) -> Value {
    let entry = |shown: &Shown| {
        let from = match &shown.from {
            From::Default => json!({ "kind": "default" }),
            From::File(path, line) => json!({ "kind": "file", "file": path, "line": line }),
            From::Environment(name) => json!({ "kind": "environment", "name": name }),
            From::Flag(flag) => json!({ "kind": "flag", "name": flag }),
        };
        json!({ "name": shown.name, "value": shown.value, "from": from })
    };
    let file = said.file.as_ref();
    json!({
        "file": file.map(|file| file.path.display().to_string()),
        "profile": file.and_then(|file| file.profile.clone()),
        "settings": shown.iter().map(entry).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_in_a_url_is_hidden() {
        for (url, want) in [
            ("mqtts://me:secret@host:1", "mqtts://***@host:1"),
            ("mqtts://me:se@cret@host", "mqtts://***@host"),
            ("me:secret@host", "***@host"),
            ("tcp://host", "tcp://host"),
        ] {
            assert_eq!(without_login(url), want);
        }
    }
}
