//! The programs as users run them: a syncer in the background, the plugin until it is done.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up. Nothing waits for it in vain when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A built program of this workspace.
pub(crate) fn program(name: &str) -> PathBuf {
    let built = Path::new(env!("CARGO_BIN_EXE_mqtt-informer"));
    let path = built.with_file_name(name);
    assert!(
        path.exists(),
        "{} is not built: run `cargo test --workspace --no-run`",
        path.display()
    );
    path
}

/// A command without anything of the environment that would change what it does.
pub(crate) fn command(name: &str) -> Command {
    let mut command = Command::new(program(name));
    for variable in [
        "BROKER",
        "KUBECONFIG",
        "CLUSTER",
        "LISTEN",
        "RESOURCES",
        "SELECTOR",
        "CLUSTERS",
        "MIRROR",
        "MIRROR_AS_IS",
        "STORE",
        "SHARE",
        "SHARE_NAME",
        "SHARE_NAMESPACE",
        "HISTORY",
        "BROKER_USERNAME",
        "BROKER_PASSWORD",
        "RUST_LOG",
        "MQINFORMER_CONFIG",
        "MQINFORMER_PROFILE",
        "MQINFORMER_CONTEXT",
        "MQINFORMER_CLUSTER",
        "MQINFORMER_NAMESPACE",
        "MQINFORMER_TIMEOUT",
        "MQINFORMER_CONTROLPLANE",
        "MQINFORMER_TOKEN_FILE",
        "MQINFORMER_CONTROLPLANE_CA",
        "MQINFORMER_HUB",
        "HUB",
    ] {
        command.env_remove(variable);
    }
    // Whoever runs the tests may have a configuration of their own.
    command.env("XDG_CONFIG_HOME", "/nonexistent");
    command
}

/// A program of this workspace, named by its path beside the programs: `examples/viewer`.
pub(crate) fn program_command(name: &str) -> Command {
    command(name)
}

/// What a program said until it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub status: ExitStatus,
    pub out: String,
    pub err: String,
    pub took: Duration,
}

impl Said {
    pub(crate) fn code(&self) -> i32 {
        self.status.code().unwrap_or(-1)
    }
}

/// Runs a program to its end, which must come within [`PATIENCE`].
pub(crate) fn run(mut command: Command) -> Said {
    let begin = Instant::now();
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let child = RefCell::new(child);
    let read = |mut pipe: Box<dyn Read + Send>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            pipe.read_to_end(&mut bytes).unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        })
    };
    let out = read(Box::new(child.borrow_mut().stdout.take().unwrap()));
    let err = read(Box::new(child.borrow_mut().stderr.take().unwrap()));
    let status = bed::wait_for("the program ends", || {
        // Not in the match: it would be borrowed until that ends.
        let ended = child.borrow_mut().try_wait()?;
        match ended {
            Some(status) => Ok(Some(status)),
            None if begin.elapsed() > PATIENCE => {
                child.borrow_mut().kill()?;
                anyhow::bail!("{command:?} did not end within {PATIENCE:?}")
            }
            None => Ok(None),
        }
    });
    let (out, err) = (out.join().unwrap(), err.join().unwrap());
    Said {
        status: status.unwrap_or_else(|error| panic!("{error}: {out}{err}")),
        out,
        err,
        took: begin.elapsed(),
    }
}

/// Runs the plugin against a broker.
pub(crate) fn plugin(broker: &str, args: &[&str]) -> Said {
    run(plugin_command(broker, args))
}

pub(crate) fn plugin_command(broker: &str, args: &[&str]) -> Command {
    let mut command = command("kubectl-mqinformer");
    command.args(args).args(["--broker", broker]);
    command
}

/// The plugin without a broker: contexts of this kubeconfig.
pub(crate) fn direct_command(kubeconfig: &Path, args: &[&str]) -> Command {
    let mut command = command("kubectl-mqinformer");
    command.args(args).arg("--kubeconfig").arg(kubeconfig);
    command
}

/// A syncer that is expected to end by itself.
pub(crate) fn syncer_command(broker: &str, args: &[&str]) -> Command {
    let mut command = command("mqtt-informer");
    command.args(["syncer", "--broker", broker]).args(args);
    command
}

/// The broker for a trial.
pub(crate) fn broker_command(args: &[&str]) -> Command {
    let mut command = command("mqtt-informer");
    command.arg("broker").args(args);
    command
}

/// A program that goes on until it is dropped.
pub(crate) struct Background {
    child: Child,
    heard: Arc<(Mutex<String>, Condvar)>,
    log: PathBuf,
}

impl Background {
    /// Starts it; what it writes to stdout is kept, stderr goes to a file.
    pub(crate) fn start(command: Command, log: &Path) -> Self {
        // What a static holds is never dropped.
        let mut owned = bed::owned(&command);
        owned
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(log).unwrap());
        let mut child = bed::spawn(owned).unwrap();
        let heard = Arc::new((Mutex::new(String::new()), Condvar::new()));
        let listener = Arc::clone(&heard);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut text = listener.0.lock().unwrap();
                text.push_str(&line);
                text.push('\n');
                listener.1.notify_all();
            }
        });
        Self {
            child,
            heard,
            log: log.to_owned(),
        }
    }

    /// Everything on stdout so far.
    pub(crate) fn out(&self) -> String {
        self.heard.0.lock().unwrap().clone()
    }

    /// Everything on stderr so far.
    pub(crate) fn err(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until stdout is as `wanted` says.
    pub(crate) fn wait_out(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let text = self.heard.0.lock().unwrap();
        let waited = self
            .heard
            .1
            .wait_timeout_while(text, PATIENCE, |text| !wanted(text))
            .unwrap();
        assert!(
            !waited.1.timed_out(),
            "waiting for {what}:\n{}\n{}",
            *waited.0,
            self.err()
        );
        waited.0.clone()
    }

    /// Waits until stderr is as `wanted` says.
    pub(crate) fn wait_err(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let found = bed::wait_for(what, || Ok(Some(self.err()).filter(|text| wanted(text))));
        found.unwrap_or_else(|error| panic!("{error}:\n{}", self.err()))
    }

    pub(crate) fn kill_9(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        self.child.wait().unwrap()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A syncer under test: its cluster's name, and where its probes are served.
pub(crate) struct Syncer {
    pub process: Background,
    pub probes: String,
}

/// How to start a syncer.
pub(crate) struct SyncerOptions<'a> {
    pub broker: &'a str,
    pub cluster: &'a str,
    pub kubeconfig: &'a Path,
    pub dir: &'a Path,
    pub more: &'a [&'a str],
}

impl Syncer {
    /// Starts a syncer and waits until it is ready: serving, or standing by.
    pub(crate) fn start(options: &SyncerOptions<'_>) -> Self {
        let syncer = Self::launch(options);
        let ready = bed::wait_for("the syncer is ready", || {
            let (ready, role) = syncer.ready();
            Ok((ready && role != "starting").then_some(()))
        });
        ready.unwrap_or_else(|error| {
            panic!("{error}: {:?}\n{}", syncer.ready(), syncer.process.err())
        });
        syncer
    }

    /// Starts a syncer and does not wait.
    pub(crate) fn launch(options: &SyncerOptions<'_>) -> Self {
        let port = bed::choose_ports(1).unwrap()[0];
        let probes = format!("127.0.0.1:{port}");
        let mut command = command("mqtt-informer");
        command.args([
            "syncer",
            "--broker",
            options.broker,
            "--cluster",
            options.cluster,
            "--listen",
            &probes,
        ]);
        command
            .arg("--kubeconfig")
            .arg(options.kubeconfig)
            .args(options.more.iter().map(OsStr::new));
        let log = options.dir.join(format!("syncer-{port}.log"));
        Self {
            process: Background::start(command, &log),
            probes: format!("http://{probes}"),
        }
    }

    /// What `/readyz` says.
    pub(crate) fn ready(&self) -> (bool, String) {
        match http(&format!("{}/readyz", self.probes)) {
            Some((code, words)) => (code == 200, words.trim().to_owned()),
            None => (false, "no answer".into()),
        }
    }

    /// The value of a metric, `mqinformer_syncer_` left out.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let (_, text) = http(&format!("{}/metrics", self.probes)).unwrap();
        let wanted = format!("mqinformer_syncer_{name} ");
        let value = text.lines().find_map(|line| line.strip_prefix(&wanted));
        value
            .unwrap_or_else(|| panic!("no metric {name}"))
            .parse()
            .unwrap()
    }
}

/// GET: the code and the body, if there is an answer.
pub(crate) fn http(url: &str) -> Option<(u16, String)> {
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(2)));
    let mut answer = ureq::Agent::new_with_config(agent.build())
        .get(url)
        .call()
        .ok()?;
    Some((
        answer.status().as_u16(),
        answer.body_mut().read_to_string().ok()?,
    ))
}
