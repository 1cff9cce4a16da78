//! Where a command writes: stdout, stderr, and a line of progress that is gone before anything else is written.

use crate::error::Failure;
use crate::print::Audience;
use std::io::{self, BufWriter, IsTerminal, Write};

/// stdout and stderr of a command that prints while it waits.
pub struct Terminal {
    out: BufWriter<io::Stdout>,
    shows_progress: bool,
    /// The line of progress that is shown.
    progress: Option<String>,
}

impl Terminal {
    /// The process' own.
    pub fn new() -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            out: BufWriter::with_capacity(64 << 10, io::stdout()),
            shows_progress: io::stderr().is_terminal() && !dumb,
            progress: None,
        }
    }

    /// Who reads stdout.
    pub fn audience() -> Audience {
        if io::stdout().is_terminal() {
            Audience::Terminal
        } else {
            Audience::Program
        }
    }

    /// Writes text to stdout, at once.
    pub fn out(&mut self, text: &str) -> Result<(), Failure> {
        self.erase();
        self.out.write_all(text.as_bytes())?;
        Ok(self.out.flush()?)
    }

    /// Writes bytes to stdout, at once: text of whatever encoding, for a program.
    pub fn out_bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.erase();
        self.out.write_all(bytes)?;
        Ok(self.out.flush()?)
    }

    /// Writes a line to stderr.
    pub fn err(&mut self, line: &str) -> Result<(), Failure> {
        self.erase();
        // Who closed stderr does not want to know; what is wrong still is, and the exit code says so.
        let _ = writeln!(io::stderr(), "{line}");
        Ok(())
    }

    /// Shows how far things are, if stderr is a terminal; `None` shows nothing.
    pub fn progress(&mut self, line: Option<String>) -> Result<(), Failure> {
        if !self.shows_progress || line == self.progress {
            return Ok(());
        }
        self.erase();
        if let Some(line) = &line {
            let _ = write!(io::stderr(), "{line}").and_then(|()| io::stderr().flush());
        }
        self.progress = line;
        Ok(())
    }

    /// Back to the line's beginning, and clear it.
    fn erase(&mut self) {
        if self.progress.take().is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

impl Default for Terminal {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Nothing is left to be done when stderr is closed.
        self.erase();
    }
}
