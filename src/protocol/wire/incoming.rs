//! From the generated messages to the checked ones: everything here was written by somebody else.

use super::super::compress::MAX_DICTIONARY;
use super::super::frame::DecodeError;
use super::super::message::{self, MAX_BUCKETS, MAX_CURSOR, MAX_SELECTOR, MAX_TOPIC, MAX_WORD};
use super::super::names::{ClusterName, is_visible};
use super::super::selector::check_label;
use super::generated as wire;
use bytes::Bytes;

pub(super) type Checked<T> = Result<T, DecodeError>;

impl TryFrom<wire::Request> for message::Request {
    type Error = DecodeError;
    fn try_from(request: wire::Request) -> Checked<Self> {
        use wire::request::Kind;
        Ok(match request.kind.ok_or(DecodeError::UnknownKind)? {
            Kind::Sync(sync) => Self::Sync(sync.try_into()?),
            Kind::Leave(leave) => Self::Leave(selection(leave.selection)?),
            Kind::Who(who) => Self::Who(who.rid),
            Kind::LogOpen(open) => Self::LogOpen(open.try_into()?),
            Kind::LogCredit(credit) => Self::LogCredit(credit.try_into()?),
            Kind::LogClose(close) => Self::LogClose(close.rid),
        })
    }
}

impl TryFrom<wire::Reply> for message::Reply {
    type Error = DecodeError;
    fn try_from(reply: wire::Reply) -> Checked<Self> {
        use wire::reply::Kind;
        Ok(match reply.kind.ok_or(DecodeError::UnknownKind)? {
            Kind::Page(page) => Self::Page(page.try_into()?),
            Kind::Status(status) => Self::Status(status.try_into()?),
            Kind::Presence(presence) => Self::Presence(presence.try_into()?),
            Kind::LogChunk(chunk) => Self::LogChunk(chunk.try_into()?),
        })
    }
}

impl TryFrom<wire::Sync> for message::Sync {
    type Error = DecodeError;
    fn try_from(sync: wire::Sync) -> Checked<Self> {
        let renewal = sync.max_messages == 0;
        let buckets = sync.digests.len();
        check(
            "digests",
            buckets <= MAX_BUCKETS
                && (buckets.is_power_of_two() || (renewal && sync.digests.is_empty())),
        )?;
        check("rid", renewal || sync.rid != 0)?;
        Ok(Self {
            rid: sync.rid,
            epoch: epoch(sync.epoch),
            digests: sync.digests,
            from: bounded("from", sync.from, MAX_CURSOR)?,
            max_messages: sync.max_messages,
            lease_s: sync.lease_s,
            selection: selection(sync.selection)?,
            dictionary: sync.dictionary,
        })
    }
}

impl TryFrom<wire::Page> for message::Page {
    type Error = DecodeError;
    fn try_from(page: wire::Page) -> Checked<Self> {
        let dictionary = match page.dictionary {
            Some(dictionary) => Some(bounded("dictionary", dictionary, MAX_DICTIONARY)?),
            None => None,
        };
        Ok(Self {
            rid: page.rid,
            stream: stream(&page.stream)?,
            live_topic: topic("live_topic", page.live_topic)?,
            epoch: epoch(page.epoch),
            seq: page.seq,
            digest: page.digest,
            differs: bounded("differs", page.differs, MAX_BUCKETS / 8)?,
            from: bounded("from", page.from, MAX_CURSOR)?,
            next: bounded("next", page.next, MAX_CURSOR)?,
            last: page.last,
            end: page.end,
            upstream_age_ms: page.upstream_age_ms,
            now_ms: page.now_ms,
            dictionary,
            entries: page.entries,
            changed: page.changed,
            up_to: page.up_to,
        })
    }
}

impl TryFrom<wire::Status> for message::Status {
    type Error = DecodeError;
    fn try_from(status: wire::Status) -> Checked<Self> {
        use wire::status::State;
        let state = match status.state.ok_or(DecodeError::UnknownKind)? {
            State::Listing(listing) => message::State::Listing {
                items: listing.items,
            },
            State::Serving(_) => message::State::Serving,
            State::UpstreamDown(down) => message::State::UpstreamDown {
                since_ms: down.since_ms,
                message: down.message,
            },
            State::Refused(refused) => message::State::Refused {
                code: refused.code,
                reason: word("reason", refused.reason)?,
                message: refused.message,
            },
        };
        Ok(Self {
            rid: status.rid,
            epoch: epoch(status.epoch),
            state,
            resource: word("resource", status.resource)?,
        })
    }
}

impl TryFrom<wire::Live> for message::Live {
    type Error = DecodeError;
    fn try_from(live: wire::Live) -> Checked<Self> {
        check("index", live.index < live.count)?;
        check("prev", live.prev <= live.to)?;
        Ok(Self {
            stream: stream(&live.stream)?,
            epoch: epoch(live.epoch),
            flush: live.flush,
            prev: live.prev,
            to: live.to,
            index: live.index,
            count: live.count,
            digest: live.digest,
            upstream_age_ms: live.upstream_age_ms,
            changes: live.changes,
            changed: live.changed,
        })
    }
}

impl TryFrom<wire::Presence> for message::Presence {
    type Error = DecodeError;
    fn try_from(presence: wire::Presence) -> Checked<Self> {
        check("cluster", ClusterName::new(&presence.cluster).is_ok())?;
        check("labels", presence.labels.len() <= message::MAX_LABELS)?;
        let labels = presence.labels.into_iter();
        let mut capabilities = words("capabilities", presence.capabilities.into_iter())?;
        capabilities.sort();
        Ok(Self {
            term: message::Term {
                number: presence.number,
                nonce: presence.nonce,
            },
            online: presence.online,
            cluster: presence.cluster,
            role: word("role", presence.role)?,
            cluster_uid: word("cluster_uid", presence.cluster_uid)?,
            kubernetes_version: word("kubernetes_version", presence.kubernetes_version)?,
            version: word("version", presence.version)?,
            labels: labels
                .map(|(key, value)| {
                    check("labels", check_label(&key, &value).is_ok())?;
                    Ok((key, value))
                })
                .collect::<Checked<_>>()?,
            capabilities,
            rid: presence.rid,
            at_ms: presence.at_ms,
        })
    }
}

/// An absent epoch is the lowest: nobody has heard of any.
fn epoch(epoch: Option<wire::Epoch>) -> message::Epoch {
    let epoch = epoch.unwrap_or_default();
    message::Epoch {
        term: message::Term {
            number: epoch.number,
            nonce: epoch.nonce,
        },
        feed: epoch.feed,
    }
}

/// The words are whatever a user typed; whoever resolves them says what is wrong with them, so only their length
/// counts.
fn selection(selection: Option<wire::Selection>) -> Checked<message::Selection> {
    let selection = selection.ok_or(DecodeError::Invalid("selection"))?;
    let view = match wire::View::try_from(selection.view) {
        Ok(wire::View::Rows) => message::View::Rows,
        Ok(wire::View::Objects) => message::View::Objects,
        Ok(wire::View::Resources) => message::View::Resources,
        Ok(wire::View::Source) => message::View::Source,
        Ok(wire::View::Work) => message::View::Work,
        Ok(wire::View::Status) => message::View::Status,
        Err(_) => return Err(DecodeError::UnknownKind),
    };
    Ok(message::Selection {
        resource: short("resource", selection.resource, MAX_WORD)?,
        namespace: short("namespace", selection.namespace, MAX_WORD)?,
        labels: short("labels", selection.labels, MAX_SELECTOR)?,
        fields: short("fields", selection.fields, MAX_SELECTOR)?,
        view,
        managed_fields: selection.managed_fields,
        secret_values: selection.secret_values,
    })
}

fn stream(bytes: &Bytes) -> Checked<message::StreamId> {
    let bytes: [u8; 16] = bytes
        .as_ref()
        .try_into()
        .map_err(|_| DecodeError::Invalid("stream"))?;
    Ok(message::StreamId(u128::from_be_bytes(bytes)))
}

/// A topic that will be subscribed to: a wildcard in it would bring everybody's messages.
fn topic(field: &'static str, topic: String) -> Checked<String> {
    let topic = text(field, topic, MAX_TOPIC)?;
    check(
        field,
        !topic.contains(['+', '#']) && !topic.starts_with('$'),
    )?;
    Ok(topic)
}

fn words(field: &'static str, words: impl Iterator<Item = String>) -> Checked<Vec<String>> {
    words.map(|it| word(field, it)).collect()
}

pub(super) fn word(field: &'static str, word: String) -> Checked<String> {
    text(field, word, MAX_WORD)
}

/// Text of one line that can be shown: whatever has a place for more (messages) is made harmless where it is printed.
fn text(field: &'static str, text: String, max: usize) -> Checked<String> {
    check(field, text.chars().all(is_visible))?;
    short(field, text, max)
}

fn short(field: &'static str, text: String, max: usize) -> Checked<String> {
    check(field, text.len() <= max)?;
    Ok(text)
}

fn bounded(field: &'static str, bytes: Bytes, max: usize) -> Checked<Bytes> {
    check(field, bytes.len() <= max)?;
    Ok(bytes)
}

pub(super) fn check(field: &'static str, holds: bool) -> Checked<()> {
    if holds {
        Ok(())
    } else {
        Err(DecodeError::Invalid(field))
    }
}
