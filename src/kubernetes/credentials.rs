//! Credential plugins: programs that a kubeconfig names under `exec`, which print a token or a certificate.
//!
//! The words of what goes wrong are client-go's (`plugin/pkg/client/auth/exec`). Other than there, a plugin that does
//! not end is ended, with all that it has started; and it has the terminal only when that was lent to it.

use base64::Engine;
use futures::FutureExt;
use jiff::Timestamp;
use kube::Config;
use kube::config::{ExecConfig, ExecInteractiveMode};
use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;
use std::io;
use std::pin::pin;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

/// More than this is no credential.
const LONGEST_OUTPUT: u64 = 1 << 20;

/// How a person logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// Nobody is asked anything; a plugin has so long.
    Unattended(Duration),
    /// A plugin that may want to talk to a person has the terminal, and all the time that the person needs; any other
    /// has so long.
    AtTerminal(Duration),
}

/// A plugin and how it is run.
#[derive(Clone, Debug)]
pub(super) struct Plugin {
    exec: ExecConfig,
    login: Login,
}

/// What a plugin gave.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Credential {
    token: Option<String>,
    /// PEM: certificate and private key.
    identity: Option<(String, String)>,
    pub(super) expires: Option<Timestamp>,
}

impl Plugin {
    /// Takes the plugin out of a configuration; none if there is none, or what there is besides goes before it.
    pub(super) fn take(config: &mut Config, login: Login) -> Option<Self> {
        let auth = &mut config.auth_info;
        let exec = auth.exec.take()?;
        let other = auth.token.is_some() || auth.token_file.is_some() || auth.username.is_some();
        (!other).then_some(Self { exec, login })
    }

    /// Whether it may want to talk to a person.
    fn is_interactive(&self) -> bool {
        self.exec.interactive_mode != Some(ExecInteractiveMode::Never)
    }

    /// Runs it. In words what went wrong, one line.
    pub(super) async fn run(&self) -> Result<Credential, String> {
        let name = self.exec.command.as_deref().unwrap_or_default();
        let output = match self.login {
            Login::AtTerminal(_) if self.is_interactive() => self.output(name, true).await?,
            Login::AtTerminal(limit) | Login::Unattended(limit) => {
                let output = tokio::time::timeout(limit, self.output(name, false)).await;
                output.map_err(|_| {
                    format!("exec: executable {name} did not end within {limit:?}")
                })??
            }
        };
        read(
            &output,
            self.exec.api_version.as_deref().unwrap_or_default(),
        )
    }

    /// Runs it, the terminal lent to it or not.
    async fn output(&self, name: &str, lent: bool) -> Result<Vec<u8>, String> {
        let mut child = self
            .command(name, lent)?
            .spawn()
            .map_err(|error| self.not_started(name, &error))?;
        let group = Group::of(&child, lent);
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let mut words = Vec::new();
        let ended = {
            let mut told = pin!(collect(err, &mut words));
            let mut done = pin!(async { tokio::try_join!(bounded(out), child.wait()) });
            tokio::select! {
                // What it leaves running may hold its stderr open for ever: what it said is in the pipe by now.
                ended = &mut done => {
                    let _ = told.now_or_never();
                    ended
                }
                _ = &mut told => done.await,
            }
        };
        let (out, status) =
            ended.map_err(|error| format!("exec: executable {name} cannot be heard: {error}"))?;
        group.leave();
        if status.success() {
            return Ok(out);
        }
        let code = status
            .code()
            .map_or("a signal".to_owned(), |code| format!("exit code {code}"));
        let err = String::from_utf8_lossy(&words);
        let last = err.lines().map(str::trim).rfind(|line| !line.is_empty());
        let why = last.map(|line| format!(": {line}")).unwrap_or_default();
        Err(format!("exec: executable {name} failed with {code}{why}"))
    }

    fn command(&self, name: &str, lent: bool) -> Result<Command, String> {
        if name.is_empty() {
            return Err("exec: the kubeconfig names no command".into());
        }
        if self.exec.interactive_mode == Some(ExecInteractiveMode::Always) && !lent {
            return Err(
                "exec plugin cannot support interactive mode: no terminal is lent to it; \
                        use this context alone, in a terminal"
                    .into(),
            );
        }
        let mut command = Command::new(name);
        command.args(self.exec.args.iter().flatten());
        for variable in self.exec.env.iter().flatten() {
            if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
                command.env(name, value);
            }
        }
        command.env("KUBERNETES_EXEC_INFO", self.request(lent)?);
        command.stdout(Stdio::piped()).kill_on_drop(true);
        if lent {
            command.stdin(Stdio::inherit()).stderr(Stdio::inherit());
        } else {
            // A group of its own can be ended as a whole, and cannot read from the terminal behind our back.
            command
                .stdin(Stdio::null())
                .stderr(Stdio::piped())
                .process_group(0);
        }
        Ok(command)
    }

    fn request(&self, interactive: bool) -> Result<String, String> {
        let mut spec = serde_json::json!({ "interactive": interactive });
        if self.exec.provide_cluster_info {
            spec["cluster"] =
                serde_json::to_value(&self.exec.cluster).map_err(|error| error.to_string())?;
        }
        let request = serde_json::json!({
            "kind": "ExecCredential", "apiVersion": self.exec.api_version, "spec": spec,
        });
        Ok(request.to_string())
    }

    fn not_started(&self, name: &str, error: &io::Error) -> String {
        let hint = self
            .exec
            .install_hint
            .as_deref()
            .map(str::trim)
            .unwrap_or_default();
        let hint = hint.lines().map(str::trim).filter(|line| !line.is_empty());
        let hint = hint.map(|line| format!("; {line}")).collect::<String>();
        match error.kind() {
            io::ErrorKind::NotFound => format!("exec: executable {name} not found{hint}"),
            _ => format!("exec: executable {name} cannot be started: {error}"),
        }
    }
}

impl Credential {
    /// Puts it where the configuration has what never expires.
    pub(super) fn put_into(&self, config: &mut Config) {
        let auth = &mut config.auth_info;
        auth.token = self.token.clone().map(Into::into);
        if let Some((certificate, key)) = &self.identity {
            let encoded = |pem: &str| base64::engine::general_purpose::STANDARD.encode(pem);
            auth.client_certificate_data = Some(encoded(certificate));
            auth.client_key_data = Some(encoded(key).into());
        }
    }
}

/// A plugin's process and all that it started, which end with this value.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child, lent: bool) -> Self {
        let own = child.id().filter(|_| !lent);
        Self(own.and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)))
    }

    /// It has done its work: what it left running, such as a keeper of its tokens, stays.
    fn leave(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // A group that has ended needs no signal.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// What a pipe brings is there whenever this is dropped.
async fn collect(pipe: Option<impl AsyncRead + Unpin>, words: &mut Vec<u8>) -> io::Result<()> {
    if let Some(pipe) = pipe {
        let mut pipe = pipe.take(LONGEST_OUTPUT);
        while pipe.read_buf(words).await? > 0 {}
    }
    Ok(())
}

async fn bounded(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(LONGEST_OUTPUT).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecCredential {
    #[serde(default)]
    api_version: String,
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    expiration_timestamp: Option<String>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// Reads what a plugin printed: JSON, or YAML, as client-go does. Nothing of it may be in a message.
fn read(output: &[u8], api_version: &str) -> Result<Credential, String> {
    let read: Option<ExecCredential> = serde_json::from_slice(output)
        .ok()
        .or_else(|| serde_yaml::from_slice(output).ok());
    let read = read.ok_or("exec: the plugin printed something that is no ExecCredential")?;
    if read.api_version != api_version {
        return Err(format!(
            "exec plugin is configured to use API version {api_version}, plugin returned version {}",
            read.api_version
        ));
    }
    let status = read
        .status
        .ok_or("exec plugin didn't return a status field")?;
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    let token = some(status.token);
    let identity = match (
        some(status.client_certificate_data),
        some(status.client_key_data),
    ) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        _ => return Err("exec plugin returned only certificate or key, not both".into()),
    };
    if token.is_none() && identity.is_none() {
        return Err("exec plugin didn't return a token or cert/key pair".into());
    }
    let expires = some(status.expiration_timestamp)
        .map(|text| text.parse::<Timestamp>())
        .transpose()
        .map_err(|_| "exec plugin returned an expirationTimestamp that is no time")?;
    Ok(Credential {
        token,
        identity,
        expires,
    })
}

#[cfg(test)]
mod tests;
