//! `bed`: the real parts for a person. `bed up` leaves clusters and a broker running, `bed down` ends them.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use bed::{Binaries, Standing, mosquitto};

const HELP: &str = "\
Real Kubernetes API servers and a real MQTT broker on this machine

Usage: bed <COMMAND>

Commands:
  up [--bare] [NAME...]  start clusters and a broker and leave them running
                         (default: cluster1 and cluster2 with nodes, pods and all; hub bare)
  down                   end what `up` has started, and nothing else
  env                    print the variables of a shell: eval \"$(bed env)\"
  status                 say what runs
  build                  build the programs, if this machine has not got them, and install mosquitto

Environment:
  BED_CACHE  where the built programs are kept (default: ~/.cache/mqtt-informer/bed)
  BED_HOME   where the data and logs of `up` lie (default: in /dev/shm)
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(text) => {
            let _: io::Result<()> = io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _: io::Result<()> = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Does what the words say, and gives what is to be printed.
fn run(words: &[&str]) -> Result<String> {
    match words {
        [] | ["help" | "-h" | "--help", ..] => Ok(HELP.to_owned()),
        ["build"] => build(),
        ["up", rest @ ..] => up(rest),
        ["down"] => down(),
        ["env"] => env(),
        ["status"] => status(),
        _ => bail!("unknown: {}; try `bed help`", words.join(" ")),
    }
}

fn build() -> Result<String> {
    let binaries = Binaries::ensure()?;
    let mosquitto = mosquitto()?;
    Ok(format!(
        "{}\n{}\n",
        binaries.dir().display(),
        mosquitto.display()
    ))
}

fn up(words: &[&str]) -> Result<String> {
    let begin = Instant::now();
    let (flags, names): (Vec<&str>, Vec<&str>) =
        words.iter().partition(|word| word.starts_with('-'));
    if let Some(unknown) = flags.iter().find(|flag| **flag != "--bare") {
        bail!("unknown: {unknown}; try `bed help`");
    }
    let standing = match (names.as_slice(), flags.is_empty()) {
        ([], true) => Standing::up(&["cluster1", "cluster2"], &["hub"])?,
        ([], false) => Standing::up(&[], &["cluster1", "cluster2", "hub"])?,
        (names, true) => Standing::up(names, &[])?,
        (names, false) => Standing::up(&[], names)?,
    };
    Ok(format!(
        "The bed is up ({:.0} s).\n\n{}",
        begin.elapsed().as_secs_f64(),
        describe(&standing)?
    ))
}

fn down() -> Result<String> {
    let Some(standing) = Standing::find()? else {
        return Ok("No bed is up.\n".to_owned());
    };
    let ended = standing.down()?;
    Ok(format!("Ended {} processes.\n", ended.len()))
}

fn env() -> Result<String> {
    let standing = Standing::find()?.context("no bed is up: try `make bed-up`")?;
    let state = standing.state();
    let kubeconfigs: Vec<_> = state
        .clusters
        .iter()
        .map(|cluster| cluster.kubeconfig.to_string_lossy())
        .collect();
    Ok(format!(
        "export KUBECONFIG={}\nexport BROKER={}\nexport PATH={}:\"$PATH\"\n",
        quote(&kubeconfigs.join(":")),
        quote(state.broker.as_deref().unwrap_or_default()),
        quote(&Binaries::ensure()?.dir().to_string_lossy()),
    ))
}

fn status() -> Result<String> {
    let Some(standing) = Standing::find()? else {
        return Ok("No bed is up.\n".to_owned());
    };
    let mut text = describe(&standing)?;
    for process in &standing.state().processes {
        let state = if process.is_alive() { "runs" } else { "ENDED" };
        text.push_str(&format!(
            "{:<34} pid {:<8} {state}\n",
            process.name, process.pid
        ));
    }
    Ok(text)
}

fn describe(standing: &Standing) -> Result<String> {
    let state = standing.state();
    let broker = state.broker.as_deref().unwrap_or_default();
    let mut text = format!("broker    {broker}\n");
    for cluster in &state.clusters {
        text.push_str(&format!(
            "{:<9} {}  KUBECONFIG={}\n",
            cluster.name,
            cluster.server,
            cluster.kubeconfig.display()
        ));
    }
    text.push_str(&format!("logs      {}\n", standing.dir().display()));
    text.push_str("\nTry, from the top of the checkout, after `make build`:\n");
    for cluster in &state.clusters {
        let Some(kubeconfig) = cluster.kubeconfig.to_str() else {
            continue;
        };
        text.push_str(&format!(
            "  bin/syncer --broker {broker} --client-id {0}-syncer --cluster {0} --kubeconfig {1} &\n",
            cluster.name,
            quote(kubeconfig),
        ));
    }
    let kubectl = Binaries::ensure()?.kubectl();
    text.push_str(&format!(
        "  bin/kubectl-mqinformer get pods -A --broker {broker}\n"
    ));
    if let Some(first) = state.clusters.first() {
        text.push_str(&format!(
            "  {} --kubeconfig {} get pods -A\n",
            show(&kubectl),
            show(&first.kubeconfig)
        ));
    }
    text.push_str("  make bed-down\n");
    Ok(text)
}

fn show(path: &Path) -> String {
    quote(&path.to_string_lossy())
}

/// Quotes for a POSIX shell, where it is needed.
fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-_.:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_survives_the_shell() {
        for word in ["plain/path-1", "", "two words", "it's", "$HOME `id`"] {
            let script = format!("printf %s {}", quote(word));
            let output = std::process::Command::new("sh")
                .args(["-c", &script])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), word);
        }
    }

    #[test]
    fn unknown_words_are_refused() {
        for words in [&["upp"][..], &["up", "--nodes"], &["down", "now"]] {
            assert!(run(words).is_err(), "{words:?}");
        }
    }
}
