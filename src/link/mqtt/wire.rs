//! Packets on a byte stream: reading them one by one, and what is still to be written.

use super::outbox::Outbox;
use crate::link::Ticket;
use bytes::{Buf, BufMut, BytesMut};
use rumqttc::v5::mqttbytes::v5::Packet;
use std::collections::VecDeque;
use std::io;
use tokio_util::codec::Decoder;

/// CONNACK and DISCONNECT, the types of packets that come in a short form (MQTT 5, sections 3.2 and 3.14).
const CONNACK: u8 = 2;
const DISCONNECT: u8 = 14;

/// Why nothing more can be read.
#[derive(Debug)]
pub(super) enum WireError {
    /// The socket failed, or TLS.
    Io(io::Error),
    /// A packet above what we agreed to take.
    TooLarge,
    /// Bytes that are no packet, or half of one at the end.
    Malformed,
}

impl From<io::Error> for WireError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads packets of at most so many bytes.
#[derive(Debug)]
pub(super) struct Packets {
    pub(super) largest: usize,
}

impl Decoder for Packets {
    type Item = Packet;
    type Error = WireError;

    fn decode(&mut self, stream: &mut BytesMut) -> Result<Option<Packet>, WireError> {
        let Some((header, body)) = lengths(stream)? else {
            return Ok(None);
        };
        if body > self.largest {
            return Err(WireError::TooLarge);
        }
        if stream.len() < header + body {
            stream.reserve(header + body - stream.len());
            return Ok(None);
        }
        let mut packet = stream.split_to(header + body);
        in_long_form(&mut packet, body);
        // The packet is whole, so that the library asks for more bytes means that it lies about its inside.
        Packet::read(&mut packet, None)
            .map(Some)
            .map_err(|_| WireError::Malformed)
    }

    fn decode_eof(&mut self, stream: &mut BytesMut) -> Result<Option<Packet>, WireError> {
        match self.decode(stream)? {
            None if !stream.is_empty() => Err(WireError::Malformed),
            packet => Ok(packet),
        }
    }
}

/// The lengths of the fixed header and of what follows it; `None` when more bytes are needed to tell.
fn lengths(stream: &[u8]) -> Result<Option<(usize, usize)>, WireError> {
    let mut length = 0;
    for (index, byte) in stream.iter().skip(1).take(4).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(Some((index + 2, length)));
        }
    }
    if stream.len() > 4 {
        return Err(WireError::Malformed);
    }
    Ok(None)
}

/// The library reads neither a DISCONNECT without properties, which is how brokers say who took over, nor the CONNACK
/// of MQTT 3.1.1, which is how older brokers say what they are: spell out what is left out.
fn in_long_form(packet: &mut BytesMut, body: usize) {
    match (packet.first().map(|byte| byte >> 4), body) {
        (Some(DISCONNECT), 0) => packet.put_slice(&[0, 0]), // reason: normal; no properties
        (Some(DISCONNECT), 1) | (Some(CONNACK), 2) => packet.put_u8(0), // no properties
        _ => return,
    }
    let longer = packet.len() - 2;
    if let Some(length) = packet.get_mut(1) {
        *length = longer as u8; // 2 or 3
    }
}

/// Packets that are to be written, and what is to be told when they are.
#[derive(Debug, Default)]
pub(super) struct Unwritten {
    bytes: BytesMut,
    /// Of all packets, ever.
    queued: u64,
    marks: VecDeque<Mark>,
}

/// The end of a message of ours in the stream.
#[derive(Debug)]
struct Mark {
    end: u64,
    cost: usize,
    /// Nothing will be heard of it: written is acknowledged.
    ticket: Option<Ticket>,
}

impl Unwritten {
    /// # Errors
    /// When the packet cannot be put into bytes (an over-long topic, for example); nothing is queued then.
    pub(super) fn push(&mut self, packet: &Packet) -> Result<(), WireError> {
        let before = self.bytes.len();
        match packet.write(&mut self.bytes, None) {
            Ok(_) => {
                self.queued += (self.bytes.len() - before) as u64;
                Ok(())
            }
            Err(_) => {
                self.bytes.truncate(before);
                Err(WireError::Malformed)
            }
        }
    }

    /// Marks the end of a message that weighs so much in the outbox.
    pub(super) fn mark(&mut self, cost: usize, ticket: Option<Ticket>) {
        let end = self.queued;
        self.marks.push_back(Mark { end, cost, ticket });
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// For the writer.
    pub(super) fn chunk(&self) -> &[u8] {
        &self.bytes
    }

    /// So much of the chunk was written: makes room in the outbox, and gives the tickets that this acknowledges.
    pub(super) fn wrote(&mut self, count: usize, outbox: &Outbox) -> Vec<Ticket> {
        self.bytes.advance(count);
        let written = self.queued - self.bytes.len() as u64;
        let mut tickets = Vec::new();
        while let Some(mark) = self.marks.pop_front_if(|mark| mark.end <= written) {
            outbox.settled(mark.cost);
            tickets.extend(mark.ticket);
        }
        tickets
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rumqttc::v5::mqttbytes::Error;
    use rumqttc::v5::mqttbytes::v5::{
        ConnAck, ConnectReturnCode, Disconnect, DisconnectReasonCode, PingReq,
    };

    fn read(bytes: &[u8]) -> Result<Option<Packet>, WireError> {
        Packets { largest: 100 }.decode(&mut BytesMut::from(bytes))
    }

    #[test]
    fn who_took_over_is_understood() {
        for (bytes, expected) in [
            (&[0xe0, 1, 0x8e][..], DisconnectReasonCode::SessionTakenOver),
            (&[0xe0, 2, 0x8e, 0], DisconnectReasonCode::SessionTakenOver),
            (&[0xe0, 0], DisconnectReasonCode::NormalDisconnection),
        ] {
            match read(bytes) {
                Ok(Some(Packet::Disconnect(Disconnect { reason_code, .. }))) => {
                    assert_eq!(reason_code, expected);
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn an_older_broker_is_malformed_at_once() {
        assert!(matches!(read(&[0x20, 2, 0, 1]), Err(WireError::Malformed)));
        let yes = ConnAck {
            session_present: false,
            code: ConnectReturnCode::Success,
            properties: None,
        };
        assert!(
            matches!(read(&[0x20, 3, 0, 0, 0]), Ok(Some(Packet::ConnAck(answer))) if answer == yes)
        );
    }

    #[test]
    fn a_packet_is_read_when_it_is_whole() {
        let mut stream = BytesMut::new();
        let mut packets = Packets { largest: 100 };
        for byte in [0xd0, 0, 0x40, 2, 0] {
            stream.put_u8(byte);
        }
        assert!(matches!(
            packets.decode(&mut stream),
            Ok(Some(Packet::PingResp(_)))
        ));
        assert!(matches!(packets.decode(&mut stream), Ok(None)));
        stream.put_u8(7);
        assert!(
            matches!(packets.decode(&mut stream), Ok(Some(Packet::PubAck(ack))) if ack.pkid == 7)
        );
        stream.put_u8(0x40);
        assert!(matches!(
            packets.decode_eof(&mut stream),
            Err(WireError::Malformed)
        ));
    }

    #[test]
    fn too_much_is_refused_before_it_is_read() {
        assert!(matches!(read(&[0x30, 101]), Err(WireError::TooLarge)));
        assert!(matches!(read(&[0x30, 100]), Ok(None)));
        let endless = read(&[0x30, 0xff, 0xff, 0xff, 0xff]);
        assert!(matches!(endless, Err(WireError::Malformed)));
    }

    #[test]
    fn what_is_written_is_told_when_its_last_byte_is() {
        let outbox = Outbox::default();
        let mut unwritten = Unwritten::default();
        for ticket in 1..=2 {
            unwritten.push(&Packet::PingReq(PingReq)).unwrap();
            unwritten.mark(0, Some(ticket));
        }
        assert!(unwritten.wrote(1, &outbox).is_empty());
        assert_eq!(unwritten.wrote(2, &outbox), [1]);
        assert_eq!(unwritten.wrote(1, &outbox), [2]);
        assert!(unwritten.is_empty());
    }

    proptest! {
        /// The library's reader is the part that strangers talk to: it must end, and not by a panic.
        #[test]
        fn any_bytes_are_packets_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut stream = BytesMut::from(&bytes[..]);
            let mut packets = Packets { largest: 64 };
            for _ in 0..=bytes.len() {
                match packets.decode_eof(&mut stream) {
                    Ok(Some(_)) => {}
                    Ok(None) | Err(_) => return Ok(()),
                }
            }
            prop_assert!(false, "more packets than bytes");
        }

        #[test]
        fn a_changed_byte_is_no_panic(at in 0_usize..40, byte: u8) {
            let mut bytes = BytesMut::new();
            let packet = ConnAck { session_present: true, code: ConnectReturnCode::Success, properties: None };
            let written: Result<usize, Error> = packet.write(&mut bytes);
            prop_assert!(written.is_ok());
            bytes.put_slice(&[0x32, 20, 0, 3, b'a', b'/', b'b', 0, 9, 9, 2, 0, 0, 0, 1, 11, 5, 35, 0, 1, b'x', b'y']);
            let at = at % bytes.len();
            bytes[at] = byte;
            let mut packets = Packets { largest: 64 };
            while let Ok(Some(_)) = packets.decode_eof(&mut bytes) {}
        }
    }
}
