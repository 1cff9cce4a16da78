//! What comes on answers that go on: the lines of a watch, the text of a log.

use super::client::innermost;
use super::failure::Failure;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use kube::client::Body;
use std::time::Duration;

/// The largest line: etcd takes objects of 1.5 MB, and JSON is several times their stored form at worst.
const LONGEST: usize = 64 * 1024 * 1024;

/// What came on a watch.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A whole line, without its end.
    Line(Bytes),
    /// A part of one: a sign of life.
    Part,
    /// The server ended the watch, as it does every few minutes.
    End,
}

/// The lines of one watch's body.
pub(super) struct Lines {
    body: Body,
    framing: Framing,
    server: String,
    silence: Duration,
}

impl Lines {
    pub(super) fn new(body: Body, server: &str, silence: Duration) -> Self {
        Self {
            body,
            framing: Framing::default(),
            server: server.into(),
            silence,
        }
    }

    /// Waits for something to be heard. Cancel safe: what was read stays.
    pub(super) async fn next(&mut self) -> Result<Heard, Failure> {
        if let Some(line) = self.framing.line() {
            return Ok(Heard::Line(line));
        }
        let silent = |_| Failure::unavailable(format!("a watch of {} fell silent", self.server));
        let frame = tokio::time::timeout(self.silence, self.body.frame())
            .await
            .map_err(silent)?;
        let Some(frame) = frame else {
            return Ok(Heard::End);
        };
        let frame = frame.map_err(|error| {
            let why = innermost(&error);
            Failure::unavailable(format!("a watch of {} broke off: {why}", self.server))
        })?;
        if let Ok(chunk) = frame.into_data() {
            self.framing.push(&chunk)?;
        }
        Ok(self.framing.line().map_or(Heard::Part, Heard::Line))
    }
}

/// The text of one log's body.
pub(super) struct Pieces {
    body: Body,
    server: String,
    silence: Duration,
}

impl Pieces {
    pub(super) fn new(body: Body, server: &str, silence: Duration) -> Self {
        Self {
            body,
            server: server.into(),
            silence,
        }
    }

    /// Waits for more; none when the server has ended the log.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            let silent = |_| {
                Failure::unavailable(format!(
                    "a log of {} was silent for {:?}: it is opened anew",
                    self.server, self.silence
                ))
            };
            let frame = tokio::time::timeout(self.silence, self.body.frame())
                .await
                .map_err(silent)?;
            let Some(frame) = frame else {
                return Ok(None);
            };
            let frame = frame.map_err(|error| {
                let why = innermost(&error);
                Failure::unavailable(format!("a log of {} broke off: {why}", self.server))
            })?;
            if let Ok(bytes) = frame.into_data() {
                return Ok(Some(bytes));
            }
        }
    }
}

/// Cuts chunks into lines.
#[derive(Debug, Default)]
struct Framing {
    buffer: BytesMut,
    /// So far no line ends in the buffer.
    searched: usize,
}

impl Framing {
    fn push(&mut self, chunk: &[u8]) -> Result<(), Failure> {
        if self.buffer.len() + chunk.len() > LONGEST {
            return Err(Failure::unavailable("a watch event is larger than 64 MiB"));
        }
        self.buffer.extend_from_slice(chunk);
        Ok(())
    }

    fn line(&mut self) -> Option<Bytes> {
        loop {
            let Some(end) = memchr::memchr(b'\n', &self.buffer[self.searched..]) else {
                self.searched = self.buffer.len();
                return None;
            };
            let mut line = self.buffer.split_to(self.searched + end + 1).freeze();
            self.searched = 0;
            line.truncate(line.len() - 1);
            if !line.trim_ascii().is_empty() {
                return Some(line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(chunks: &[&str]) -> Vec<String> {
        let mut framing = Framing::default();
        let mut lines = Vec::new();
        for chunk in chunks {
            framing.push(chunk.as_bytes()).unwrap();
            while let Some(line) = framing.line() {
                lines.push(String::from_utf8(line.to_vec()).unwrap());
            }
        }
        lines
    }

    #[test]
    fn lines_come_out_whole_however_they_were_cut() {
        let text = "{\"a\":1}\n\n  \n{\"b\":2}\r\n{\"c\"";
        let whole = framed(&[text]);
        assert_eq!(whole, ["{\"a\":1}", "{\"b\":2}\r"]);
        let single: Vec<String> = text.chars().map(String::from).collect();
        let single: Vec<&str> = single.iter().map(String::as_str).collect();
        assert_eq!(framed(&single), whole);
    }

    #[test]
    fn a_line_without_end_is_given_up() {
        let mut framing = Framing::default();
        let chunk = vec![b'x'; LONGEST / 4];
        for _ in 0..4 {
            framing.push(&chunk).unwrap();
        }
        assert!(framing.push(b"x").is_err());
    }
}
