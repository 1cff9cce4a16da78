//! The live screen in a terminal: keys typed into a pty, and what a terminal shows of what comes out of it.

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// A machine that builds something else at the same time is slow.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program in a terminal.
struct Screen {
    child: Child,
    keys: File,
    output: Receiver<Vec<u8>>,
    terminal: vt100::Parser,
}

impl Screen {
    fn of(words: &[&str], (columns, rows): (u16, u16)) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let size = Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&master, size).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let end = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let end = File::from(end);
        let child = Command::new(env!("CARGO_BIN_EXE_kubectl-mqinformer"))
            .env_clear()
            .env("TERM", "xterm-256color")
            .args(words)
            .stdin(end.try_clone().unwrap())
            .stdout(end)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let keys = File::from(master);
        let mut reader = keys.try_clone().unwrap();
        let (told, output) = channel();
        // It ends with the program, whose end of the terminal is the last one.
        std::thread::spawn(move || {
            let mut bytes = [0; 16 << 10];
            while let Ok(many @ 1..) = reader.read(&mut bytes) {
                if told.send(bytes[..many].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            keys,
            output,
            terminal: vt100::Parser::new(rows, columns, 0),
        }
    }

    fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until the screen is so; what it is then.
    #[track_caller]
    fn sees(&mut self, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let shown = self.terminal.screen().contents();
            if is_so(&shown) {
                return shown;
            }
            let left = until.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.terminal.process(&bytes),
                Err(_) => panic!("never seen: {what}; the screen is\n{shown}"),
            }
        }
    }

    #[track_caller]
    fn sees_text(&mut self, text: &str) -> String {
        self.sees(text, |shown| shown.contains(text))
    }

    /// Waits for its end, and takes in all that it still writes.
    fn ends(mut self) -> (ExitStatus, vt100::Parser) {
        while let Ok(bytes) = self.output.recv_timeout(PATIENCE) {
            self.terminal.process(&bytes);
        }
        (self.child.wait().unwrap(), self.terminal)
    }
}

#[test]
fn a_demo_is_looked_at_with_the_keys_of_k9s() {
    let mut screen = Screen::of(&["demo"], (120, 30));
    let first = screen.sees("rows of all clusters", |shown| {
        ["berlin", "denver", "nairobi", "osaka"]
            .iter()
            .all(|name| shown.contains(&format!("● {name}")))
            && shown.contains("Running")
    });
    assert!(first.contains("pods(all)["), "{first}");
    screen.types(":deploy shop\r");
    let deployments = screen.sees("deployments of a namespace", |shown| {
        shown.contains("deployments(shop)[") && shown.contains("checkout")
    });
    assert!(
        !deployments.contains("NAMESPACE"),
        "there is only one:\n{deployments}"
    );
    screen.types("/^osaka.*cart");
    screen.sees("the filter at work", |shown| {
        shown.contains("[1/") && !shown.contains("checkout")
    });
    screen.types("\r\r");
    screen.sees_text("of deployment/cart @osaka");
    screen.sees_text("cart-");
    screen.types("\r");
    screen.sees_text("of replicaset/cart-");
    screen.sees_text("Running");
    screen.types("d");
    screen.sees_text("Controlled By:");
    screen.types("q?");
    screen.sees_text("go into it: what it made");
    screen.types("q:faults\r");
    screen.sees_text("faults[");
    screen.types("\u{3}");
    let (status, terminal) = screen.ends();
    assert!(status.success(), "{status:?}");
    assert!(!terminal.screen().alternate_screen() && !terminal.screen().bracketed_paste());
    assert!(
        !terminal.screen().hide_cursor(),
        "the terminal is as it was"
    );
}

#[test]
fn a_broker_that_is_not_there_is_told_at_once_and_a_signal_ends_it() {
    let mut screen = Screen::of(
        &[
            "watch",
            "nodes",
            "--broker",
            "tcp://127.0.0.1:1",
            "--no-cache",
        ],
        (80, 20),
    );
    screen.sees_text("nodes");
    screen.sees_text("no broker");
    let pid = rustix::process::Pid::from_child(&screen.child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let (status, terminal) = screen.ends();
    assert!(status.success(), "{status:?}");
    assert!(!terminal.screen().alternate_screen());
}
