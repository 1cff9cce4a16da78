//! The pictures of the README: the demo is run in a terminal, keys are typed, and its screens become SVG files.
//!
//! `make pictures`, or: pictures PROGRAM FOLDER

use anyhow::{Context, Result};
use bed::{Terminal, svg};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Lines and columns.
const SIZE: (u16, u16) = (28, 116);

fn main() -> Result<()> {
    let mut words = std::env::args_os().skip(1).map(PathBuf::from);
    let usage = "pictures PROGRAM FOLDER";
    let (program, folder) = (words.next().context(usage)?, words.next().context(usage)?);
    std::fs::create_dir_all(&folder)?;
    let mut show = Show::start(&program, folder)?;
    show.all()
}

struct Show {
    terminal: Terminal,
    folder: PathBuf,
}

impl Show {
    fn start(program: &Path, folder: PathBuf) -> Result<Self> {
        let mut command = Command::new(program);
        command.arg("demo").env("COLORTERM", "truecolor");
        command.env("XDG_CONFIG_HOME", "/nonexistent");
        for variable in ["BROKER", "RUST_LOG", "COLORFGBG"] {
            command.env_remove(variable);
        }
        let terminal = Terminal::start(&command, SIZE)?;
        Ok(Self { terminal, folder })
    }

    fn all(&mut self) -> Result<()> {
        let clusters = ["● berlin", "● denver", "● nairobi", "● osaka"];
        self.until("every cluster", |screen| {
            clusters.iter().all(|name| screen.contains(name)) && screen.contains("Running")
        })?;
        // Some of what the simulation does has happened.
        self.rest(6);
        self.keys("jjj", " 4/")?;
        self.picture("table")?;
        self.keys("/-f crash", "</-f crash>")?;
        self.keys("\r", "CrashLoopBackOff")?;
        self.keys("d", "Controlled By:")?;
        self.picture("describe")?;
        self.keys("q\u{1b}", "pods(all)[")?;
        self.keys(":fleet\r", "fleet")?;
        self.terminal.resize((12, SIZE.1))?;
        self.rest(8);
        self.picture("fleet")?;
        self.keys(":faults\r", "faults[")?;
        self.terminal.resize((20, SIZE.1))?;
        self.rest(2);
        self.picture("faults")?;
        self.keys(":deploy\r", "deployments(all)[")?;
        self.keys("/name:^cart$", "</name:^cart$>")?;
        self.keys("\r  ", "✓")?;
        self.keys(":diff\r", "shop/cart:")?;
        self.rest(1);
        self.picture("diff")
    }

    fn keys(&mut self, keys: &str, wanted: &str) -> Result<()> {
        for key in keys.split_inclusive(['\r', '\u{1b}']) {
            self.terminal.keys(key)?;
            // An escape alone, and not the beginning of a longer key.
            std::thread::sleep(Duration::from_millis(100));
        }
        self.until(wanted, |screen| screen.contains(wanted))
    }

    fn until(&self, what: &str, wanted: impl Fn(&str) -> bool) -> Result<()> {
        self.terminal.until(what, wanted).map(drop)
    }

    /// The world moves by itself.
    fn rest(&self, seconds: u64) {
        std::thread::sleep(Duration::from_secs(seconds));
    }

    fn picture(&self, name: &str) -> Result<()> {
        let path = self.folder.join(format!("{name}.svg"));
        let picture = self.terminal.look(svg);
        std::fs::write(&path, picture).with_context(|| format!("cannot write {}", path.display()))
    }
}
