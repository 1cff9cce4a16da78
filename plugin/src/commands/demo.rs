//! `demo`: a broker and simulated clusters in this process, and a command against them.

use crate::error::Failure;
use crate::terminal::Terminal;
use clap::Args;

/// Try it with simulated clusters; nothing has to be installed.
///
/// A broker on loopback, and a few clusters that live only as long as this command: their pods come, go and crash. Without a command
/// everything is shown as it changes; with one, that is run against them.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  # Everything, live
  kubectl mqinformer demo

  # One command
  kubectl mqinformer demo -- get pods -A
  kubectl mqinformer demo -- clusters")]
pub struct DemoArgs {
    /// A command of this program, without its name: get pods -A
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

impl DemoArgs {
    /// The words of the command to run against a broker at this URL.
    pub fn words(&self, broker: &str) -> Vec<String> {
        let mut words = vec!["kubectl-mqinformer".to_owned()];
        match self.command.as_slice() {
            [] => words.extend(["get", "pods", "-A", "-w"].map(str::to_owned)),
            command => words.extend_from_slice(command),
        }
        words.extend(["--broker".to_owned(), broker.to_owned()]);
        words
    }
}

/// Says that the clusters are not real.
pub fn announce(terminal: &mut Terminal) -> Result<(), Failure> {
    terminal.err("These clusters are simulated, in this process, behind a broker on loopback.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_or_everything_live() {
        let words = |command: &[&str]| {
            let command = command.iter().map(|word| (*word).to_owned()).collect();
            DemoArgs { command }.words("tcp://127.0.0.1:1").join(" ")
        };
        assert_eq!(
            words(&[]),
            "kubectl-mqinformer get pods -A -w --broker tcp://127.0.0.1:1"
        );
        assert_eq!(
            words(&["clusters"]),
            "kubectl-mqinformer clusters --broker tcp://127.0.0.1:1"
        );
    }
}
