//! One connection to be made: options that were checked, and files that were read.

use super::failure::Attempt;
use super::tls;
use crate::link::options::Target;
use crate::link::{BrokerOptions, OptionsError, QualityOfService};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    Connect, ConnectProperties, LastWill, LastWillProperties, Login, Packet,
};
use rustls::ClientConfig;
use std::sync::Arc;
use std::time::Duration;

/// What a packet needs beside its payload: a topic of at most 256 bytes, properties, numbers.
pub(super) const HEADROOM: usize = 512;

/// How long everything up to the broker's answer may take.
pub(super) const ANSWER: Duration = Duration::from_secs(5);

/// How long a broker keeps what it is asked to keep: as long as presence counts.
pub(super) const KEPT_SECONDS: u32 = 7 * 24 * 3600;

/// Everything that a connection needs to know before it exists.
pub(super) struct Plan {
    pub(super) target: Target,
    pub(super) tls: Option<Arc<ClientConfig>>,
    /// The first packet.
    pub(super) connect: Packet,
    pub(super) attempt: Attempt,
    pub(super) quality_of_service: QualityOfService,
    pub(super) keep_alive: Duration,
    pub(super) max_payload: usize,
}

impl Plan {
    /// Checks the options and reads their files.
    pub(super) fn new(options: &BrokerOptions) -> Result<Self, OptionsError> {
        let target = options.target()?;
        let tls = if target.tls {
            Some(Arc::new(tls::client_config(options)?))
        } else {
            None
        };
        let certificate_user = tls::certificate_user(options)?;
        let attempt = Attempt {
            broker: target.to_string(),
            host: target.host.clone(),
            client_id: options.client_id.clone(),
            user: target
                .login
                .as_ref()
                .map(|(name, _)| name.clone())
                .or(certificate_user)
                .unwrap_or_else(|| "-".to_owned()),
            connected: false,
        };
        Ok(Self {
            connect: connect(options, &target),
            target,
            tls,
            attempt,
            quality_of_service: options.quality_of_service,
            keep_alive: options.keep_alive,
            max_payload: options.max_payload,
        })
    }

    /// The largest packet that we take and, unless the broker wants less, send.
    pub(super) fn max_packet(&self) -> usize {
        max_packet(self.max_payload)
    }
}

pub(super) fn max_packet(max_payload: usize) -> usize {
    max_payload + HEADROOM
}

fn connect(options: &BrokerOptions, target: &Target) -> Packet {
    let mut properties = ConnectProperties::new();
    properties.session_expiry_interval = Some(0);
    properties.max_packet_size = u32::try_from(max_packet(options.max_payload)).ok();
    // No topic aliases: that would be another thing to keep in step, for a few bytes.
    let connect = Connect {
        keep_alive: u16::try_from(options.keep_alive.as_secs()).unwrap_or(u16::MAX),
        client_id: options.client_id.clone(),
        clean_start: true,
        properties: Some(properties),
    };
    let login = target
        .login
        .as_ref()
        .map(|(name, password)| Login::new(name, password.reveal()));
    Packet::Connect(connect, options.last_will.as_ref().map(last_will), login)
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
