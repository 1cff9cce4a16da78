//! Who looks: the program in a terminal, its screen, its keys, and what it takes of the machine.

use super::world::{CLUSTER, PROBE, World};
use crate::report::grouped;
use crate::scene;
use anyhow::{Context as _, Result};
use bed::{Size, Terminal, vt100::Screen};
use std::time::{Duration, Instant};

/// Lines and columns.
const SIZE: Size = (50, 160);
/// How long a screen may take to be as it should.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running `tui pods`.
pub(super) struct Seat {
    pub(super) terminal: Terminal,
    /// From its start until something of it was to be seen.
    pub(super) first_frame: Duration,
}

impl Seat {
    /// Starts it; does not wait for rows.
    pub(super) fn new(world: &World) -> Result<Self> {
        let mut command = scene::program("kubectl-mqinformer")?;
        command.args(["tui", "pods", "--no-cache", "--cluster", CLUSTER]);
        command.args(["--broker", world.broker.url()]);
        command.env("XDG_CONFIG_HOME", "/nonexistent");
        let begin = Instant::now();
        let terminal = Terminal::start(&command, SIZE)?;
        let first = terminal.wait(PATIENCE, |screen| !line(screen, 0).is_empty());
        let first = first.context("the program shows nothing")?;
        Ok(Self {
            terminal,
            first_frame: first - begin,
        })
    }

    /// Waits until so many rows are there.
    pub(super) fn filled(&self, rows: usize) -> Result<()> {
        let wanted = format!("[{}]", grouped(rows));
        self.wait("its rows", |screen| {
            (0..SIZE.0).any(|at| line(screen, at).contains(&wanted))
        })?;
        Ok(())
    }

    /// The line of the screen that the probe is in.
    pub(super) fn probe_line(&self) -> Result<u16> {
        let find = |screen: &Screen| (0..SIZE.0).find(|at| line(screen, *at).contains(PROBE));
        self.terminal.look(find).context("the probe is not shown")
    }

    /// Waits for a text in one line.
    pub(super) fn shows(&self, at: u16, text: &str) -> Result<Instant> {
        self.wait(text, |screen| line(screen, at).contains(text))
    }

    /// Types, and gives the time until a line from this one on, of so many, is as it should be.
    pub(super) fn types(
        &mut self,
        keys: &str,
        (at, of): (u16, u16),
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Duration> {
        let begin = Instant::now();
        self.terminal.keys(keys)?;
        let seen = self.wait(keys, |screen| {
            (at..at + of).any(|at| wanted(&line(screen, at)))
        })?;
        Ok(seen.saturating_duration_since(begin))
    }

    fn wait(&self, what: &str, wanted: impl Fn(&Screen) -> bool) -> Result<Instant> {
        let seen = self.terminal.wait(PATIENCE, wanted);
        seen.with_context(|| {
            let screen = self.terminal.look(Screen::contents);
            format!("waiting for {what:?}, there is: {screen}")
        })
    }

    /// The line with the table's title, and the one with the place of the cursor.
    pub(super) fn edges(&self) -> Result<(u16, u16)> {
        let edge = |begins: char| {
            self.terminal.look(|screen| {
                (0..SIZE.0).find(|at| line(screen, *at).trim_start().starts_with(begins))
            })
        };
        Ok((
            edge('╭').context("no table")?,
            edge('╰').context("no end of the table")?,
        ))
    }

    /// The time that its threads have had a processor, by the kernel's count in nanoseconds.
    pub(super) fn busy(&self) -> Result<Duration> {
        scene::busy(self.terminal.pid())
    }

    /// Its resident memory in bytes.
    pub(super) fn memory(&self) -> Result<f64> {
        scene::memory_of(self.terminal.pid(), "VmRSS")
    }
}

fn line(screen: &Screen, at: u16) -> String {
    screen.contents_between(at, 0, at, SIZE.1)
}
