//! The messages of logs, from and to the generated ones.

use super::super::frame::DecodeError;
use super::super::logs::{LogChunk, LogCredit, LogEnd, LogOpen, LogSelection, is_name};
use super::generated as wire;
use super::incoming::{Checked, check, word};

impl TryFrom<wire::LogOpen> for LogOpen {
    type Error = DecodeError;
    fn try_from(open: wire::LogOpen) -> Checked<Self> {
        check("rid", open.rid != 0)?;
        check("namespace", is_name(&open.namespace))?;
        check("pod", is_name(&open.pod))?;
        check("container", is_name(&open.container))?;
        Ok(Self {
            rid: open.rid,
            log: LogSelection {
                namespace: open.namespace,
                pod: open.pod,
                container: open.container,
                follow: open.follow,
                previous: open.previous,
                tail: open.tail,
                since_s: open.since_s,
                from_s: open.from_s,
            },
            credit: open.credit,
            lease_s: open.lease_s,
        })
    }
}

impl TryFrom<wire::LogCredit> for LogCredit {
    type Error = DecodeError;
    fn try_from(credit: wire::LogCredit) -> Checked<Self> {
        check("rid", credit.rid != 0)?;
        Ok(Self {
            rid: credit.rid,
            credit: credit.credit,
            lease_s: credit.lease_s,
        })
    }
}

impl TryFrom<wire::LogChunk> for LogChunk {
    type Error = DecodeError;
    fn try_from(chunk: wire::LogChunk) -> Checked<Self> {
        check("rid", chunk.rid != 0)?;
        Ok(Self {
            rid: chunk.rid,
            index: chunk.index,
            lines: chunk.lines,
            end: chunk.end.map(LogEnd::try_from).transpose()?,
        })
    }
}

impl TryFrom<wire::LogEnd> for LogEnd {
    type Error = DecodeError;
    fn try_from(end: wire::LogEnd) -> Checked<Self> {
        use wire::log_end::Why;
        Ok(match end.why.ok_or(DecodeError::UnknownKind)? {
            Why::Finished(_) => Self::Finished,
            Why::NotOpen(_) => Self::NotOpen,
            Why::Broken(down) => Self::Broken(down.message),
            Why::Refused(refused) => Self::Refused {
                code: refused.code,
                reason: word("reason", refused.reason)?,
                message: refused.message,
            },
        })
    }
}

impl From<&LogOpen> for wire::LogOpen {
    fn from(open: &LogOpen) -> Self {
        let log = &open.log;
        Self {
            rid: open.rid,
            namespace: log.namespace.clone(),
            pod: log.pod.clone(),
            container: log.container.clone(),
            follow: log.follow,
            previous: log.previous,
            tail: log.tail,
            since_s: log.since_s,
            from_s: log.from_s,
            credit: open.credit,
            lease_s: open.lease_s,
        }
    }
}

impl From<&LogCredit> for wire::LogCredit {
    fn from(credit: &LogCredit) -> Self {
        Self {
            rid: credit.rid,
            credit: credit.credit,
            lease_s: credit.lease_s,
        }
    }
}

impl From<&LogChunk> for wire::LogChunk {
    fn from(chunk: &LogChunk) -> Self {
        Self {
            rid: chunk.rid,
            index: chunk.index,
            lines: chunk.lines.clone(),
            end: chunk.end.as_ref().map(Into::into),
        }
    }
}

impl From<&LogEnd> for wire::LogEnd {
    fn from(end: &LogEnd) -> Self {
        use wire::log_end::{Finished, NotOpen, Why};
        let why = match end.clone() {
            LogEnd::Finished => Why::Finished(Finished {}),
            LogEnd::NotOpen => Why::NotOpen(NotOpen {}),
            LogEnd::Broken(message) => Why::Broken(wire::status::UpstreamDown {
                since_ms: 0,
                message,
            }),
            LogEnd::Refused {
                code,
                reason,
                message,
            } => Why::Refused(wire::status::Refused {
                code,
                reason,
                message,
            }),
        };
        Self { why: Some(why) }
    }
}
