//! Starting processes that cannot outlive us.
//!
//! The kernel ends an owned child when its parent *thread* ends (`PR_SET_PDEATHSIG`): however we die, `kill -9`
//! included, and without any code of ours running. Two traps shape this module. A test runs in a thread of its own,
//! which ends with the test: so all children are started by one thread that lives as long as the process. And setting
//! the signal between fork and exec needs unsafe code: so `setpriv` of util-linux does it.

use std::io;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::sync::{Mutex, OnceLock, PoisonError, mpsc::Sender};
use std::thread;

use anyhow::{Context, Result, anyhow};

/// Who ends a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// The kernel, when this process ends.
    Owned,
    /// Nobody but `bed down`: it goes on when this process and its terminal are gone.
    Detached,
}

impl Lifetime {
    /// A command that runs `program` with this lifetime; arguments are appended by the caller. The PID is the
    /// program's.
    pub(crate) fn command(self, program: &Path) -> Command {
        let mut command = match self {
            Self::Owned => {
                let mut command = Command::new("setpriv");
                command.args(["--pdeathsig", "KILL", "--"]);
                command
            }
            Self::Detached => Command::new("setsid"),
        };
        command.arg(program);
        command
    }
}

/// A command that runs the program of another one, with its words and its environment, and ends with this process. Its
/// folder, pipes, and a cleared environment are not taken over.
#[must_use]
pub fn owned(command: &Command) -> Command {
    let mut owned = Lifetime::Owned.command(Path::new(command.get_program()));
    pass_on(command, &mut owned);
    owned
}

/// Gives a command the words and the environment of another one.
pub(crate) fn pass_on(from: &Command, to: &mut Command) {
    to.args(from.get_args());
    for (name, value) in from.get_envs() {
        match value {
            Some(value) => to.env(name, value),
            None => to.env_remove(name),
        };
    }
}

struct Request {
    command: Command,
    reply: SyncSender<io::Result<Child>>,
}

/// Starts `command` from the thread that never ends.
///
/// # Errors
/// When it cannot be started.
pub fn spawn(command: Command) -> Result<Child> {
    static REQUESTS: OnceLock<Mutex<Sender<Request>>> = OnceLock::new();
    let requests = REQUESTS.get_or_init(|| {
        let (sender, receiver) = channel();
        thread::spawn(move || serve(&receiver));
        Mutex::new(sender)
    });
    let name = format!("{:?}", command.get_program());
    let (reply, answer) = sync_channel(1);
    requests
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .send(Request { command, reply })
        .map_err(|_| anyhow!("the thread that starts processes is gone"))?;
    answer
        .recv()
        .map_err(|_| anyhow!("the thread that starts processes is gone"))?
        .with_context(|| {
            format!("cannot start {name} (the bed needs setpriv and setsid of util-linux)")
        })
}

/// Never returns: the sender is a static.
fn serve(requests: &Receiver<Request>) {
    for mut request in requests {
        let _: Result<_, _> = request.reply.send(request.command.spawn());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_child_outlives_the_thread_that_asked_for_it() {
        let mut command = Lifetime::Owned.command(Path::new("sleep"));
        command.arg("60");
        let asking = thread::spawn(move || {
            let child = spawn(command).unwrap();
            // Until then, setpriv has not asked for the signal yet.
            while std::fs::read_to_string(format!("/proc/{}/comm", child.id())).unwrap()
                != "sleep\n"
            {
                thread::sleep(Duration::from_millis(1));
            }
            (rustix::thread::gettid(), child)
        });
        let (tid, mut child) = asking.join().unwrap();
        // The kernel would end the child with the thread, and a thread that has been joined may take a moment more.
        let task = format!("/proc/self/task/{}", tid.as_raw_nonzero());
        while Path::new(&task).exists() {
            thread::sleep(Duration::from_millis(1));
        }
        assert!(
            child.try_wait().unwrap().is_none(),
            "ended together with the thread of a test"
        );
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
