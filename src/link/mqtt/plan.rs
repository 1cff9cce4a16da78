//! Options, checked and turned into what the client library wants.

use super::failure::Attempt;
use super::tls;
use crate::link::options::Target;
use crate::link::{BrokerOptions, OptionsError, QualityOfService};
use rumqttc::v5::MqttOptions;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{ConnectProperties, LastWill, LastWillProperties};
use rumqttc::{NetworkOptions, TlsConfiguration, Transport};
use std::sync::Arc;
use std::time::Duration;

/// What a packet needs beside its payload: a topic of at most 256 bytes (design.md, section 3), properties, numbers.
pub(super) const HEADROOM: usize = 512;

/// Messages under way without an acknowledgement. The library's default of 65,535 costs 13.9 MB.
const UNACKNOWLEDGED: u16 = 100;

/// From the first packet to the broker's answer, name look-up included.
pub(super) const ANSWER: Duration = Duration::from_secs(5);

/// How long a broker keeps what it is asked to keep: as long as presence counts (design.md, section 3).
pub(super) const KEPT_SECONDS: u32 = 7 * 24 * 3600;

/// One connection to be made.
pub(super) struct Plan {
    pub(super) options: MqttOptions,
    pub(super) attempt: Attempt,
    pub(super) quality_of_service: QualityOfService,
    pub(super) keep_alive: Duration,
    pub(super) max_payload: usize,
}

impl Plan {
    /// Checks the options and reads their files.
    pub(super) fn new(options: &BrokerOptions) -> Result<Self, OptionsError> {
        let target = options.target()?;
        let certificate_user = tls::certificate_user(options)?;
        let login = target.login.as_ref();
        let attempt = Attempt {
            broker: target.to_string(),
            host: target.host.clone(),
            client_id: options.client_id.clone(),
            user: login
                .map(|(name, _)| name.clone())
                .or(certificate_user)
                .unwrap_or_else(|| "-".to_owned()),
            connected: false,
        };
        Ok(Self {
            options: mqtt_options(options, &target)?,
            attempt,
            quality_of_service: options.quality_of_service,
            keep_alive: options.keep_alive,
            max_payload: options.max_payload,
        })
    }
}

fn mqtt_options(options: &BrokerOptions, target: &Target) -> Result<MqttOptions, OptionsError> {
    // For web sockets the library wants the whole URL as the address.
    let address = if target.web_socket {
        target.to_string()
    } else {
        target.host.clone()
    };
    let mut mqtt = MqttOptions::new(&options.client_id, address, target.port);
    mqtt.set_transport(transport(options, target)?)
        .set_keep_alive(options.keep_alive)
        .set_clean_start(true)
        .set_connection_timeout(ANSWER.as_secs())
        .set_outgoing_inflight_upper_limit(UNACKNOWLEDGED)
        .set_connect_properties(connect_properties(options.max_payload));
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true); // else Nagle's algorithm and delayed acknowledgements cost 40 ms
    mqtt.set_network_options(network);
    if let Some((name, password)) = &target.login {
        mqtt.set_credentials(name, password.reveal());
    }
    if let Some(will) = &options.last_will {
        mqtt.set_last_will(last_will(will));
    }
    Ok(mqtt)
}

fn transport(options: &BrokerOptions, target: &Target) -> Result<Transport, OptionsError> {
    if !target.tls {
        return Ok(if target.web_socket {
            Transport::Ws
        } else {
            Transport::Tcp
        });
    }
    let tls = TlsConfiguration::Rustls(Arc::new(tls::client_config(options)?));
    Ok(if target.web_socket {
        Transport::Wss(tls)
    } else {
        Transport::Tls(tls)
    })
}

/// No topic aliases: the library keeps them across connections, where they mean nothing.
fn connect_properties(max_payload: usize) -> ConnectProperties {
    let mut properties = ConnectProperties::new();
    properties.session_expiry_interval = Some(0);
    properties.max_packet_size = Some(packet_size(max_payload));
    properties
}

pub(super) fn packet_size(max_payload: usize) -> u32 {
    u32::try_from(max_payload + HEADROOM).unwrap_or(u32::MAX)
}

fn last_will(will: &crate::link::LastWill) -> LastWill {
    let properties = will.retain.then(|| LastWillProperties {
        delay_interval: None,
        payload_format_indicator: None,
        message_expiry_interval: Some(KEPT_SECONDS),
        content_type: None,
        response_topic: None,
        correlation_data: None,
        user_properties: Vec::new(),
    });
    LastWill::new(
        &will.topic,
        will.payload.to_vec(),
        QoS::AtLeastOnce,
        will.retain,
        properties,
    )
}
