//! `mqtt-informer ROLE ...`, or by the name it is called by: `syncer ...`.

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use mqtt_informer::agent::{self, AgentArgs};
use mqtt_informer::broker::{self, BrokerRoleArgs};
use mqtt_informer::controlplane::{self, ControlplaneArgs};
use mqtt_informer::hub::{self, HubArgs};
use mqtt_informer::syncer::{self, SyncerArgs};
use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// Kubernetes informers over MQTT: see clusters that nobody can reach.
#[derive(Parser)]
#[command(
    name = "mqtt-informer",
    version,
    subcommand_required = true,
    arg_required_else_help = true
)]
struct Program {
    #[command(subcommand)]
    role: Role,
}

#[derive(Subcommand)]
enum Role {
    Syncer(Box<SyncerArgs>),
    Broker(BrokerRoleArgs),
    Controlplane(Box<ControlplaneArgs>),
    Agent(Box<AgentArgs>),
    Hub(Box<HubArgs>),
}

/// The names by which the program may be called instead of the first word.
const ROLES: [&str; 4] = ["syncer", "controlplane", "agent", "hub"];

fn main() -> ExitCode {
    match run(std::env::args_os().collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // What is quoted in it may come from anywhere: one line, and nothing that moves a cursor.
            let line = message.replace(char::is_control, " ");
            // Nothing is left to be done when stderr is closed.
            let _ = writeln!(std::io::stderr(), "error: {line}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Vec<OsString>) -> Result<(), String> {
    let program = match parse(args) {
        Ok(program) => program,
        Err(error) if error.kind() == ErrorKind::ValueValidation => return Err(first_line(&error)),
        Err(error) => error.exit(),
    };
    match program.role {
        Role::Syncer(args) => syncer::main(*args).map_err(|error| format!("{error:#}")),
        Role::Broker(args) => broker::main(&args).map_err(|error| format!("{error:#}")),
        Role::Controlplane(args) => controlplane::main(*args).map_err(|error| format!("{error:#}")),
        Role::Agent(args) => agent::main(*args).map_err(|error| format!("{error:#}")),
        Role::Hub(args) => hub::main(*args).map_err(|error| format!("{error:#}")),
    }
}

/// A value that is wrong is said in one line, as all else that is wrong; where help is, its reader knows.
fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.trim_start_matches("error: ").to_owned()
}

/// By its name, a role is a program of its own.
fn parse(args: Vec<OsString>) -> Result<Program, clap::Error> {
    let called = args
        .first()
        .and_then(|name| Path::new(name).file_stem()?.to_str());
    let Some(role) = ROLES.into_iter().find(|role| Some(*role) == called) else {
        return Program::from_arg_matches(&Program::command().try_get_matches_from(args)?);
    };
    let program = Program::command();
    let command = program.find_subcommand(role).cloned().unwrap_or(program);
    let command = command.bin_name(role).version(env!("CARGO_PKG_VERSION"));
    let matches = command.try_get_matches_from(args)?;
    let role = match role {
        "syncer" => Role::Syncer(Box::new(SyncerArgs::from_arg_matches(&matches)?)),
        "controlplane" => {
            Role::Controlplane(Box::new(ControlplaneArgs::from_arg_matches(&matches)?))
        }
        "agent" => Role::Agent(Box::new(AgentArgs::from_arg_matches(&matches)?)),
        _ => Role::Hub(Box::new(HubArgs::from_arg_matches(&matches)?)),
    };
    Ok(Program { role })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(words: &[&str]) -> Result<Role, clap::Error> {
        parse(words.iter().map(OsString::from).collect()).map(|program| program.role)
    }

    #[test]
    fn the_seeds_command_line_works_by_either_name() {
        let seed = "--broker tcp://127.0.0.1:1883 --client-id sourceId --signal-topic /signal --payload-topic /payload --cluster cluster1";
        let words: Vec<&str> = seed.split(' ').collect();
        for name in [vec!["/usr/bin/syncer"], vec!["mqtt-informer", "syncer"]] {
            let Role::Syncer(args) = role(&[name, words.clone()].concat()).unwrap() else {
                panic!("another role")
            };
            assert_eq!(args.cluster, "cluster1");
            assert_eq!(args.broker.client_id.as_deref(), Some("sourceId"));
        }
    }

    #[test]
    fn a_broker_listens_on_loopback_unless_told_otherwise() {
        let Ok(Role::Broker(args)) = role(&["mqtt-informer", "broker"]) else {
            panic!("another role")
        };
        assert_eq!(args.listen.to_string(), "127.0.0.1:1883");
        let Err(error) = role(&["mqtt-informer", "broker", "--listen", "1883"]) else {
            panic!("accepted")
        };
        assert!(error.to_string().contains("is no address"), "{error}");
    }

    #[test]
    fn a_role_that_is_called_by_its_name_says_that_name_once() {
        for (words, usage) in [
            (vec!["/bin/syncer", "--help"], "Usage: syncer [OPTIONS]"),
            (
                vec!["mqtt-informer", "syncer", "--help"],
                "Usage: mqtt-informer syncer [OPTIONS]",
            ),
        ] {
            let Err(help) = role(&words) else {
                panic!("no help")
            };
            assert!(help.to_string().contains(usage), "{help}");
        }
    }

    #[test]
    fn the_seeds_controlplane_works_by_either_name() {
        let seed = "--broker tcp://127.0.0.1:1883 --client-id controlplaneId --signal-topic /signal --payload-topic /payload";
        let words: Vec<&str> = seed.split(' ').collect();
        for name in [vec!["controlplane"], vec!["mqtt-informer", "controlplane"]] {
            let Role::Controlplane(args) = role(&[name, words.clone()].concat()).unwrap() else {
                panic!("another role")
            };
            assert_eq!(args.broker.client_id.as_deref(), Some("controlplaneId"));
        }
    }

    #[test]
    fn the_seeds_second_scenario_works_by_either_name() {
        let seed = "--broker tcp://127.0.0.1:1883 --client-id id --signal-topic /signal --payload-topic /payload";
        let words: Vec<&str> = seed.split(' ').collect();
        for name in [vec!["hub"], vec!["mqtt-informer", "hub"]] {
            let Role::Hub(args) = role(&[name, words.clone()].concat()).unwrap() else {
                panic!("another role")
            };
            assert_eq!(
                (args.name.as_str(), args.agent_user.as_str()),
                ("hub", "{cluster}")
            );
        }
        let cluster = vec!["--cluster", "cluster1"];
        for name in [vec!["agent"], vec!["mqtt-informer", "agent"]] {
            let Role::Agent(args) = role(&[name, words.clone(), cluster.clone()].concat()).unwrap()
            else {
                panic!("another role")
            };
            assert_eq!(
                (args.syncer.cluster.as_str(), args.hub.as_str()),
                ("cluster1", "hub")
            );
        }
    }

    #[test]
    fn an_agents_help_is_its_own() {
        for words in [
            vec!["/bin/agent", "--help"],
            vec!["mqtt-informer", "agent", "-h"],
        ] {
            let Err(help) = role(&words) else {
                panic!("no help")
            };
            let help = help.to_string();
            assert!(
                help.starts_with("Do in this cluster what a hub wants"),
                "{help}"
            );
            assert!(
                help.contains("agent --broker") && !help.contains("syncer --broker"),
                "{help}"
            );
        }
    }

    #[test]
    fn a_missing_cluster_is_named() {
        let Err(error) = role(&["syncer"]) else {
            panic!("accepted")
        };
        assert!(error.to_string().contains("--cluster"));
    }
}
