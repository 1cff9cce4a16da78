//! `man`: the help as manual pages.

use crate::args::Cli;
use crate::error::Failure;
use crate::terminal::Terminal;
use anyhow::Context;
use clap::{Args, Command, CommandFactory};
use std::path::{Path, PathBuf};

/// Write the manual pages, one for each verb; without --dir, print that of the plugin itself.
#[derive(Clone, Debug, Args)]
pub struct ManArgs {
    /// The folder for them; it has to exist.
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
}

/// Writes them.
pub fn run(args: &ManArgs, terminal: &mut Terminal) -> Result<(), Failure> {
    let command = renamed(Cli::command(), "kubectl-mqinformer");
    match &args.dir {
        None => terminal.out(&String::from_utf8_lossy(&page(&command)?)),
        Some(dir) => write(&command, dir),
    }
}

/// Pages are found by names without spaces: `man kubectl-mqinformer-get`.
fn renamed(mut command: Command, name: &str) -> Command {
    command.build();
    fn rename(command: Command, name: &str) -> Command {
        let name = name.to_owned();
        let command = command.name(name.clone()).display_name(name.clone());
        command.mut_subcommands(|inner| {
            let whole = format!("{name}-{}", inner.get_name());
            rename(inner, &whole)
        })
    }
    rename(command, name)
}

fn page(command: &Command) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    Ok(page)
}

fn write(command: &Command, dir: &Path) -> Result<(), Failure> {
    let path = dir.join(format!("{}.1", command.get_name()));
    std::fs::write(&path, page(command)?)
        .with_context(|| format!("--dir: {} cannot be written", path.display()))?;
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        write(verb, dir)?;
    }
    Ok(())
}
