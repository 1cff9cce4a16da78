//! From the checked messages to the generated ones.

use super::super::message;
use super::generated as wire;
use bytes::Bytes;

impl From<&message::Request> for wire::Request {
    fn from(request: &message::Request) -> Self {
        use wire::request::Kind;
        let kind = match request {
            message::Request::Sync(sync) => Kind::Sync(sync.into()),
            message::Request::Leave(selection) => Kind::Leave(wire::Leave {
                selection: Some(selection.into()),
            }),
            message::Request::Who(rid) => Kind::Who(wire::Who { rid: *rid }),
            message::Request::LogOpen(open) => Kind::LogOpen(open.into()),
            message::Request::LogCredit(credit) => Kind::LogCredit(credit.into()),
            message::Request::LogClose(rid) => Kind::LogClose(wire::LogClose { rid: *rid }),
        };
        Self { kind: Some(kind) }
    }
}

impl From<&message::Reply> for wire::Reply {
    fn from(reply: &message::Reply) -> Self {
        use wire::reply::Kind;
        let kind = match reply {
            message::Reply::Page(page) => Kind::Page(page.into()),
            message::Reply::Status(status) => Kind::Status(status.into()),
            message::Reply::Presence(presence) => Kind::Presence(presence.into()),
            message::Reply::LogChunk(chunk) => Kind::LogChunk(chunk.into()),
        };
        Self { kind: Some(kind) }
    }
}

impl From<message::Epoch> for wire::Epoch {
    fn from(epoch: message::Epoch) -> Self {
        Self {
            number: epoch.term.number,
            nonce: epoch.term.nonce,
            feed: epoch.feed,
        }
    }
}

impl From<&message::Selection> for wire::Selection {
    fn from(selection: &message::Selection) -> Self {
        let view = match selection.view {
            message::View::Rows => wire::View::Rows,
            message::View::Objects => wire::View::Objects,
            message::View::Resources => wire::View::Resources,
            message::View::Source => wire::View::Source,
            message::View::Work => wire::View::Work,
            message::View::Status => wire::View::Status,
        };
        Self {
            resource: selection.resource.clone(),
            namespace: selection.namespace.clone(),
            labels: selection.labels.clone(),
            fields: selection.fields.clone(),
            view: view.into(),
            managed_fields: selection.managed_fields,
            secret_values: selection.secret_values,
        }
    }
}

impl From<&message::Sync> for wire::Sync {
    fn from(sync: &message::Sync) -> Self {
        Self {
            rid: sync.rid,
            epoch: Some(sync.epoch.into()),
            digests: sync.digests.clone(),
            from: sync.from.clone(),
            max_messages: sync.max_messages,
            lease_s: sync.lease_s,
            selection: Some((&sync.selection).into()),
            dictionary: sync.dictionary,
        }
    }
}

impl From<&message::Page> for wire::Page {
    fn from(page: &message::Page) -> Self {
        Self {
            rid: page.rid,
            stream: stream(page.stream),
            live_topic: page.live_topic.clone(),
            epoch: Some(page.epoch.into()),
            seq: page.seq,
            digest: page.digest,
            differs: page.differs.clone(),
            from: page.from.clone(),
            next: page.next.clone(),
            last: page.last,
            end: page.end,
            upstream_age_ms: page.upstream_age_ms,
            now_ms: page.now_ms,
            dictionary: page.dictionary.clone(),
            entries: page.entries.clone(),
            changed: page.changed,
            up_to: page.up_to,
        }
    }
}

impl From<&message::Status> for wire::Status {
    fn from(status: &message::Status) -> Self {
        use wire::status::{Listing, Refused, Serving, State, UpstreamDown};
        let state = match status.state.clone() {
            message::State::Listing { items } => State::Listing(Listing { items }),
            message::State::Serving => State::Serving(Serving {}),
            message::State::UpstreamDown { since_ms, message } => {
                State::UpstreamDown(UpstreamDown { since_ms, message })
            }
            message::State::Refused {
                code,
                reason,
                message,
            } => State::Refused(Refused {
                code,
                reason,
                message,
            }),
        };
        Self {
            rid: status.rid,
            epoch: Some(status.epoch.into()),
            resource: status.resource.clone(),
            state: Some(state),
        }
    }
}

impl From<&message::Live> for wire::Live {
    fn from(live: &message::Live) -> Self {
        Self {
            stream: stream(live.stream),
            epoch: Some(live.epoch.into()),
            flush: live.flush,
            prev: live.prev,
            to: live.to,
            index: live.index,
            count: live.count,
            digest: live.digest,
            upstream_age_ms: live.upstream_age_ms,
            changes: live.changes.clone(),
            changed: live.changed,
        }
    }
}

impl From<&message::Presence> for wire::Presence {
    fn from(presence: &message::Presence) -> Self {
        Self {
            number: presence.term.number,
            nonce: presence.term.nonce,
            online: presence.online,
            cluster: presence.cluster.clone(),
            role: presence.role.clone(),
            cluster_uid: presence.cluster_uid.clone(),
            kubernetes_version: presence.kubernetes_version.clone(),
            version: presence.version.clone(),
            labels: presence.labels.iter().cloned().collect(),
            capabilities: presence.capabilities.clone(),
            rid: presence.rid,
            at_ms: presence.at_ms,
        }
    }
}

fn stream(id: message::StreamId) -> Bytes {
    Bytes::copy_from_slice(&id.0.to_be_bytes())
}
