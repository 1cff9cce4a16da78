//! Why a connection failed, in one line that says what to do.
//!
//! The libraries' own words are not used where they would print what was received: payloads stay out of logs.

use super::transport::DialError;
use super::wire::WireError;
use crate::link::Failure;
use rumqttc::v5::mqttbytes::v5::{ConnectReturnCode, DisconnectReasonCode};
use rustls::{AlertDescription, CertificateError};
use std::error::Error;
use std::fmt::Debug;
use std::io;

/// What an error is about.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    /// The broker's URL, without credentials.
    pub(super) broker: String,
    pub(super) host: String,
    pub(super) client_id: String,
    pub(super) user: String,
    /// The broker had let us in before the error.
    pub(super) connected: bool,
}

/// The name of a protocol's reason, as words: `NotAuthorized` is "not authorized".
pub(super) fn words(reason: &impl Debug) -> String {
    let mut words = String::new();
    for letter in format!("{reason:?}").chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

impl Attempt {
    /// There is no connection.
    pub(super) fn not_reached(&self, error: &DialError) -> Failure {
        let Self { broker, host, .. } = self;
        match error {
            DialError::Lookup => self.passing(format!(
                "the host {host:?} is unknown: check the name in {broker}"
            )),
            DialError::Name => self.lasting(format!(
                "{host:?} is no name that a certificate can be for: check the host in {broker}"
            )),
            DialError::Socket(error) | DialError::Tls(error) => self.by_io(error),
            DialError::WebSocket(error) => self.passing(format!(
                "no web socket at {broker}: {error}; check the URL's path (often /mqtt)"
            )),
            DialError::Protocol => self.passing(format!(
                "the web socket at {broker} does not speak MQTT: check the URL's path (often /mqtt)"
            )),
        }
    }

    /// There was a connection, at least to somebody.
    pub(super) fn lost(&self, error: &WireError) -> Failure {
        let broker = &self.broker;
        match error {
            WireError::Io(error) => self.by_io(error),
            _ if !self.connected => self.no_mqtt(),
            WireError::TooLarge => self.passing(format!(
                "the broker {broker} sent more than was agreed in one message: connecting again"
            )),
            WireError::Malformed => self.passing(format!(
                "the broker {broker} broke the protocol: connecting again"
            )),
        }
    }

    /// Nothing came for twice the keep-alive.
    pub(super) fn silent(&self) -> Failure {
        let what = if self.connected {
            "no longer answers"
        } else {
            "does not answer: check host and port, and that a firewall lets this through"
        };
        self.passing(format!("the broker {} {what}", self.broker))
    }

    /// The end of the stream, after we were let in.
    pub(super) fn closed(&self) -> Failure {
        self.passing(format!("the broker {} closed the connection", self.broker))
    }

    /// See [`super::rivalry`].
    pub(super) fn taken_over(&self) -> Failure {
        self.lasting(format!(
            "another client took over the client id {:?} at {}: give each its own --client-id",
            self.client_id, self.broker
        ))
    }

    /// The options became unusable while the link lived: a file is gone.
    pub(super) fn misconfigured(&self, error: &dyn Error) -> Failure {
        self.lasting(format!("cannot connect to {}: {error}", self.broker))
    }

    /// The options do not fit into a packet: a last will of megabytes, for example.
    pub(super) fn unwritable(&self) -> Failure {
        self.lasting(format!(
            "cannot say hello to the broker {}: the last will or the password is too long",
            self.broker
        ))
    }

    /// [`crate::link::Link::reconnect`] was called.
    pub(super) fn given_up(&self) -> Failure {
        self.passing(format!(
            "the broker {} is connected and does not deliver: connecting again",
            self.broker
        ))
    }

    /// Errors of TLS come inside those of sockets, at the first or at a later read.
    fn by_io(&self, error: &io::Error) -> Failure {
        let inner = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>());
        if let Some(error) = inner {
            return self.by_tls(error);
        }
        let broker = &self.broker;
        if self.connected {
            return self.passing(format!(
                "lost the connection to the broker {broker}: {error}"
            ));
        }
        match error.kind() {
            io::ErrorKind::ConnectionRefused => self.passing(format!(
                "nothing listens at {broker}: check that the broker runs, and the port"
            )),
            io::ErrorKind::TimedOut => self.silent(),
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::BrokenPipe => self.hung_up(),
            _ => self.passing(format!("cannot reach the broker {broker}: {error}")),
        }
    }

    fn by_tls(&self, error: &rustls::Error) -> Failure {
        let broker = &self.broker;
        match error {
            rustls::Error::InvalidCertificate(problem) => self.lasting(match problem {
                CertificateError::UnknownIssuer | CertificateError::BadSignature => format!(
                    "the certificate of {broker} is from an authority that is not trusted here: give the broker's with --ca-crt"
                ),
                CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. } => format!(
                    "the certificate of {broker} is not for the host {:?}: use a name that is in it",
                    self.host
                ),
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    format!("the certificate of {broker} has expired: renew it on the broker")
                }
                other => format!("the certificate of {broker} cannot be accepted: {other}"),
            }),
            rustls::Error::AlertReceived(alert) if is_about_our_certificate(*alert) => {
                self.lasting(format!(
                    "the broker {broker} wants another client certificate ({}): check --client-crt and --client-key",
                    words(alert)
                ))
            }
            rustls::Error::InvalidMessage(_) => self.lasting(format!(
                "what listens at {broker} does not speak TLS: use the broker's TLS port (often 8883), or tcp:// without encryption"
            )),
            other => self.passing(format!("TLS with the broker {broker} failed: {other}")),
        }
    }

    /// An answer to CONNECT other than yes.
    pub(super) fn refused(&self, code: ConnectReturnCode) -> Failure {
        use ConnectReturnCode as Code;
        let Self { broker, user, .. } = self;
        match code {
            Code::BadUserNamePassword | Code::NotAuthorized | Code::BadAuthenticationMethod => {
                let who = if user == "-" {
                    "anonymous clients".to_owned()
                } else {
                    format!("the user {user:?}")
                };
                self.lasting(format!(
                    "the broker {broker} does not let {who} in: check --username and the password, or the client certificate"
                ))
            }
            Code::ClientIdentifierNotValid | Code::BadClientId => self.lasting(format!(
                "the broker {broker} refuses the client id {:?}: choose another with --client-id",
                self.client_id
            )),
            Code::UnsupportedProtocolVersion | Code::RefusedProtocolVersion => self.no_mqtt(),
            Code::QoSNotSupported => self.lasting(format!(
                "the broker {broker} refuses quality of service 1 for the last will: use another broker"
            )),
            Code::RetainNotSupported => self.lasting(format!(
                "the broker {broker} keeps no messages: use --retained=false"
            )),
            Code::Banned | Code::UseAnotherServer | Code::ServerMoved => self.lasting(format!(
                "the broker {broker} sends this client away ({}): ask who runs it",
                words(&code)
            )),
            other => self.passing(format!(
                "the broker {broker} refuses the connection ({})",
                words(&other)
            )),
        }
    }

    /// The broker said goodbye.
    pub(super) fn dismissed(&self, reason: DisconnectReasonCode) -> Failure {
        let broker = &self.broker;
        match reason {
            DisconnectReasonCode::SessionTakenOver => self.taken_over(),
            DisconnectReasonCode::NotAuthorized | DisconnectReasonCode::AdministrativeAction => {
                self.lasting(format!(
                    "the broker {broker} sent this client away ({}): check its access rules for the user {:?}",
                    words(&reason),
                    self.user
                ))
            }
            other => self.passing(format!(
                "the broker {broker} closed the connection ({})",
                words(&other)
            )),
        }
    }

    /// No answer to CONNECT at all. Not permanent: proxies without a backend do so too.
    pub(super) fn hung_up(&self) -> Failure {
        self.passing(format!(
            "{} closed the connection without an answer: check that it is a broker for MQTT 5, and whether this port wants TLS (mqtts://) or a client certificate",
            self.broker
        ))
    }

    pub(super) fn no_mqtt(&self) -> Failure {
        self.lasting(format!(
            "what listens at {} does not speak MQTT 5: use a broker that does, and check the port and whether it wants TLS (mqtts://)",
            self.broker
        ))
    }

    fn passing(&self, message: String) -> Failure {
        failure(&message, false)
    }

    fn lasting(&self, message: String) -> Failure {
        failure(&message, true)
    }
}

/// Libraries may quote what a stranger sent: it stays one line.
fn failure(message: &str, permanent: bool) -> Failure {
    Failure {
        message: message.replace(char::is_control, " "),
        permanent,
    }
}

fn is_about_our_certificate(alert: AlertDescription) -> bool {
    use AlertDescription as Alert;
    matches!(
        alert,
        Alert::CertificateRequired
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::HandshakeFailure
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(connected: bool) -> Attempt {
        Attempt {
            broker: "mqtts://b:8883".into(),
            host: "b".into(),
            client_id: "me".into(),
            user: "eve".into(),
            connected,
        }
    }

    fn check(failure: &Failure, permanent: bool, words: &str) {
        assert!(failure.message.contains(words), "{failure}");
        assert_eq!(failure.permanent, permanent, "{failure}");
        assert!(!failure.message.contains('\n'), "{failure}");
    }

    #[test]
    fn refusals_say_what_to_change() {
        use ConnectReturnCode as Code;
        for (code, permanent, words) in [
            (
                Code::NotAuthorized,
                true,
                "let the user \"eve\" in: check --username",
            ),
            (Code::UnsupportedProtocolVersion, true, "MQTT 5"),
            (
                Code::ClientIdentifierNotValid,
                true,
                "\"me\": choose another with --client-id",
            ),
            (Code::RetainNotSupported, true, "--retained=false"),
            (Code::ServerBusy, false, "(server busy)"),
        ] {
            check(&attempt(false).refused(code), permanent, words);
        }
    }

    #[test]
    fn what_cannot_be_reached_says_what_to_check() {
        for (error, permanent, words) in [
            (DialError::Lookup, false, "\"b\" is unknown"),
            (DialError::Name, true, "no name that a certificate"),
            (DialError::Protocol, false, "the URL's path"),
            (
                DialError::Socket(io::ErrorKind::ConnectionRefused.into()),
                false,
                "nothing listens",
            ),
            (
                DialError::Socket(io::ErrorKind::TimedOut.into()),
                false,
                "firewall",
            ),
        ] {
            check(&attempt(false).not_reached(&error), permanent, words);
        }
    }

    #[test]
    fn failures_of_tls_name_the_file_to_give() {
        use CertificateError as Certificate;
        for (error, permanent, words) in [
            (
                rustls::Error::InvalidCertificate(Certificate::UnknownIssuer),
                true,
                "--ca-crt",
            ),
            (
                rustls::Error::InvalidCertificate(Certificate::NotValidForName),
                true,
                "not for the host",
            ),
            (
                rustls::Error::InvalidCertificate(Certificate::Expired),
                true,
                "renew",
            ),
            (
                rustls::Error::AlertReceived(AlertDescription::CertificateRequired),
                true,
                "--client-crt",
            ),
            (
                rustls::Error::AlertReceived(AlertDescription::InternalError),
                false,
                "failed",
            ),
            (
                rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType),
                true,
                "does not speak TLS",
            ),
        ] {
            let error = WireError::Io(io::Error::other(error));
            check(&attempt(false).lost(&error), permanent, words);
            check(&attempt(true).lost(&error), permanent, words);
        }
    }

    #[test]
    fn the_end_of_a_good_connection_is_told_apart_from_none() {
        check(
            &attempt(false).lost(&WireError::Malformed),
            true,
            "does not speak MQTT 5",
        );
        check(
            &attempt(true).lost(&WireError::Malformed),
            false,
            "broke the protocol",
        );
        check(
            &attempt(true).lost(&WireError::TooLarge),
            false,
            "more than was agreed",
        );
        check(&attempt(false).silent(), false, "does not answer");
        check(&attempt(true).silent(), false, "no longer answers");
        check(&attempt(false).hung_up(), false, "MQTT 5");
        let reset = WireError::Io(io::ErrorKind::ConnectionReset.into());
        check(&attempt(false).lost(&reset), false, "without an answer");
        check(&attempt(true).lost(&reset), false, "lost the connection");
        let dismissed = |reason| attempt(true).dismissed(reason);
        check(
            &dismissed(DisconnectReasonCode::SessionTakenOver),
            true,
            "client id \"me\"",
        );
        check(
            &dismissed(DisconnectReasonCode::ServerShuttingDown),
            false,
            "(server shutting down)",
        );
    }
}
