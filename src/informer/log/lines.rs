//! The text of a log as lines, and where to go on in it.
//!
//! Kubernetes gives a log no positions: it can be read from a second on, and each line says when it was written. So a
//! log that broke off is read again from the second of the last line that came, what came before is dropped up to and
//! including that line, and if that line is not there any more, something may be missing, which is said.

use super::{Gap, LogLine};
use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use xxhash_rust::xxh3::xxh3_64;

/// The longest line that is kept whole, in bytes: what is longer is cut.
pub(super) const LONGEST: usize = 1 << 20;

/// The last line that came whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPosition {
    time: Timestamp,
    /// Of its text.
    hash: u64,
    /// How many lines of that very time came in a row, it included.
    same: u32,
    /// The newest time of any line: two streams of one container may overtake each other.
    newest: Timestamp,
}

impl LogPosition {
    /// The second from which a log has to be read to go on here, since 1970.
    pub(super) fn second(&self) -> i64 {
        self.time.as_second()
    }
}

/// A log that is read again, up to where it was.
#[derive(Clone, Copy, Debug)]
struct Seeking {
    /// Lines of the last one's time that came by.
    same: u32,
    /// The last line has to come by; it does not in another instance of the container.
    expects: bool,
}

/// What came of one slice.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) lines: Vec<LogLine>,
    pub(super) gap: Option<Gap>,
}

/// Cuts slices into lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    partial: BytesMut,
    /// The rest of a line that was cut is dropped.
    overlong: bool,
    position: Option<LogPosition>,
    seeking: Option<Seeking>,
}

impl Lines {
    /// Goes on after a position of another instance of the container: only what is newer is new.
    pub(super) fn after(position: Option<LogPosition>) -> Self {
        let seeking = position.as_ref().map(|_| Seeking {
            same: 0,
            expects: false,
        });
        Self {
            position,
            seeking,
            ..Self::default()
        }
    }

    /// Where it is.
    pub(super) fn position(&self) -> Option<&LogPosition> {
        self.position.as_ref()
    }

    /// The log begins anew, from the second of the position on.
    pub(super) fn again(&mut self) {
        self.partial.clear();
        self.overlong = false;
        let expects = self.seeking.is_none_or(|seeking| seeking.expects);
        self.seeking = self.position.as_ref().map(|_| Seeking { same: 0, expects });
    }

    /// Takes the next slice.
    pub(super) fn push(&mut self, slice: &Bytes) -> Cut {
        let mut cut = Cut::default();
        let mut rest = &slice[..];
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let line = rest.get(..end).unwrap_or_default();
            rest = rest.get(end + 1..).unwrap_or_default();
            self.add(line, &mut cut);
            self.end_line(&mut cut);
        }
        self.add(rest, &mut cut);
        cut
    }

    /// The log has ended: what is left is a line too.
    pub(super) fn finish(&mut self) -> Cut {
        let mut cut = Cut::default();
        if !self.partial.is_empty() {
            self.end_line(&mut cut);
        }
        if let (Some(Seeking { expects: true, .. }), Some(position)) =
            (self.seeking.take(), &self.position)
        {
            cut.gap = Some(Gap {
                after: position.newest,
                before: None,
            });
        }
        cut
    }

    fn add(&mut self, text: &[u8], cut: &mut Cut) {
        if self.overlong {
            return;
        }
        let room = LONGEST - self.partial.len();
        self.partial
            .extend_from_slice(text.get(..room).unwrap_or(text));
        if text.len() > room {
            let line = self.partial.split().freeze();
            self.overlong = true;
            self.line(line, true, cut);
        }
    }

    fn end_line(&mut self, cut: &mut Cut) {
        if std::mem::take(&mut self.overlong) {
            return;
        }
        let line = self.partial.split().freeze();
        self.line(line, false, cut);
    }

    fn line(&mut self, line: Bytes, is_cut: bool, cut: &mut Cut) {
        let (time, stamp, text) = timed(&line);
        let newest = self.position.as_ref().map(|position| position.newest);
        // One without a time is as old as the one before it.
        let at = time.or(newest).unwrap_or_default();
        let hash = xxh3_64(&text);
        if self.is_old(at, hash, cut) {
            return;
        }
        let same = match &self.position {
            Some(last) if last.time == at => last.same.saturating_add(1),
            _ => 1,
        };
        self.position = Some(LogPosition {
            time: at,
            hash,
            same,
            newest: newest.map_or(at, |newest| newest.max(at)),
        });
        cut.lines.push(LogLine {
            time,
            stamp,
            text,
            cut: is_cut,
        });
    }

    /// Whether a line came before.
    fn is_old(&mut self, at: Timestamp, hash: u64, cut: &mut Cut) -> bool {
        let (Some(seeking), Some(last)) = (&mut self.seeking, &self.position) else {
            return false;
        };
        if last.time == at {
            seeking.same = seeking.same.saturating_add(1);
            if seeking.same >= last.same && last.hash == hash {
                self.seeking = None;
            }
            return true;
        }
        if at <= last.newest {
            return true;
        }
        if seeking.expects {
            cut.gap = Some(Gap {
                after: last.newest,
                before: Some(at),
            });
        }
        self.seeking = None;
        false
    }
}

/// A line's time, and what is behind it.
fn timed(line: &Bytes) -> (Option<Timestamp>, Bytes, Bytes) {
    let end = memchr::memchr(b' ', line).unwrap_or(line.len());
    let time = line
        .get(..end)
        .and_then(|time| std::str::from_utf8(time).ok())
        .and_then(|time| time.parse::<Timestamp>().ok());
    match time {
        Some(time) => (
            Some(time),
            line.slice(..end),
            line.slice((end + 1).min(line.len())..),
        ),
        None => (None, Bytes::new(), line.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stamped(second: u32, text: &str) -> String {
        format!("2026-11-25T10:00:{second:02}.5Z {text}\n")
    }

    fn texts(cut: &Cut) -> Vec<String> {
        cut.lines
            .iter()
            .map(|line| String::from_utf8_lossy(&line.text).into_owned())
            .collect()
    }

    fn push(lines: &mut Lines, text: &str) -> Cut {
        lines.push(&Bytes::copy_from_slice(text.as_bytes()))
    }

    fn time(second: i64) -> Timestamp {
        format!("2026-11-25T10:00:{second:02}.5Z").parse().unwrap()
    }

    #[test]
    fn what_came_before_is_dropped_when_a_log_is_read_again() {
        let mut lines = Lines::default();
        let first = stamped(1, "a") + &stamped(2, "b") + &stamped(2, "b");
        assert_eq!(texts(&push(&mut lines, &first)), ["a", "b", "b"]);
        // A line that was not whole comes again.
        push(&mut lines, "2026-11-25T10:00:03Z half");
        lines.again();
        let position = lines.position().unwrap();
        assert_eq!(position.second(), time(2).as_second());
        let again = stamped(2, "b") + &stamped(2, "b") + &stamped(2, "b") + &stamped(4, "c");
        let cut = push(&mut lines, &again);
        assert_eq!((texts(&cut), cut.gap), (vec!["b".into(), "c".into()], None));
    }

    #[test]
    fn what_is_missing_is_said() {
        let mut lines = Lines::default();
        push(&mut lines, &stamped(1, "a"));
        lines.again();
        let cut = push(&mut lines, &stamped(5, "e"));
        let gap = Gap {
            after: time(1),
            before: Some(time(5)),
        };
        assert_eq!((texts(&cut), cut.gap), (vec!["e".into()], Some(gap)));
        lines.again();
        let gap = Gap {
            after: time(5),
            before: None,
        };
        assert_eq!(lines.finish().gap, Some(gap), "nothing came again");
    }

    #[test]
    fn two_streams_that_overtake_each_other_are_no_gap() {
        let mut lines = Lines::default();
        let text = stamped(3, "out") + &stamped(2, "err");
        push(&mut lines, &text);
        lines.again();
        let cut = push(&mut lines, &(text + &stamped(4, "new")));
        assert_eq!((texts(&cut), cut.gap), (vec!["new".into()], None));
    }

    #[test]
    fn another_instance_of_the_container_has_only_what_is_newer() {
        let mut lines = Lines::default();
        push(&mut lines, &stamped(2, "old"));
        let mut next = Lines::after(lines.position().cloned());
        let text = stamped(2, "old") + &stamped(3, "new");
        let cut = push(&mut next, &text);
        assert_eq!((texts(&cut), cut.gap), (vec!["new".into()], None));
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_the_next_one_is_whole() {
        let mut lines = Lines::default();
        let long = format!("2026-11-25T10:00:01Z {}", "x".repeat(2 * LONGEST));
        let cut = push(&mut lines, &format!("{long}\n{}", stamped(2, "b")));
        assert_eq!(cut.lines.len(), 2);
        assert!(cut.lines[0].cut && cut.lines[0].text.len() < LONGEST);
        assert_eq!(&cut.lines[1].text[..], b"b");
        assert!(lines.partial.is_empty());
    }

    #[test]
    fn times_of_any_zone_are_read_and_lines_without_one_are_kept() {
        let mut lines = Lines::default();
        let cut = push(&mut lines, "2026-11-25T11:00:01+01:00 a\nno time\n\n");
        assert_eq!(texts(&cut), ["a", "no time", ""]);
        let times: Vec<_> = cut.lines.iter().map(|line| line.time).collect();
        assert_eq!(times, ["2026-11-25T10:00:01Z".parse().ok(), None, None]);
    }

    proptest! {
        #[test]
        fn slices_may_end_anywhere(text in "([a-z ]{0,9}\n){0,9}[a-z]{0,3}", ends in prop::collection::vec(0_usize..90, 0..6)) {
            let whole = {
                let mut lines = Lines::default();
                let mut cut = push(&mut lines, &text);
                cut.lines.extend(lines.finish().lines);
                cut
            };
            let mut lines = Lines::default();
            let mut all = Cut::default();
            let mut ends: Vec<_> = ends.into_iter().map(|end| end.min(text.len())).collect();
            ends.extend([0, text.len()]);
            ends.sort_unstable();
            for pair in ends.windows(2) {
                all.lines.extend(push(&mut lines, &text[pair[0]..pair[1]]).lines);
            }
            all.lines.extend(lines.finish().lines);
            prop_assert_eq!(all, whole);
        }

        #[test]
        fn reading_again_from_anywhere_changes_nothing(seconds in prop::collection::vec((0_u32..9, 0_u32..3), 1..20), broken in 0_usize..20) {
            let mut seconds = seconds;
            seconds.sort_unstable_by_key(|(second, _)| *second);
            let all: Vec<String> = seconds.iter().map(|(second, word)| stamped(*second, &word.to_string())).collect();
            let want: Vec<String> = seconds.iter().map(|(_, word)| word.to_string()).collect();
            let mut lines = Lines::default();
            let broken = broken.min(all.len());
            let mut got = texts(&push(&mut lines, &all[..broken].concat()));
            lines.again();
            let from = lines.position().map_or(i64::MIN, LogPosition::second);
            let again: String = all.iter().zip(&seconds).filter(|(_, (second, _))| time(i64::from(*second)).as_second() >= from).map(|(line, _)| line.as_str()).collect();
            let cut = push(&mut lines, &again);
            got.extend(texts(&cut));
            prop_assert_eq!(cut.gap, None);
            prop_assert_eq!(got, want);
        }
    }
}
