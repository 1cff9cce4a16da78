//! `version`.

use crate::error::Failure;
use clap::{Args, ValueEnum};
use std::io::Write;

/// Show this program's version.
#[derive(Clone, Debug, Args)]
pub struct VersionArgs {
    /// How to print it: json.
    #[arg(long, short, value_name = "FORM", hide_possible_values = true)]
    pub output: Option<VersionForm>,
}

/// How a version is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum VersionForm {
    /// `{"version": "v0.1.0"}`
    Json,
}

/// Prints the version.
pub fn run(args: &VersionArgs, out: &mut impl Write) -> Result<(), Failure> {
    let version = format!("v{}", env!("CARGO_PKG_VERSION"));
    match args.output {
        None => writeln!(out, "kubectl-mqinformer {version}")?,
        Some(VersionForm::Json) => writeln!(out, "{{\n    \"version\": \"{version}\"\n}}")?,
    }
    Ok(())
}
