//! Why a connection failed, in one line that says what to do.
//!
//! The client library's own words are not used: its `Debug` forms print whole packets, payloads included.

use crate::link::Failure;
use rumqttc::TlsError;
use rumqttc::v5::mqttbytes::Error as ProtocolError;
use rumqttc::v5::mqttbytes::v5::{ConnectReturnCode, DisconnectReasonCode};
use rumqttc::v5::{ConnectionError, StateError};
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
pub(super) fn words(reason: impl Debug) -> String {
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
    pub(super) fn failed(&self, error: &ConnectionError) -> Failure {
        if let Some(failure) = self.by_cause(error) {
            return failure;
        }
        match error {
            ConnectionError::ConnectionRefused(code) => self.refused(*code),
            ConnectionError::MqttState(state) => self.by_state(state),
            ConnectionError::Timeout(_) => self.silent(),
            ConnectionError::NotConnAck(_) => self.no_mqtt(),
            ConnectionError::Websocket(error) => self.passing(format!(
                "no web socket at {}: {error}; check the URL's path (often /mqtt)",
                self.broker
            )),
            ConnectionError::ResponseValidation(_) => self.passing(format!(
                "the web socket at {} does not speak MQTT: check the URL's path (often /mqtt)",
                self.broker
            )),
            _ => self.passing(format!("cannot connect to {}", self.broker)),
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

    /// The options became unusable while the link lived: a file is gone.
    pub(super) fn misconfigured(&self, error: &dyn Error) -> Failure {
        self.lasting(format!("cannot connect to {}: {error}", self.broker))
    }

    /// [`crate::link::Link::reconnect`] was called.
    pub(super) fn given_up(&self) -> Failure {
        self.passing(format!(
            "nothing was heard through the broker {}: connecting again",
            self.broker
        ))
    }

    /// Errors of TLS and sockets hide at different depths, depending on the transport and on the moment.
    fn by_cause(&self, error: &ConnectionError) -> Option<Failure> {
        let first: &(dyn Error + 'static) = match error {
            ConnectionError::MqttState(StateError::Deserialization(ProtocolError::Io(error))) => {
                error
            }
            ConnectionError::Tls(TlsError::DNSName(_)) => {
                return Some(self.lasting(format!(
                    "{:?} is no name that a certificate can be for: check the host in {}",
                    self.host, self.broker
                )));
            }
            other => other,
        };
        let mut cause = Some(first);
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<rustls::Error>() {
                return Some(self.by_tls(error));
            }
            if let Some(error) = error.downcast_ref::<io::Error>() {
                let inner = error
                    .get_ref()
                    .and_then(|inner| inner.downcast_ref::<rustls::Error>());
                return Some(match inner {
                    Some(error) => self.by_tls(error),
                    None => self.by_socket(error),
                });
            }
            cause = error.source();
        }
        None
    }

    fn by_socket(&self, error: &io::Error) -> Failure {
        let broker = &self.broker;
        // std gives a failed look-up no kind of its own, only this text.
        if error
            .to_string()
            .starts_with("failed to lookup address information")
        {
            return self.passing(format!(
                "the host {:?} is unknown: check the name in {broker}",
                self.host
            ));
        }
        if self.connected {
            return self.passing(format!(
                "lost the connection to the broker {broker}: {error}"
            ));
        }
        match error.kind() {
            io::ErrorKind::ConnectionRefused => self.passing(format!(
                "nothing listens at {broker}: check that the broker runs, and the port"
            )),
            io::ErrorKind::ConnectionReset
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

    fn by_state(&self, error: &StateError) -> Failure {
        let broker = &self.broker;
        match error {
            StateError::ServerDisconnect { reason_code, .. } => self.dismissed(*reason_code),
            StateError::ConnectionAborted if !self.connected => self.hung_up(),
            StateError::ConnectionAborted => {
                self.passing(format!("the broker {broker} closed the connection"))
            }
            StateError::AwaitPingResp | StateError::CollisionTimeout => self.silent(),
            StateError::Deserialization(ProtocolError::InvalidConnectReturnCode(_)) => {
                self.no_mqtt()
            }
            StateError::Deserialization(ProtocolError::PayloadSizeLimitExceeded { .. }) => self
                .passing(format!(
                    "the broker {broker} sent more than was agreed in one message"
                )),
            _ if !self.connected => self.no_mqtt(),
            _ => self.passing(format!(
                "the broker {broker} broke the protocol: connecting again"
            )),
        }
    }

    /// An answer to CONNECT other than yes.
    fn refused(&self, code: ConnectReturnCode) -> Failure {
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
                words(code)
            )),
            other => self.passing(format!(
                "the broker {broker} refuses the connection ({})",
                words(other)
            )),
        }
    }

    /// The broker said goodbye.
    fn dismissed(&self, reason: DisconnectReasonCode) -> Failure {
        let broker = &self.broker;
        match reason {
            DisconnectReasonCode::SessionTakenOver => self.lasting(format!(
                "another client took over the client id {:?} at {broker}: give each its own --client-id",
                self.client_id
            )),
            DisconnectReasonCode::NotAuthorized | DisconnectReasonCode::AdministrativeAction => {
                self.lasting(format!(
                    "the broker {broker} sent this client away ({}): check its access rules for the user {:?}",
                    words(reason),
                    self.user
                ))
            }
            other => self.passing(format!(
                "the broker {broker} closed the connection ({})",
                words(other)
            )),
        }
    }

    /// No answer to CONNECT at all. Not permanent: proxies without a backend do so too.
    fn hung_up(&self) -> Failure {
        self.passing(format!(
            "{} closed the connection without an answer: check that it is a broker for MQTT 5, and whether this port wants TLS (mqtts://) or a client certificate",
            self.broker
        ))
    }

    fn no_mqtt(&self) -> Failure {
        self.lasting(format!(
            "what listens at {} does not speak MQTT 5: use a broker that does, and check the port and whether it wants TLS (mqtts://)",
            self.broker
        ))
    }

    fn passing(&self, message: String) -> Failure {
        Failure {
            message,
            permanent: false,
        }
    }

    fn lasting(&self, message: String) -> Failure {
        Failure {
            message,
            permanent: true,
        }
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

    fn tls(error: rustls::Error) -> ConnectionError {
        ConnectionError::Tls(TlsError::Io(io::Error::other(error)))
    }

    fn state(error: StateError) -> ConnectionError {
        ConnectionError::MqttState(error)
    }

    #[test]
    fn failures_say_what_to_do_and_whether_waiting_helps() {
        use ConnectReturnCode as Code;
        let cases = [
            (
                ConnectionError::ConnectionRefused(Code::NotAuthorized),
                true,
                "let the user \"eve\" in: check --username",
            ),
            (
                ConnectionError::ConnectionRefused(Code::UnsupportedProtocolVersion),
                true,
                "MQTT 5",
            ),
            (
                ConnectionError::ConnectionRefused(Code::ClientIdentifierNotValid),
                true,
                "--client-id",
            ),
            (
                ConnectionError::ConnectionRefused(Code::RetainNotSupported),
                true,
                "--retained=false",
            ),
            (
                ConnectionError::ConnectionRefused(Code::ServerBusy),
                false,
                "(server busy)",
            ),
            (
                ConnectionError::Io(io::ErrorKind::ConnectionRefused.into()),
                false,
                "nothing listens",
            ),
            (
                ConnectionError::Io(io::Error::other("failed to lookup address information: x")),
                false,
                "\"b\" is unknown",
            ),
            (
                tls(rustls::Error::InvalidCertificate(
                    CertificateError::UnknownIssuer,
                )),
                true,
                "--ca-crt",
            ),
            (
                tls(rustls::Error::InvalidCertificate(
                    CertificateError::NotValidForName,
                )),
                true,
                "not for the host",
            ),
            (
                tls(rustls::Error::AlertReceived(
                    AlertDescription::CertificateRequired,
                )),
                true,
                "--client-crt",
            ),
            (
                tls(rustls::Error::InvalidMessage(
                    rustls::InvalidMessage::InvalidContentType,
                )),
                true,
                "does not speak TLS",
            ),
            (
                state(StateError::ConnectionAborted),
                false,
                "without an answer",
            ),
            (
                state(StateError::Deserialization(ProtocolError::MalformedPacket)),
                true,
                "MQTT 5",
            ),
            (
                state(StateError::Deserialization(ProtocolError::Io(
                    io::Error::other(rustls::Error::AlertReceived(
                        AlertDescription::BadCertificate,
                    )),
                ))),
                true,
                "--client-crt",
            ),
        ];
        for (error, permanent, words) in cases {
            let failure = attempt(false).failed(&error);
            assert!(failure.message.contains(words), "{failure}");
            assert_eq!(failure.permanent, permanent, "{failure}");
            assert!(!failure.message.contains('\n'));
        }
    }

    #[test]
    fn the_end_of_a_good_connection_is_told_apart_from_none() {
        let dismissed = |reason_code| {
            state(StateError::ServerDisconnect {
                reason_code,
                reason_string: None,
            })
        };
        let cases = [
            (
                dismissed(DisconnectReasonCode::SessionTakenOver),
                true,
                "client id \"me\"",
            ),
            (
                dismissed(DisconnectReasonCode::ServerShuttingDown),
                false,
                "(server shutting down)",
            ),
            (
                state(StateError::ConnectionAborted),
                false,
                "closed the connection",
            ),
            (state(StateError::AwaitPingResp), false, "no longer answers"),
            (
                state(StateError::Deserialization(ProtocolError::MalformedPacket)),
                false,
                "broke the protocol",
            ),
        ];
        for (error, permanent, words) in cases {
            let failure = attempt(true).failed(&error);
            assert!(failure.message.contains(words), "{failure}");
            assert_eq!(failure.permanent, permanent, "{failure}");
        }
    }
}
