//! The options that say where the broker is.

#![allow(
    rustdoc::broken_intra_doc_links,
    reason = "the options' doc comments are their help, and [:PORT] is no link"
)]

use crate::link::{BrokerOptions, Password, QualityOfService};
use crate::protocol::names::Prefix;
use crate::protocol::topics::Topics;
use anyhow::{Context, Result, bail};
use std::path::PathBuf;

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

    /// Use TLS, whatever the scheme of --broker says. --tls=false: what the environment or the configuration file says
    /// does not count.
    #[arg(
        long,
        env = "TLS",
        value_name = "BOOL",
        action = clap::ArgAction::Set,
        num_args = 0..=1,
        require_equals = true,
        default_value_t = false,
        default_missing_value = "true",
        value_parser = clap::builder::BoolishValueParser::new(),
        hide_default_value = true,
        global = true
    )]
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
