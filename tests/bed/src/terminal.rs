//! A program in a terminal of its own: what it draws is a screen, and keys can be typed.

use crate::cluster::wait_for;
use crate::spawner::{self, Lifetime};
use anyhow::{Context, Result, bail};
pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use vt100::{Parser, Screen};

/// Lines and columns.
pub type Size = (u16, u16);

/// How long a screen may take to be as it is wanted.
const PATIENCE: Duration = Duration::from_secs(60);

/// The screen, and whoever waits for it.
type Shown = Arc<(Mutex<Drawn>, Condvar)>;

/// What the program has drawn so far.
struct Drawn {
    parser: Parser,
    written: Written,
}

/// What the program has written, and what it took to look at it.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    /// When the last of it was read, before it was looked at.
    pub at: Instant,
    /// Bytes.
    pub bytes: u64,
    /// How long this process has been busy with making a screen of it.
    pub looking: Duration,
}

/// A terminal, and what runs in it until this is dropped.
pub struct Terminal {
    child: Child,
    master: File,
    shown: Shown,
}

impl Terminal {
    /// Starts a program in a new terminal, whose session it leads, as one in a window of its own does.
    pub fn start(command: &Command, size: Size) -> Result<Self> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).context("no pseudo terminal")?;
        grantpt(&master)?;
        unlockpt(&master)?;
        tcsetwinsize(&master, winsize(size))?;
        let name = ptsname(&master, Vec::new())?.into_string()?;
        let open = || OpenOptions::new().read(true).write(true).open(&name);
        // Without unsafe code, only another program can take a terminal for its own before the program runs.
        let mut led = Lifetime::Owned.command(Path::new("setsid"));
        led.arg("--ctty").arg(command.get_program());
        spawner::pass_on(command, &mut led);
        // What the terminal is, not what the one is in which the tests run.
        led.env("TERM", "xterm-256color").env_remove("NO_COLOR");
        led.stdin(open()?).stdout(open()?).stderr(open()?);
        let child = spawner::spawn(led)?;
        let drawn = Drawn {
            parser: Parser::new(size.0, size.1, 0),
            written: Written {
                at: Instant::now(),
                bytes: 0,
                looking: Duration::ZERO,
            },
        };
        let shown: Shown = Arc::new((Mutex::new(drawn), Condvar::new()));
        let master = File::from(master);
        listen(master.try_clone()?, Arc::clone(&shown));
        Ok(Self {
            child,
            master,
            shown,
        })
    }

    /// Types.
    pub fn keys(&mut self, keys: &str) -> Result<()> {
        Ok(self.master.write_all(keys.as_bytes())?)
    }

    /// Makes the window larger or smaller.
    pub fn resize(&self, size: Size) -> Result<()> {
        let mut drawn = lock(&self.shown);
        drawn.parser.screen_mut().set_size(size.0, size.1);
        drop(drawn);
        Ok(tcsetwinsize(&self.master, winsize(size))?)
    }

    /// Looks at the screen as it is now.
    pub fn look<T>(&self, look: impl FnOnce(&Screen) -> T) -> T {
        look(lock(&self.shown).parser.screen())
    }

    /// Waits until the screen's text is as `wanted` says, and returns it.
    pub fn until(&self, what: &str, wanted: impl Fn(&str) -> bool) -> Result<String> {
        let seen = self.wait(PATIENCE, |screen| wanted(&screen.contents()));
        let text = self.look(Screen::contents);
        match seen {
            Some(_) => Ok(text),
            None => bail!("waiting for {what}, there is:\n{text}"),
        }
    }

    /// Waits until the screen is as wanted, and says when what made it so was read; none if it does not become so.
    pub fn wait(&self, patience: Duration, wanted: impl Fn(&Screen) -> bool) -> Option<Instant> {
        let end = Instant::now() + patience;
        let mut drawn = lock(&self.shown);
        loop {
            if wanted(drawn.parser.screen()) {
                return Some(drawn.written.at);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let waited = self.shown.1.wait_timeout(drawn, left);
            drawn = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// What the program has written so far.
    pub fn written(&self) -> Written {
        lock(&self.shown).written
    }

    /// The program's process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the terminal is as it was before the program began: what it wrote last may be drawn after its end.
    pub fn restored(&self) -> Result<()> {
        wait_for("the terminal is given back", || {
            let is_restored = self.look(|screen| {
                !screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste()
            });
            Ok(is_restored.then_some(()))
        })
    }

    /// Waits until the program has ended.
    pub fn ended(&mut self) -> Result<ExitStatus> {
        let child = std::cell::RefCell::new(&mut self.child);
        wait_for("the program ends", || Ok(child.borrow_mut().try_wait()?))
    }

    /// Sends the program a signal, as `kill` would.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        Ok(kill_process(pid.context("no process")?, signal)?)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // One that has ended cannot be ended again.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn winsize((lines, columns): Size) -> Winsize {
    Winsize {
        ws_row: lines,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

/// What a test that failed left half drawn can still be looked at.
fn lock(shown: &Shown) -> MutexGuard<'_, Drawn> {
    shown.0.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Draws what the program writes, until nobody has the terminal open any more.
fn listen(mut master: File, shown: Shown) {
    std::thread::spawn(move || {
        let mut bytes = [0; 65536];
        while let Ok(count @ 1..) = master.read(&mut bytes) {
            let at = Instant::now();
            let mut drawn = lock(&shown);
            drawn.written.at = at;
            drawn.written.bytes += count as u64;
            drawn.parser.process(bytes.get(..count).unwrap_or_default());
            drawn.written.looking += at.elapsed();
            drop(drawn);
            shown.1.notify_all();
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_draws_and_is_typed_to() {
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg("printf 'a\\033[2;3Hb'; read x; stty size; read x; exit 7");
        let mut terminal = Terminal::start(&command, (5, 20)).unwrap();
        let screen = terminal
            .until("what it draws", |text| text.contains('b'))
            .unwrap();
        assert_eq!(screen, "a\n  b");
        let written = terminal.written();
        let seen = terminal.wait(PATIENCE, |screen| screen.contents().contains('b'));
        assert_eq!((written.bytes, seen), (8, Some(written.at)));
        assert_eq!(terminal.wait(Duration::ZERO, |_| false), None);
        terminal.resize((6, 30)).unwrap();
        terminal.keys("\r").unwrap();
        terminal
            .until("its size", |text| text.contains("6 30"))
            .unwrap();
        terminal.keys("\r").unwrap();
        assert_eq!(terminal.ended().unwrap().code(), Some(7));
    }
}
