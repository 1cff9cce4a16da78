//! What we want and what the broker takes, whichever is less.

use super::plan::{HEADROOM, KEPT_SECONDS, max_packet};
use crate::link::{Publish, QualityOfService};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{ConnAckProperties, PublishProperties};

/// More of our messages than that are never under way, whatever the broker allows: AWS IoT closes the connection at
/// 101.
const UNACKNOWLEDGED: u16 = 100;

/// The limits of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    /// For subscriptions, and for all messages but those that ask for more.
    wanted: QualityOfService,
    ceiling: QualityOfService,
    retains: bool,
    max_packet: usize,
    /// Messages under way without an acknowledgement.
    pub(super) unacknowledged: usize,
    /// The broker told at least one of its limits.
    pub(super) announced: bool,
}

impl Terms {
    pub(super) fn agreed(
        wanted: QualityOfService,
        max_payload: usize,
        broker: Option<&ConnAckProperties>,
    ) -> Self {
        let ceiling = match broker.and_then(|limits| limits.max_qos) {
            Some(0) => QualityOfService::AtMostOnce,
            Some(1) => QualityOfService::AtLeastOnce,
            _ => QualityOfService::ExactlyOnce,
        };
        let largest = broker.and_then(|limits| limits.max_packet_size);
        let receive_max = broker.and_then(|limits| limits.receive_max);
        let ours = max_packet(max_payload);
        Self {
            wanted: wanted.min(ceiling),
            ceiling,
            retains: broker.and_then(|limits| limits.retain_available) != Some(0),
            max_packet: largest.map_or(ours, |largest| ours.min(largest as usize)),
            unacknowledged: receive_max.unwrap_or(u16::MAX).min(UNACKNOWLEDGED).into(),
            announced: largest.is_some() || receive_max.is_some(),
        }
    }

    pub(super) fn max_payload(&self) -> usize {
        self.max_packet.saturating_sub(HEADROOM)
    }

    /// For subscriptions.
    pub(super) fn quality(&self) -> QoS {
        in_library(self.wanted)
    }

    pub(super) fn quality_for(&self, message: &Publish) -> QoS {
        let least = if message.at_least_once {
            QualityOfService::AtLeastOnce.min(self.ceiling)
        } else {
            QualityOfService::AtMostOnce
        };
        in_library(self.wanted.max(least))
    }

    pub(super) fn properties_for(&self, message: &Publish) -> PublishProperties {
        PublishProperties {
            message_expiry_interval: self.retain(message).then_some(KEPT_SECONDS),
            ..PublishProperties::default()
        }
    }

    /// Asking a broker that keeps nothing to keep something would end the connection.
    pub(super) fn retain(&self, message: &Publish) -> bool {
        message.retain && self.retains
    }

    /// Why the message cannot go, if it cannot. Sent nevertheless, it would end the connection.
    pub(super) fn refusal(&self, message: &Publish) -> Option<String> {
        const AROUND: usize = 20; // at most: 5 fixed header, 2 topic length, 2 number, 6 properties
        let size = message.topic.len() + message.payload.len() + AROUND;
        (size > self.max_packet).then(|| {
            format!(
                "{} bytes are more than the {} that go in one message",
                message.payload.len(),
                self.max_payload()
            )
        })
    }
}

fn in_library(quality: QualityOfService) -> QoS {
    match quality {
        QualityOfService::AtMostOnce => QoS::AtMostOnce,
        QualityOfService::AtLeastOnce => QoS::AtLeastOnce,
        QualityOfService::ExactlyOnce => QoS::ExactlyOnce,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::{Bytes, BytesMut};
    use rumqttc::v5::mqttbytes::v5::{ConnAck, Packet};

    const PAYLOAD: usize = 64 << 10;

    /// What a broker that says so much would be understood to say.
    fn broker(properties: &[u8]) -> Option<ConnAckProperties> {
        let mut bytes = BytesMut::from(&[0x20, 3 + properties.len() as u8, 0, 0][..]);
        bytes.extend_from_slice(&[properties.len() as u8]);
        bytes.extend_from_slice(properties);
        match Packet::read(&mut bytes, None) {
            Ok(Packet::ConnAck(ConnAck { properties, .. })) => properties,
            other => panic!("{other:?}"),
        }
    }

    fn message(bytes: usize) -> Publish {
        Publish {
            topic: "t".repeat(256),
            payload: Bytes::from(vec![0; bytes]),
            retain: true,
            at_least_once: true,
            ticket: 0,
        }
    }

    #[test]
    fn a_silent_broker_leaves_us_to_our_own_limits() {
        let terms = Terms::agreed(QualityOfService::AtMostOnce, PAYLOAD, None);
        assert_eq!(terms.max_payload(), PAYLOAD);
        assert_eq!(terms.unacknowledged, 100);
        assert!(!terms.announced);
        assert_eq!(terms.quality(), QoS::AtMostOnce);
        assert_eq!(terms.quality_for(&message(1)), QoS::AtLeastOnce);
        assert!(terms.retain(&message(1)));
        let kept = terms.properties_for(&message(1)).message_expiry_interval;
        assert_eq!(kept, Some(604_800), "a week");
    }

    #[test]
    fn the_brokers_limits_win() {
        // maximum packet size 4,096; maximum quality 0; nothing retained; 20 unacknowledged
        let limits = broker(&[39, 0, 0, 16, 0, 36, 0, 37, 0, 33, 0, 20]);
        let terms = Terms::agreed(QualityOfService::ExactlyOnce, PAYLOAD, limits.as_ref());
        assert_eq!(terms.max_payload(), 4096 - HEADROOM);
        assert_eq!(terms.unacknowledged, 20);
        assert!(terms.announced);
        assert_eq!(terms.quality_for(&message(1)), QoS::AtMostOnce);
        assert!(!terms.retain(&message(1)));
        assert_eq!(
            terms.properties_for(&message(1)),
            PublishProperties::default()
        );
    }

    #[test]
    fn a_generous_broker_does_not_make_us_send_more_than_others_take() {
        let limits = broker(&[39, 1, 0, 0, 0]);
        let terms = Terms::agreed(QualityOfService::AtLeastOnce, PAYLOAD, limits.as_ref());
        assert_eq!(terms.max_payload(), PAYLOAD);
        assert_eq!(terms.refusal(&message(PAYLOAD)), None);
        let reason = terms.refusal(&message(PAYLOAD + HEADROOM)).unwrap();
        assert!(reason.contains("65536"), "{reason}");
    }
}
