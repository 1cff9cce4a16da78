//! The role of a broker for a trial: [`crate::link::embedded`] as a program of its own.
//!
//! It knows nothing of what it carries. What it lacks is said wherever it matters: on any address but loopback.

mod words;

use crate::link::embedded::{EmbeddedBroker, StartError};
use anyhow::{Context, Result, bail};
use std::future::Future;
use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;

/// Run a small broker for a trial, in memory; on anything but this machine, use a real one.
///
/// It lets everybody in, so it listens on loopback unless told otherwise. It ends with ctrl-c or SIGTERM, and nothing
/// outlives it: syncers and viewers connect again by themselves.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  # On this machine
  mqtt-informer broker

  # On any free port
  mqtt-informer broker --listen 127.0.0.1:0")]
pub struct BrokerRoleArgs {
    /// Where to listen: HOST:PORT, an address of this machine; port 0 is any free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:1883", value_parser = crate::cli::listen_address)]
    pub listen: SocketAddr,
}

/// Runs a broker as a program of its own: logs to stderr, ends on SIGTERM or SIGINT.
///
/// # Errors
/// One line for people: what was tried, what happened, what to do.
pub fn main(args: &BrokerRoleArgs) -> Result<()> {
    crate::cli::log_to_stderr();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(run(args, crate::cli::asked_to_stop()))
}

/// Carries messages until `shutdown` is done. The caller brings runtime, log and shutdown.
///
/// # Errors
/// As [`main`].
pub async fn run(args: &BrokerRoleArgs, shutdown: impl Future<Output = ()>) -> Result<()> {
    let started = EmbeddedBroker::start(args.listen).await;
    let mut broker = started.map_err(|error| {
        let advice = advice(&error);
        anyhow::Error::msg(format!("{error}: {advice}"))
    })?;
    greet(broker.local_addr()).context("cannot write to stdout")?;
    let ended = tokio::select! {
        () = shutdown => false,
        () = broker.ended() => true,
    };
    if ended {
        bail!(
            "the broker on {} ended by itself; the log above says why",
            broker.local_addr()
        );
    }
    broker.stop().await;
    Ok(())
}

/// Says where it listens and what to type next; and, when others can reach it, what it lacks. Who closed stdout or
/// stderr wants a broker all the same.
fn greet(address: SocketAddr) -> io::Result<()> {
    if !address.ip().is_loopback() {
        let _ = writeln!(io::stderr(), "{}", words::lacks(address));
    }
    let mut out = io::stdout().lock();
    let greeting = writeln!(out, "{}", words::next(address)).and_then(|()| out.flush());
    match greeting {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// What to do about a broker that could not start.
fn advice(error: &StartError) -> &'static str {
    match error.kind() {
        Some(ErrorKind::AddrInUse) => {
            "use what listens there already, or choose another port with --listen (127.0.0.1:0 is any free one)"
        }
        Some(ErrorKind::AddrNotAvailable) => {
            "choose an address of this machine with --listen; 127.0.0.1 is always one"
        }
        Some(ErrorKind::PermissionDenied) => {
            "ports below 1024 need privileges, choose a higher one with --listen"
        }
        _ => "choose another address with --listen",
    }
}
