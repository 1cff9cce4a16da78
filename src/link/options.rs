//! How to reach a broker, as typed, and what is made of it.
//!
//! **Architecture invariant:** knows no command line and no environment; a password never appears in its `Debug` or
//! errors.

use bytes::Bytes;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;

/// Seconds are what the protocol counts it in.
const SHORTEST_KEEP_ALIVE: Duration = Duration::from_secs(1);

/// Which payloads may be configured: below, protocol overhead would dominate; above, MQTT's own limit (256 MB) is near.
const PAYLOADS: std::ops::RangeInclusive<usize> = 1 << 10..=128 << 20;

/// How to reach a broker, as typed by a person. Files are read anew for each connection, so that renewed certificates
/// and passwords count.
#[derive(Clone)]
pub struct BrokerOptions {
    /// `tcp|mqtt|mqtts|ssl|ws|wss://[user[:password]@]host[:port][/path]`.
    pub url: String,
    /// The user; goes before the URL's.
    pub username: Option<String>,
    /// The password; goes before the file's and the URL's.
    pub password: Option<Password>,
    /// A file whose first line is the password.
    pub password_file: Option<PathBuf>,
    /// TLS, whatever the URL's scheme.
    pub tls: bool,
    /// The only authorities (PEM) to trust, instead of the system's.
    pub ca_crt: Option<PathBuf>,
    /// The client's certificate chain (PEM).
    pub client_crt: Option<PathBuf>,
    /// Its private key (PEM).
    pub client_key: Option<PathBuf>,
    /// Names this connection at the broker; a second one of the same id takes over from the first.
    pub client_id: String,
    /// For everything but presence.
    pub quality_of_service: QualityOfService,
    /// How often a connection is tested, at least 1 s. Twice that in silence, and it is made anew.
    pub keep_alive: Duration,
    /// The largest payload to send and to take, in bytes.
    pub max_payload: usize,
    /// What the broker publishes when the connection ends without a goodbye.
    pub last_will: Option<LastWill>,
}

impl BrokerOptions {
    /// The defaults: quality of service 1, 5 s, 64 KiB.
    pub fn new(url: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            username: None,
            password: None,
            password_file: None,
            tls: false,
            ca_crt: None,
            client_crt: None,
            client_key: None,
            client_id: client_id.into(),
            quality_of_service: QualityOfService::default(),
            keep_alive: Duration::from_secs(5),
            max_payload: 64 << 10,
            last_will: None,
        }
    }
}

impl fmt::Debug for BrokerOptions {
    /// What a log needs; the URL without what stands before its `@`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BrokerOptions")
            .field("url", &without_login(&self.url))
            .field("tls", &self.tls)
            .field("client_id", &self.client_id)
            .field("quality_of_service", &self.quality_of_service)
            .finish_non_exhaustive()
    }
}

/// What the broker publishes, at least once, when a connection ends without a goodbye.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastWill {
    /// Where.
    pub topic: String,
    /// What.
    pub payload: Bytes,
    /// The broker keeps it for later subscribers.
    pub retain: bool,
}

/// How hard each hop between a client and its broker tries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum QualityOfService {
    /// 0: sent and forgotten.
    AtMostOnce,
    /// 1: sent until acknowledged.
    #[default]
    AtLeastOnce,
    /// 2: four packets for each message; nothing here needs it.
    ExactlyOnce,
}

impl TryFrom<u8> for QualityOfService {
    type Error = OptionsError;

    fn try_from(number: u8) -> Result<Self, OptionsError> {
        match number {
            0 => Ok(Self::AtMostOnce),
            1 => Ok(Self::AtLeastOnce),
            2 => Ok(Self::ExactlyOnce),
            other => Err(OptionsError::new(format!(
                "quality of service {other} does not exist: use 0, 1 or 2"
            ))),
        }
    }
}

/// A password: never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// The text to send.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for Password {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

/// What is wrong with the options, and what to write instead: one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OptionsError(String);

impl OptionsError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    pub(super) fn unreadable(what: &str, path: &Path, error: &dyn fmt::Display) -> Self {
        Self(format!("cannot read {what} {}: {error}", path.display()))
    }
}

/// Where a connection goes and who it says it is: options that were checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) web_socket: bool,
    pub(super) tls: bool,
    /// Without the brackets of an IPv6 address.
    pub(super) host: String,
    pub(super) port: u16,
    /// Of a web socket.
    pub(super) path: String,
    pub(super) login: Option<(String, Password)>,
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match (self.web_socket, self.tls) {
            (false, false) => "tcp",
            (false, true) => "mqtts",
            (true, false) => "ws",
            (true, true) => "wss",
        };
        let (open, close) = if self.host.contains(':') {
            ("[", "]")
        } else {
            ("", "")
        };
        write!(
            formatter,
            "{scheme}://{open}{}{close}:{}{}",
            self.host, self.port, self.path
        )
    }
}

impl BrokerOptions {
    /// Checks that a text is a broker's URL: before it is kept for later.
    ///
    /// # Errors
    /// One line that says what is wrong with it.
    pub fn check_url(text: &str) -> Result<(), OptionsError> {
        Self::new(text, "-").target().map(drop)
    }

    /// Checks everything that can be checked without a network, and reads the password file.
    pub(super) fn target(&self) -> Result<Target, OptionsError> {
        self.check_limits()?;
        check_identity("client id", &self.client_id)?;
        let url = parse(&self.url)?;
        let (web_socket, tls) = match url.scheme() {
            "tcp" | "mqtt" => (false, self.tls),
            "mqtts" | "ssl" => (false, true),
            "ws" => (true, self.tls),
            "wss" => (true, true),
            other => {
                return Err(OptionsError::new(format!(
                    "broker URL scheme {other:?} is unknown: use tcp, mqtt, mqtts, ssl, ws or wss"
                )));
            }
        };
        self.check_certificates(tls)?;
        Ok(Target {
            web_socket,
            tls,
            host: host(&url)?,
            port: url.port().unwrap_or(match (web_socket, tls) {
                (false, false) => 1883,
                (false, true) => 8883,
                (true, false) => 80,
                (true, true) => 443,
            }),
            path: path(&url, web_socket)?,
            login: self.login(&url)?,
        })
    }

    fn check_limits(&self) -> Result<(), OptionsError> {
        if self.keep_alive < SHORTEST_KEEP_ALIVE {
            return Err(OptionsError::new(
                "the keep-alive must be at least 1 second",
            ));
        }
        if !PAYLOADS.contains(&self.max_payload) {
            return Err(OptionsError::new(format!(
                "the largest message must have between {} and {} bytes, not {}",
                PAYLOADS.start(),
                PAYLOADS.end(),
                self.max_payload
            )));
        }
        Ok(())
    }

    /// A certificate without TLS is a mistake that would send everything in the clear.
    fn check_certificates(&self, tls: bool) -> Result<(), OptionsError> {
        let any = self.ca_crt.is_some() || self.client_crt.is_some() || self.client_key.is_some();
        if any && !tls {
            return Err(OptionsError::new(
                "certificates are given but the broker URL is not encrypted: use mqtts:// or wss://, or add --tls",
            ));
        }
        if self.client_crt.is_some() != self.client_key.is_some() {
            return Err(OptionsError::new(
                "--client-crt and --client-key belong together: give both or none",
            ));
        }
        Ok(())
    }

    fn login(&self, url: &Url) -> Result<Option<(String, Password)>, OptionsError> {
        let username = match &self.username {
            Some(name) => name.clone(),
            None => decode(url.username())?,
        };
        let password = self.password(url)?;
        if username.is_empty() {
            return match password {
                None => Ok(None),
                Some(_) => Err(OptionsError::new(
                    "a password is given without a user: add --username",
                )),
            };
        }
        check_identity("username", &username)?;
        Ok(Some((username, password.unwrap_or_else(|| "".into()))))
    }

    fn password(&self, url: &Url) -> Result<Option<Password>, OptionsError> {
        if let Some(password) = &self.password {
            return Ok(Some(password.clone()));
        }
        if let Some(path) = &self.password_file {
            let text = std::fs::read_to_string(path)
                .map_err(|error| OptionsError::unreadable("the password file", path, &error))?;
            let line = text.lines().next().unwrap_or_default();
            return Ok(Some(line.into()));
        }
        url.password()
            .map(|text| decode(text).map(Password))
            .transpose()
    }
}

/// Wildcards in an identity would turn a broker's ACL pattern (`%u`, `%c`) into permission for everything.
fn check_identity(what: &str, name: &str) -> Result<(), OptionsError> {
    if name.is_empty() || name.len() > 1024 {
        return Err(OptionsError::new(format!(
            "the {what} must have between 1 and 1024 bytes"
        )));
    }
    if name.chars().any(|c| c.is_control() || c == '+' || c == '#') {
        return Err(OptionsError::new(format!(
            "the {what} {name:?} must not contain +, # or control characters"
        )));
    }
    Ok(())
}

/// Whatever is wrong with a URL, what stands before its `@` may be a password.
fn without_login(url: &str) -> &str {
    url.rsplit_once('@').map_or(url, |(_, after)| after)
}

fn parse(text: &str) -> Result<Url, OptionsError> {
    let shown = without_login(text);
    if text.is_empty() {
        return Err(OptionsError::new(
            "no broker is given: use --broker tcp://HOST:1883 or the environment variable BROKER",
        ));
    }
    if !text.contains("://") {
        return Err(OptionsError::new(format!(
            "broker {shown:?} has no scheme: write tcp://{shown}, or mqtts://, ws://, wss://"
        )));
    }
    Url::parse(text)
        .map_err(|error| OptionsError::new(format!("broker URL {shown:?} is malformed: {error}")))
}

fn host(url: &Url) -> Result<String, OptionsError> {
    let host = match url.host() {
        Some(url::Host::Ipv6(address)) => address.to_string(),
        Some(url::Host::Ipv4(address)) => address.to_string(),
        Some(url::Host::Domain(name)) => decode(name)?,
        None => String::new(),
    };
    if host.is_empty() {
        return Err(OptionsError::new(
            "the broker URL names no host: write tcp://HOST:1883",
        ));
    }
    Ok(host)
}

fn path(url: &Url, web_socket: bool) -> Result<String, OptionsError> {
    let query = url.query().map_or(String::new(), |text| format!("?{text}"));
    match (web_socket, url.path()) {
        (true, "" | "/") if query.is_empty() => Ok("/mqtt".to_owned()), // where every broker listens
        (true, path) => Ok(format!("{path}{query}")),
        (false, "" | "/") if query.is_empty() => Ok(String::new()),
        (false, path) => Err(OptionsError::new(format!(
            "the broker URL ends in {:?}, which only ws:// and wss:// can have: leave it out",
            format!("{path}{query}")
        ))),
    }
}

fn decode(text: &str) -> Result<String, OptionsError> {
    percent_encoding::percent_decode_str(text)
        .decode_utf8()
        .map(Into::into)
        .map_err(|_| {
            OptionsError::new("the broker URL holds percent-encoded bytes that are not UTF-8")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Result<Target, OptionsError> {
        BrokerOptions::new(url, "me").target()
    }

    #[test]
    fn urls_name_transport_host_port_and_path() {
        for (url, expected) in [
            ("tcp://127.0.0.1:1883", "tcp://127.0.0.1:1883"),
            ("tcp://broker", "tcp://broker:1883"),
            ("mqtt://broker/", "tcp://broker:1883"),
            ("mqtts://broker", "mqtts://broker:8883"),
            ("ssl://broker:443", "mqtts://broker:443"),
            ("ws://broker", "ws://broker:80/mqtt"),
            ("wss://broker/a/b?c=d", "wss://broker:443/a/b?c=d"),
            ("tcp://[::1]:1884", "tcp://[::1]:1884"),
            ("ws://[::1]", "ws://[::1]:80/mqtt"),
            ("tcp://user:secret@broker", "tcp://broker:1883"),
        ] {
            assert_eq!(target(url).unwrap().to_string(), expected, "{url}");
        }
    }

    #[test]
    fn a_flag_turns_any_scheme_into_tls() {
        for (url, expected) in [
            ("tcp://broker", "mqtts://broker:8883"),
            ("ws://broker", "wss://broker:443/mqtt"),
        ] {
            let mut options = BrokerOptions::new(url, "me");
            options.tls = true;
            assert_eq!(options.target().unwrap().to_string(), expected);
        }
    }

    #[test]
    fn mistakes_are_told_in_one_line_without_the_password() {
        for (url, words) in [
            ("", "--broker"),
            ("localhost:1883", "write tcp://localhost:1883"),
            ("u:secret@localhost", "write tcp://localhost"),
            ("http://broker", "scheme \"http\" is unknown"),
            ("tcp://u:secret@broker:99999", "malformed: invalid port"),
            ("tcp://", "names no host"),
            ("tcp://broker/topic", "only ws:// and wss://"),
            ("tcp://u%ff:secret@broker", "not UTF-8"),
            ("tcp://:secret@broker", "without a user"),
            ("tcp://a+b@broker", "must not contain +"),
        ] {
            let message = target(url).unwrap_err().to_string();
            assert!(message.contains(words), "{url}: {message}");
            assert!(!message.contains('\n') && !message.contains("secret"));
        }
    }

    #[test]
    fn who_i_am_comes_from_the_flags_then_the_url() {
        let mut options = BrokerOptions::new("tcp://eve:p%40ss@broker", "me");
        let login = options.target().unwrap().login.unwrap();
        assert_eq!((login.0.as_str(), login.1.reveal()), ("eve", "p@ss"));

        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "from file\nsecond line\n").unwrap();
        options.password_file = Some(file.path().to_owned());
        options.username = Some("adam".to_owned());
        let login = options.target().unwrap().login.unwrap();
        assert_eq!((login.0.as_str(), login.1.reveal()), ("adam", "from file"));

        options.password = Some("typed".into());
        assert_eq!(options.target().unwrap().login.unwrap().1.reveal(), "typed");
        let debug = format!("{options:?} {:?}", options.password);
        assert!(debug.contains("broker") && !debug.contains("p%40ss") && !debug.contains("typed"));
    }

    #[test]
    fn what_would_send_secrets_in_the_clear_or_cannot_work_is_refused() {
        type Mistake = fn(&mut BrokerOptions);
        let cases: [(Mistake, &str); 7] = [
            (|o| o.ca_crt = Some("ca".into()), "not encrypted"),
            (
                |o| {
                    o.tls = true;
                    o.client_crt = Some("crt".into());
                },
                "belong together",
            ),
            (|o| o.client_id.clear(), "the client id"),
            (|o| o.client_id = "a#".into(), "must not contain"),
            (|o| o.keep_alive = Duration::ZERO, "at least 1"),
            (|o| o.max_payload = 3, "between 1024 and"),
            (
                |o| {
                    o.username = Some("eve".into());
                    o.password_file = Some("/nowhere".into());
                },
                "cannot read the password file /nowhere",
            ),
        ];
        for (change, words) in cases {
            let mut options = BrokerOptions::new("tcp://broker", "me");
            change(&mut options);
            let message = options.target().unwrap_err().to_string();
            assert!(message.contains(words), "{message}");
        }
        assert!(QualityOfService::try_from(3).is_err());
    }
}
