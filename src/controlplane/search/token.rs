//! The `continue` token: where a page ended, of which search that was, and when it was asked first. Pure.

use super::problem::Problem;
use crate::store::Cursor;
use jiff::Timestamp;

/// Where the next page begins.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    /// What "1h ago" is counted from, on all pages.
    pub(super) asked: Timestamp,
    pub(super) cursor: Cursor,
}

impl Token {
    pub(super) fn print(&self, identity: u32) -> String {
        let asked = self.asked.as_millisecond();
        format!("{identity:08x}.{asked:x}.{}", self.cursor)
    }

    /// # Errors
    /// When it was not given out for a search of this identity.
    pub(super) fn parse(text: &str, identity: u32, now: Timestamp) -> Result<Self, Problem> {
        let read = || {
            let mut parts = text.splitn(3, '.');
            let of = u32::from_str_radix(parts.next()?, 16).ok()?;
            let asked = i64::from_str_radix(parts.next()?, 16).ok()?;
            let asked = Timestamp::from_millisecond(asked).ok()?;
            let cursor = parts.next()?.parse().ok()?;
            (of == identity && asked <= now).then_some(Self { asked, cursor })
        };
        read().ok_or_else(Problem::bad_continue)
    }
}
