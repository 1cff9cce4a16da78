//! Where a controlplane is, and who asks it.
//!
//! What only the broker says of it is as good as who may write there. So a token goes nowhere but to a URL that its
//! owner has given; to one that a presence names, questions go without.

use crate::error::Failure;
use crate::print::sanitize;
use crate::scope::{Place, Scope};
use crate::terminal::Terminal;
use clap::{Args, ValueHint};
use mqtt_informer::controlplane::client::{Access, Client, ClientError, Cluster};
use mqtt_informer::informer::{Informer, LinkState};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Which controlplane.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Controlplane")]
pub struct ControlplaneArgs {
    /// The URL of the controlplane. Default: the one that announces itself at the broker.
    #[arg(long, env = "MQINFORMER_CONTROLPLANE", value_name = "URL", value_hint = ValueHint::Url)]
    pub controlplane: Option<String>,

    /// A file that holds the token for --controlplane. It is never sent to a URL that only the broker names.
    #[arg(long, env = "MQINFORMER_TOKEN_FILE", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub token_file: Option<PathBuf>,

    /// A PEM file with the certificates of the authority that signed the controlplane's. Default: the system's.
    #[arg(long, env = "MQINFORMER_CONTROLPLANE_CA", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub controlplane_ca: Option<PathBuf>,
}

impl ControlplaneArgs {
    /// A client of the controlplane that is meant.
    pub async fn client(&self, scope: &Scope, timeout: Duration) -> Result<Client, Failure> {
        let typed = self.controlplane.clone().filter(|url| !url.is_empty());
        let (url, token) = match typed {
            Some(url) => (url, self.token()?),
            None => {
                let url = announced(scope, timeout).await?;
                if self.token_file.is_some() {
                    return Err(Failure::because(format!(
                        "--token-file: a token is sent only to a URL that you give; \
                         if you trust what the broker says, add --controlplane {url}"
                    )));
                }
                (url, None)
            }
        };
        let access = Access {
            url,
            token,
            ca_crt: self.controlplane_ca.clone(),
            timeout,
        };
        Client::new(&access).map_err(failed)
    }

    fn token(&self) -> Result<Option<String>, Failure> {
        let Some(file) = &self.token_file else {
            return Ok(None);
        };
        let shown = file.display();
        let text = std::fs::read_to_string(file)
            .map_err(|error| Failure::because(format!("--token-file {shown}: {error}")))?;
        match text.trim() {
            "" => Err(Failure::because(format!(
                "--token-file {shown}: it is empty"
            ))),
            token if token.chars().any(|c| !c.is_ascii_graphic()) => Err(Failure::because(
                format!("--token-file {shown}: a token is one word of ASCII characters"),
            )),
            token => Ok(Some(token.to_owned())),
        }
    }
}

/// As it is told.
pub(super) fn failed(error: ClientError) -> Failure {
    Failure::because(error)
}

/// The URL that a controlplane announces at the broker.
async fn announced(scope: &Scope, timeout: Duration) -> Result<String, Failure> {
    if matches!(scope.place, Place::Contexts(_)) {
        return Err(Failure::because(
            "history is kept by a controlplane: give its URL as --controlplane, or a --broker at which it announces itself",
        ));
    }
    if scope.is_offline() {
        return Err(Failure::because(
            "--offline asks nobody, and history is at a controlplane; leave --offline out",
        ));
    }
    let attached = scope.attach(timeout).await?;
    let found = found(attached.informer(), timeout).await;
    attached.leave().await;
    found
}

async fn found(informer: &Informer, timeout: Duration) -> Result<String, Failure> {
    let mut link = informer.link_state();
    let failed =
        link.wait_for(|state| matches!(state, LinkState::Down(failure) if failure.permanent));
    let over = tokio::select! {
        () = informer.discovered() => false,
        _ = failed => false,
        () = tokio::time::sleep(timeout) => true,
    };
    if let LinkState::Down(failure) = &*informer.link_state().borrow() {
        return Err(Failure::because(failure));
    }
    let known = informer.controlplanes().borrow().clone();
    let online = known.iter().filter(|(_, it)| !it.offline);
    let urls: BTreeMap<&str, &str> = online
        .filter_map(|(name, it)| Some((it.url()?, name.as_str())))
        .collect();
    match urls.into_iter().collect::<Vec<_>>().as_slice() {
        [(url, _)] => Ok((*url).to_owned()),
        [] if over => Err(Failure::because(
            "the broker does not answer: check --broker; --timeout waits longer",
        )),
        [] => Err(Failure::because(
            "no controlplane announces itself at the broker: start one with --store, --serve and --serve-url, or give its URL as --controlplane",
        )),
        several => {
            let list: Vec<_> = several
                .iter()
                .map(|(url, name)| format!("{name} ({url})"))
                .collect();
            Err(Failure::because(format!(
                "several controlplanes announce themselves: choose one by --controlplane URL: {}",
                list.join(", ")
            )))
        }
    }
}

/// Says on stderr which clusters' rows are not whole or not fresh; answers whether some are missing.
pub(super) fn tell_clusters(
    clusters: &[Cluster],
    terminal: &mut Terminal,
) -> Result<bool, Failure> {
    let mut partial = false;
    for cluster in clusters {
        let name = sanitize::word(&cluster.name);
        let missing = sanitize::word(&cluster.missing.join(", ")).into_owned();
        let ago = sanitize::word(cluster.proven_ago.as_deref().unwrap_or("long")).into_owned();
        let line = match cluster.state.as_str() {
            "fresh" | "kept" => continue,
            "stale" => format!(
                "warning: cluster \"{name}\" was last heard {ago} ago: its rows are as of then"
            ),
            "incomplete" => format!("warning: cluster \"{name}\" is not all here (yet): {missing}"),
            "missing" if missing.is_empty() => {
                format!("warning: cluster \"{name}\": nothing of it is kept")
            }
            "missing" => format!("warning: cluster \"{name}\": not kept: {missing}"),
            _ => format!("warning: cluster \"{name}\" is not known to the controlplane"),
        };
        partial |= cluster.state != "stale";
        terminal.err(&line)?;
    }
    Ok(partial)
}

/// The words of `--cluster` as the controlplane takes them, groups spelled out; none for all.
pub(super) fn cluster_words(
    clusters: &super::ClusterArgs,
    scope: &Scope,
) -> Result<String, Failure> {
    if clusters.cluster_selector.is_some() {
        return Err(Failure::because(
            "--cluster-selector: the store does not know the syncers' labels; choose by --cluster, or by a group of the configuration file",
        ));
    }
    let mut words = Vec::new();
    for word in &clusters.cluster {
        let (not, name) = match word.strip_prefix('!') {
            Some(name) => ("!", name),
            None => ("", word.as_str()),
        };
        match name.strip_prefix('@').map(|group| scope.groups.get(group)) {
            Some(Some(members)) => {
                words.extend(members.iter().map(|member| format!("{not}{member}")));
            }
            // What is no group was refused when the words were read.
            Some(None) => {}
            None if name == "all" => words.push(format!("{not}*")),
            None => words.push(word.clone()),
        }
    }
    Ok(words.join(","))
}
