//! Options that several programs share, and how they become a broker's options.
//!
//! The flags are the seed's: `--broker`, `--tls`, `--ca-crt`, `--client-crt`, `--client-key`, `--client-id`,
//! `--signal-topic`, `--payload-topic`, `--QoS`.

#![allow(
    rustdoc::broken_intra_doc_links,
    reason = "the options' doc comments are their help, and [:PORT] is no link"
)]

use crate::link::{BrokerOptions, Password, QualityOfService};
use crate::protocol::names::Prefix;
use crate::protocol::topics::Topics;
use anyhow::{Context, Result, bail};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// Where the broker is, and how to talk to it.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Broker")]
pub struct BrokerArgs {
    /// The MQTT 5 broker: tcp://, mqtts://, ws:// or wss://HOST[:PORT].
    #[arg(
        long,
        short = 'b',
        env = "BROKER",
        value_name = "URL",
        // A URL may have a password in it.
        hide_env_values = true,
        default_value = "tcp://127.0.0.1:1883",
        global = true
    )]
    pub broker: String,

    /// The username for the broker. A broker's ACL tells by it who asks.
    #[arg(long, env = "BROKER_USERNAME", value_name = "NAME", global = true)]
    pub username: Option<String>,

    /// The password, from the environment only: a command line can be read by everybody on the machine.
    #[arg(skip = std::env::var("BROKER_PASSWORD").ok().map(Into::into))]
    pub password: Option<Password>,

    /// A file that holds the password for the broker (or set BROKER_PASSWORD).
    #[arg(long, env = "BROKER_PASSWORD_FILE", value_name = "FILE", global = true)]
    pub password_file: Option<PathBuf>,

    /// Use TLS, whatever the scheme of --broker says.
    #[arg(long, env = "TLS", global = true)]
    pub tls: bool,

    /// A PEM file with the certificates of the authority that signed the broker's. Default: the system's.
    #[arg(long, env = "CA_CRT", value_name = "FILE", global = true)]
    pub ca_crt: Option<PathBuf>,

    /// A PEM file with the certificate that this program shows to the broker.
    #[arg(long, env = "CLIENT_CRT", value_name = "FILE", global = true)]
    pub client_crt: Option<PathBuf>,

    /// A PEM file with that certificate's private key.
    #[arg(long, env = "CLIENT_KEY", value_name = "FILE", global = true)]
    pub client_key: Option<PathBuf>,

    /// The MQTT client id. Two programs under one id take each other's connection.
    #[arg(long, env = "CLIENT_ID", value_name = "ID", global = true)]
    pub client_id: Option<String>,

    /// The prefix of the topics on which consumers ask.
    #[arg(
        long,
        env = "SIGNAL_TOPIC",
        value_name = "TOPIC",
        default_value = "/signal",
        global = true
    )]
    pub signal_topic: String,

    /// The prefix of the topics on which clusters answer.
    #[arg(
        long,
        env = "PAYLOAD_TOPIC",
        value_name = "TOPIC",
        default_value = "/payload",
        global = true
    )]
    pub payload_topic: String,

    /// MQTT quality of service: 0, 1 or 2. Repairs are rarer with 1; nothing depends on it.
    #[arg(long = "QoS", short = 'q', env = "QOS", value_name = "0|1|2", default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=2), global = true)]
    pub qos: u8,
}

impl BrokerArgs {
    /// The options of one connection with this client id.
    ///
    /// # Errors
    /// One line that says which option is wrong, and what to write.
    pub fn options(&self, client_id: String) -> Result<BrokerOptions> {
        // Not clap's: one of them may come from the environment, the other from a file.
        if self.client_crt.is_some() != self.client_key.is_some() {
            bail!("--client-crt and --client-key belong together: give both or none");
        }
        let options = BrokerOptions::new(&self.broker, client_id);
        Ok(BrokerOptions {
            username: self.username.clone(),
            password: self.password.clone(),
            password_file: self.password_file.clone(),
            tls: self.tls,
            ca_crt: self.ca_crt.clone(),
            client_crt: self.client_crt.clone(),
            client_key: self.client_key.clone(),
            quality_of_service: QualityOfService::try_from(self.qos)?,
            ..options
        })
    }

    /// Where the messages go.
    ///
    /// # Errors
    /// One line that says which prefix is wrong, and why.
    pub fn topics(&self) -> Result<Topics> {
        let signal = Prefix::new(&self.signal_topic).context("--signal-topic")?;
        let payload = Prefix::new(&self.payload_topic).context("--payload-topic")?;
        Ok(Topics::new(signal, payload)?)
    }
}

/// Sends the log to stderr: `info` and above of this program, or what RUST_LOG says; colours on terminals only.
pub fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("warn,mqtt_informer=info"));
    let colours = std::io::IsTerminal::is_terminal(&std::io::stderr())
        && std::env::var_os("NO_COLOR").is_none();
    // A log that was set up before, as in a demo, stays.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(colours)
        .with_writer(std::io::stderr)
        .try_init();
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

/// Reads where to listen: `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`, or `:8080` for every address of this
/// machine.
///
/// # Errors
/// One line that says what was expected.
pub fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let wrong =
        || format!("{text:?} is no address; write it as 127.0.0.1:8080, [::1]:8080 or :8080");
    match text.rsplit_once(':') {
        Some(("", port)) => port
            .parse()
            .map(|port| SocketAddr::new(every_address(), port)),
        Some(("localhost", port)) => port
            .parse()
            .map(|port| SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)),
        _ => return text.parse().map_err(|_| wrong()),
    }
    .map_err(|_| wrong())
}

/// IPv6's "any" takes IPv4 as well, where the machine has IPv6 at all.
fn every_address() -> IpAddr {
    let six = IpAddr::from(Ipv6Addr::UNSPECIFIED);
    match UdpSocket::bind((six, 0)) {
        Ok(_) => six,
        Err(_) => Ipv4Addr::UNSPECIFIED.into(),
    }
}

/// Reads a duration as Go and kubectl write it: `500ms`, `5s`, `1m30s`, `1.5h`, `0`.
///
/// # Errors
/// One line that says what was expected.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no duration; write it as 500ms, 5s or 1m30s");
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(wrong)?;
        let number: f64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let (unit, seconds) = UNITS
            .iter()
            .find(|(unit, _)| rest.starts_with(unit))
            .ok_or_else(wrong)?;
        rest = &rest[unit.len()..];
        let part = Duration::try_from_secs_f64(number * seconds).map_err(|_| wrong())?;
        total = total.checked_add(part).ok_or_else(wrong)?;
    }
    if text.is_empty() {
        Err(wrong())
    } else {
        Ok(total)
    }
}

/// Units of a duration in seconds, those first that another one begins like.
const UNITS: [(&str, f64); 6] = [
    ("ms", 1e-3),
    ("us", 1e-6),
    ("ns", 1e-9),
    ("h", 3600.0),
    ("m", 60.0),
    ("s", 1.0),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_go_writes_them() {
        let read = |text: &str| listen_address(text).map(|address| address.to_string());
        for text in ["127.0.0.1:80", "[::1]:80", "0.0.0.0:0"] {
            assert_eq!(read(text).as_deref(), Ok(text));
        }
        assert_eq!(read("localhost:80").as_deref(), Ok("127.0.0.1:80"));
        assert!(
            listen_address(":80")
                .is_ok_and(|every| every.ip().is_unspecified() && every.port() == 80)
        );
        for text in [
            "",
            ":",
            "80",
            "127.0.0.1",
            "::1",
            ":65536",
            "localhost:",
            "no.such.name:80",
            "1.2.3.4:x",
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains("is no address"), "{text}: {error}");
        }
    }

    #[test]
    fn durations_are_read_as_go_writes_them() {
        for (text, ms) in [
            ("500ms", 500),
            ("5s", 5_000),
            ("1m30s", 90_000),
            ("1.5h", 5_400_000),
            ("0", 0),
            ("0s", 0),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "5", "s", "5 s", "-1s", "1e99h", "..s", "1d"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
