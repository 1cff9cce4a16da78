//! A real mosquitto, in the configurations that tests need.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::component::{Component, Program};
use crate::packages;
use crate::pki::{Authority, Identity, write};
use crate::ports;
use crate::spawner::Lifetime;
use crate::state::Record;

/// Whether a broker speaks TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tls {
    /// Plain TCP.
    #[default]
    Off,
    /// The server shows a certificate of the bed's authority.
    Server,
    /// Clients must show one too; its common name becomes the user.
    Mutual,
}

/// How a broker is configured: the default is one plain listener, open to all.
#[derive(Clone, Debug, Default)]
pub struct BrokerSetup {
    users: Vec<(String, String)>,
    acl: Option<String>,
    tls: Tls,
    websockets: bool,
    configuration: Option<String>,
    lines: Vec<String>,
}

impl BrokerSetup {
    /// One plain listener, open to all.
    #[must_use]
    pub fn plain() -> Self {
        Self::default()
    }

    /// Adds a user; from the first one on, nobody may be anonymous.
    #[must_use]
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.users.push((name.to_owned(), password.to_owned()));
        self
    }

    /// Mosquitto's ACL file: its text.
    #[must_use]
    pub fn acl(mut self, text: &str) -> Self {
        self.acl = Some(text.to_owned());
        self
    }

    /// With TLS.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// MQTT over websockets instead of TCP.
    #[must_use]
    pub fn websockets(mut self) -> Self {
        self.websockets = true;
        self
    }

    /// Takes this configuration, as a person would write it, instead of ours; only the port of its one `listener` line
    /// is replaced. So the samples that we publish are what the tests run.
    #[must_use]
    pub fn configuration(mut self, text: &str) -> Self {
        self.configuration = Some(text.to_owned());
        self
    }

    /// Adds a line to the configuration: `max_queued_messages 10`.
    #[must_use]
    pub fn line(mut self, line: &str) -> Self {
        self.lines.push(line.to_owned());
        self
    }
}

/// A running broker. It ends when it is dropped.
#[derive(Debug)]
pub struct Broker {
    component: Component,
    url: String,
    port: u16,
    dir: PathBuf,
    authority: Arc<Authority>,
}

impl Broker {
    pub(crate) fn start(
        name: &str,
        dir: &Path,
        setup: &BrokerSetup,
        authority: Arc<Authority>,
        (lifetime, record): (Lifetime, Arc<Record>),
    ) -> Result<Self> {
        let mosquitto = mosquitto()?;
        std::fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
        let [port, spare] = ports::choose(2)?[..] else {
            bail!("not two ports")
        };
        write(&dir.join("ca.crt"), authority.certificate())?;
        let configuration = dir.join("mosquitto.conf");
        write(
            &configuration,
            &render(setup, dir, (port, spare), &authority)?,
        )?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let program = Program {
            name: format!("{name}/mosquitto"),
            path: mosquitto,
            args: vec!["-c".into(), configuration.into()],
            log: dir.join("mosquitto.log"),
            ready: Box::new(move || {
                Ok(TcpStream::connect_timeout(&address, Duration::from_secs(2)).map(drop)?)
            }),
        };
        let component = Component::start(program, lifetime, record)?;
        let url = format!("{}://127.0.0.1:{port}", scheme(setup));
        Ok(Self {
            component,
            url,
            port,
            dir: dir.to_owned(),
            authority,
        })
    }

    /// Its URL: `tcp://`, `mqtts://`, `ws://` or `wss://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The certificate of the authority that signed its own, a PEM file.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        self.dir.join("ca.crt")
    }

    /// A client certificate that a broker with [`Tls::Mutual`] accepts, as the user `name`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn client(&self, name: &str) -> Result<Identity> {
        self.authority.client(&self.dir, name)
    }

    /// The process: to kill, freeze, thaw and start it again.
    #[must_use]
    pub fn component(&self) -> &Component {
        &self.component
    }
}

fn scheme(setup: &BrokerSetup) -> &'static str {
    match (setup.websockets, setup.tls) {
        (false, Tls::Off) => "tcp",
        (false, _) => "mqtts",
        (true, Tls::Off) => "ws",
        (true, _) => "wss",
    }
}

fn render(
    setup: &BrokerSetup,
    dir: &Path,
    (port, spare): (u16, u16),
    authority: &Authority,
) -> Result<String> {
    let mut lines = match &setup.configuration {
        Some(text) => vec![with_port(text, port)?],
        None => listener(setup, dir, port, authority)?,
    };
    // mosquitto 2.0.11 refuses to start when all its listeners are websockets.
    if setup.websockets {
        lines.insert(0, format!("listener {spare} 127.0.0.1"));
    }
    // As root it would become its own user, who cannot read a test's private directory.
    if rustix::process::geteuid().is_root() {
        lines.push("user root".into());
    }
    lines.push("log_dest stderr".into());
    lines.extend(setup.lines.iter().cloned());
    Ok(lines.join("\n") + "\n")
}

fn listener(
    setup: &BrokerSetup,
    dir: &Path,
    port: u16,
    authority: &Authority,
) -> Result<Vec<String>> {
    let mut lines = vec![
        format!("listener {port} 127.0.0.1"),
        "set_tcp_nodelay true".into(),
    ];
    if setup.websockets {
        lines.push("protocol websockets".into());
    }
    if setup.tls != Tls::Off {
        let identity = authority.server(dir, "broker")?;
        lines.push(format!("certfile {}", identity.certificate.display()));
        lines.push(format!("keyfile {}", identity.key.display()));
        lines.push(format!("cafile {}", dir.join("ca.crt").display()));
    }
    if setup.tls == Tls::Mutual {
        lines.push("require_certificate true".into());
        lines.push("use_identity_as_username true".into());
    }
    lines.push(format!("allow_anonymous {}", setup.users.is_empty()));
    if !setup.users.is_empty() {
        lines.push(format!(
            "password_file {}",
            passwords(setup, dir)?.display()
        ));
    }
    if let Some(acl) = &setup.acl {
        let path = dir.join("acl");
        write(&path, acl)?;
        lines.push(format!("acl_file {}", path.display()));
    }
    Ok(lines)
}

/// Replaces the port of the one `listener` line.
fn with_port(text: &str, port: u16) -> Result<String> {
    let is_listener = |line: &&str| line.split_whitespace().next() == Some("listener");
    if text.lines().filter(is_listener).count() != 1 {
        bail!("a broker's configuration needs exactly one `listener` line");
    }
    let replace = |line| {
        if is_listener(&line) {
            format!("listener {port} 127.0.0.1")
        } else {
            line.to_owned()
        }
    };
    Ok(text.lines().map(replace).collect::<Vec<_>>().join("\n"))
}

fn passwords(setup: &BrokerSetup, dir: &Path) -> Result<PathBuf> {
    let path = dir.join("passwords");
    let plain: String = setup
        .users
        .iter()
        .map(|(name, password)| format!("{name}:{password}\n"))
        .collect();
    write(&path, &plain)?;
    let hash = packages::find("mosquitto_passwd").context("mosquitto_passwd is not on PATH")?;
    let output = Command::new(hash)
        .arg("-U")
        .arg(&path)
        .output()
        .context("cannot run mosquitto_passwd")?;
    if !output.status.success() {
        bail!(
            "mosquitto_passwd: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(path)
}

/// Finds mosquitto, or installs it with apt-get.
///
/// # Errors
/// When it is missing and cannot be installed.
pub fn mosquitto() -> Result<PathBuf> {
    packages::ensure("mosquitto", || packages::find("mosquitto"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_keeps_everything_but_its_port() {
        let sample = "# listener 1\nlistener 1883\nallow_anonymous true";
        assert_eq!(
            with_port(sample, 9).unwrap(),
            "# listener 1\nlistener 9 127.0.0.1\nallow_anonymous true"
        );
        assert!(with_port("allow_anonymous true", 9).is_err());
        assert!(with_port("listener 1\nlistener 2", 9).is_err());
    }
}
