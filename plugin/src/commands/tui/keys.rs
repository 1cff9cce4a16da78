//! What is typed, and what else the terminal says.

use crate::tui::event::What;
use crossterm::event::{
    Event as Happened, EventStream, KeyEventKind, MouseButton, MouseEventKind, poll,
};
use futures::{FutureExt, StreamExt};
use std::time::Duration;

/// The terminal's events, as the screen knows them.
pub(super) struct Keys(EventStream);

impl Keys {
    /// Of the terminal that this program has.
    pub(super) fn new() -> Self {
        Self(EventStream::new())
    }

    /// The next one; none once the terminal is gone. Nothing is lost if this is dropped.
    pub(super) async fn next(&mut self) -> Option<What> {
        loop {
            let event = self.0.next().await?.ok()?;
            if let Some(what) = happened(event) {
                return Some(what);
            }
        }
    }

    /// One that is there already.
    ///
    /// The stream is asked only if there is one: it keeps the first waker that it was asked with until something is
    /// typed, and one that wakes nobody would let that wait until something else happens.
    pub(super) fn ready(&mut self) -> Option<What> {
        while poll(Duration::ZERO).is_ok_and(|is_there| is_there) {
            let event = self.0.next().now_or_never()??.ok()?;
            if let Some(what) = happened(event) {
                return Some(what);
            }
        }
        None
    }
}

/// What a terminal's event is here.
fn happened(event: Happened) -> Option<What> {
    match event {
        Happened::Key(key) if key.kind != KeyEventKind::Release => Some(What::Key(key)),
        Happened::Paste(text) => Some(What::Paste(text)),
        Happened::Resize(width, height) => Some(What::Resize(width, height)),
        Happened::Mouse(mouse) => match mouse.kind {
            MouseEventKind::ScrollUp => Some(What::Wheel(-3)),
            MouseEventKind::ScrollDown => Some(What::Wheel(3)),
            MouseEventKind::Down(MouseButton::Left) => Some(What::Click(mouse.column, mouse.row)),
            _ => None,
        },
        _ => None,
    }
}
