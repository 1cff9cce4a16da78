//! What all programs share: options, the log, the signal to stop.
//!
//! The flags are the seed's: `--broker`, `--tls`, `--ca-crt`, `--client-crt`, `--client-key`, `--client-id`,
//! `--signal-topic`, `--payload-topic`, `--QoS`.

mod address;
mod broker;
mod duration;
mod probes;

pub use address::listen_address;
pub use broker::BrokerArgs;
pub use duration::duration;
pub use probes::{Probed, serve_probes};

use tracing_subscriber::EnvFilter;

/// Ends the process when any of its tasks panics: without that one it would go on as if nothing were wrong, and whoever
/// started it would not start it again.
pub fn end_by_panics() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        tell(panic);
        std::process::abort();
    }));
}

/// Sends the log to stderr: `info` and above of this program, or what RUST_LOG says; colours on terminals only.
pub fn log_to_stderr() {
    // kube logs each request that fails, as an error; what matters of that is said by us, once.
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("warn,kube_client=off,mqtt_informer=info"));
    let colours = std::io::IsTerminal::is_terminal(&std::io::stderr())
        && std::env::var_os("NO_COLOR").is_none();
    // A log that was set up before, as in a demo, stays.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(colours)
        .with_writer(std::io::stderr)
        .try_init();
}

/// Runs a role as a program of its own until it ends, or until SIGTERM or SIGINT; logs to stderr.
///
/// # Errors
/// The role's own.
pub fn run_as_program<R>(
    role: impl FnOnce(tokio::sync::watch::Receiver<bool>) -> R,
) -> anyhow::Result<()>
where
    R: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    log_to_stderr();
    end_by_panics();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (stop, stopped) = tokio::sync::watch::channel(false);
        tokio::spawn(async move {
            asked_to_stop().await;
            tracing::info!("asked to stop: saying goodbye");
            // A role that has ended needs no word.
            let _ = stop.send(true);
        });
        // On a worker, where the connections' tasks are, so that a change wakes no other thread on its way.
        tokio::spawn(role(stopped)).await?
    })
}

/// Waits for SIGTERM or SIGINT.
pub async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
