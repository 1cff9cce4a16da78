//! A mosquitto of one's own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Runs on a free port with a configuration in a directory of its own; ends with the test.
pub struct Mosquitto {
    pub port: u16,
    pub directory: TempDir,
    process: Child,
}

impl Mosquitto {
    /// The configuration is a text with `PORT` (and `SPARE`, another one) and `DIR` in it; `prepare` puts files into
    /// the directory first.
    pub fn start_with(configuration: &str, prepare: impl FnOnce(&Path)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        prepare(directory.path());
        let configuration = configuration.replace("DIR", directory.path().to_str().unwrap());
        // Another program may take a port in between: then try with others.
        for _ in 0..20 {
            let [port, spare] = free_ports();
            let configuration = configuration
                .replace("PORT", &port.to_string())
                .replace("SPARE", &spare.to_string());
            fs::write(directory.path().join("mosquitto.conf"), configuration).unwrap();
            if let Some(process) = run(directory.path()) {
                return Self {
                    port,
                    directory,
                    process,
                };
            }
        }
        panic!("mosquitto did not start with:\n{configuration}");
    }

    /// The sample that a newcomer uses.
    pub fn start() -> Self {
        let sample = include_str!("../../samples/mosquitto.conf");
        Self::start_with(
            &sample.replace("listener 1883", "listener PORT 127.0.0.1"),
            |_| (),
        )
    }

    pub fn url(&self) -> String {
        format!("tcp://127.0.0.1:{}", self.port)
    }

    /// As a power failure would.
    pub fn kill(&mut self) {
        self.process.kill().unwrap(); // SIGKILL
        self.process.wait().unwrap();
    }

    /// On the same port.
    pub fn restart(&mut self) {
        self.process = run(self.directory.path()).expect("mosquitto starts again");
    }

    /// Stops it from answering without closing anything (SIGSTOP), or lets it go on.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.process.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts it and waits until it says that it runs; `None` if it ends instead.
fn run(directory: &Path) -> Option<Child> {
    let mut process = Command::new(executable("mosquitto"))
        .arg("-c")
        .arg(directory.join("mosquitto.conf"))
        .stderr(Stdio::piped())
        .spawn()
        .expect("mosquitto is installed");
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let runs = lines
        .by_ref()
        .any(|line| line.unwrap().ends_with(" running"));
    if !runs {
        process.wait().unwrap();
        return None;
    }
    // Whoever does not read what it says stops it in the end.
    std::thread::spawn(move || lines.for_each(drop));
    Some(process)
}

pub fn executable(name: &str) -> PathBuf {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths)
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
        .map(|directory| directory.join(name))
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("{name} is not installed: apt-get install mosquitto"))
}

fn free_ports() -> [u16; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}
