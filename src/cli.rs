//! Options that several programs share, and how they become a broker's options.
//!
//! The flags are the seed's: `--broker`, `--tls`, `--ca-crt`, `--client-crt`, `--client-key`, `--client-id`,
//! `--signal-topic`, `--payload-topic`, `--QoS`.

use std::path::PathBuf;

/// Where the broker is, and how to talk to it.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Broker")]
pub struct BrokerArgs {
    /// The MQTT 5 broker: tcp://, mqtts://, ws:// or wss://HOST[:PORT].
    #[arg(long, short = 'b', env = "BROKER", value_name = "URL", default_value = "tcp://127.0.0.1:1883", global = true)]
    pub broker: String,

    /// The username for the broker. A broker's ACL tells by it who asks.
    #[arg(long, env = "BROKER_USERNAME", value_name = "NAME", global = true)]
    pub username: Option<String>,

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
    #[arg(long, env = "CLIENT_CRT", value_name = "FILE", requires = "client_key", global = true)]
    pub client_crt: Option<PathBuf>,

    /// A PEM file with that certificate's private key.
    #[arg(long, env = "CLIENT_KEY", value_name = "FILE", requires = "client_crt", global = true)]
    pub client_key: Option<PathBuf>,

    /// The MQTT client id. Two programs under one id take each other's connection.
    #[arg(long, env = "CLIENT_ID", value_name = "ID", global = true)]
    pub client_id: Option<String>,

    /// The prefix of the topics on which consumers ask.
    #[arg(long, env = "SIGNAL_TOPIC", value_name = "TOPIC", default_value = "/signal", global = true)]
    pub signal_topic: String,

    /// The prefix of the topics on which clusters answer.
    #[arg(long, env = "PAYLOAD_TOPIC", value_name = "TOPIC", default_value = "/payload", global = true)]
    pub payload_topic: String,

    /// MQTT quality of service: 0, 1 or 2. Repairs are rarer with 1; nothing depends on it.
    #[arg(long = "QoS", short = 'q', env = "QOS", value_name = "0|1|2", default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=2), global = true)]
    pub qos: u8,
}
