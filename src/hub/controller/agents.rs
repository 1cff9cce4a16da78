//! What is heard of the agents: their presence, and their streams of status.

use crate::hub::lifecycle::Contact;
use crate::informer::{Age, Clusters, Freshness, Informer, Member, Notice, Update, Watch};
use crate::ocm::exchange::{CLUSTER_KEY, ClusterReport, WorkReport, work_of_key};
use crate::protocol::message::{AGENT, Selection, View};
use crate::protocol::names::ClusterName;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// All agents.
pub(super) struct Agents {
    watch: Watch,
    said: BTreeMap<String, Said>,
}

/// What one of them said.
#[derive(Debug, Default)]
struct Said {
    works: BTreeMap<String, WorkReport>,
    cluster: ClusterReport,
    /// When its presence was heard.
    present: Option<Instant>,
}

/// What is new.
#[derive(Debug, Default)]
pub(super) struct Changed {
    /// Of these clusters.
    pub(super) clusters: BTreeSet<String>,
    /// Of these works of them.
    pub(super) works: BTreeSet<(String, String)>,
}

impl Agents {
    /// Follows all that come, those of this hub.
    pub(super) fn follow(informer: &Informer, hub: &ClusterName) -> Self {
        let selection = Selection {
            namespace: hub.as_str().to_owned(),
            view: View::Status,
            ..Selection::default()
        };
        Self {
            watch: informer.watch(Clusters::all(), selection),
            said: BTreeMap::new(),
        }
    }

    /// Waits for news; none: the connection has ended for good.
    pub(super) async fn next(&mut self) -> Option<Changed> {
        let update = self.watch.next().await?;
        let mut changed = Changed::default();
        match update {
            Update::Joined(name) | Update::Presence(name) => {
                let said = self.said.entry(name.as_str().to_owned()).or_default();
                said.present = Some(Instant::now());
                changed.clusters.insert(name.as_str().to_owned());
            }
            Update::Changed(name, notices) => {
                let said = self.said.entry(name.as_str().to_owned()).or_default();
                for notice in &notices {
                    if let Some(work) = said.take(notice) {
                        changed.works.insert((name.as_str().to_owned(), work));
                    }
                }
                changed.clusters.insert(name.as_str().to_owned());
            }
            Update::State(name, _) => _ = changed.clusters.insert(name.as_str().to_owned()),
            Update::Left(name) => {
                self.said.remove(name.as_str());
                changed.clusters.insert(name.as_str().to_owned());
            }
            Update::Unsettled(_) | Update::Discovered | Update::Link(_) => {}
        }
        Some(changed)
    }

    /// The names of all agents.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let agents = self.watch.members().iter().filter(|(_, it)| is_agent(it));
        agents.map(|(name, _)| name.as_str())
    }

    /// What is heard of one; none: nothing ever.
    pub(super) fn contact(&self, cluster: &str, now: Timestamp) -> Option<Contact> {
        let name = ClusterName::new(cluster).ok()?;
        let member = self.watch.members().get(&name).filter(|it| is_agent(it))?;
        let known = member.cluster()?;
        let state = member.store().state().borrow().clone();
        let down = state.upstream_down.filter(|_| !known.offline);
        let trouble = down.map(|down| match down.message.is_empty() {
            true => "it does not answer".to_owned(),
            false => down.message,
        });
        let said = self.said.get(cluster);
        let signs = Signs {
            copy: age(member.age()),
            lived: member.store().lived_at().map(|it| it.elapsed()),
            present: said.and_then(|it| it.present).map(|it| it.elapsed()),
            offline: known.offline,
        };
        let silent = SignedDuration::try_from(signs.silence().unwrap_or(Duration::MAX)).ok();
        let heard = silent.and_then(|it| now.checked_sub(it).ok());
        let presence = &known.presence;
        let version = &presence.kubernetes_version;
        let report = said.map(|it| it.cluster.clone()).unwrap_or_default();
        Some(Contact {
            online: !known.offline,
            proven: member.age().freshness == Freshness::Fresh,
            heard,
            trouble,
            uid: presence.cluster_uid.clone(),
            kubernetes: (!version.is_empty()).then(|| version.clone()),
            capacity: report.capacity,
            allocatable: report.allocatable,
            claims: report.claims,
            detached: report.detached,
        })
    }

    /// The labels that its agent was given.
    pub(super) fn labels(&self, cluster: &str) -> Vec<(String, String)> {
        let name = ClusterName::new(cluster).ok();
        let member = name.and_then(|it| self.watch.members().get(&it));
        let known = member.and_then(Member::cluster);
        known
            .map(|it| it.presence.labels.clone())
            .unwrap_or_default()
    }

    /// What an agent says of a work.
    pub(super) fn report(&self, cluster: &str, work: &str) -> Option<&WorkReport> {
        self.said.get(cluster)?.works.get(work)
    }
}

fn is_agent(member: &Member) -> bool {
    member.cluster().is_some_and(|it| it.presence.role == AGENT)
}

/// How long ago there was a sign of an agent, by where it comes from.
struct Signs {
    /// Its copy was proven to be what its API server has.
    copy: Option<Duration>,
    /// Anything of its stream: that it is in trouble, too. What it said last says nothing of whether it still lives.
    lived: Option<Duration>,
    /// Its presence.
    present: Option<Duration>,
    /// Its presence was its last will, or a good-bye.
    offline: bool,
}

impl Signs {
    /// For how long nothing was heard of it; none: never was anything.
    fn silence(&self) -> Option<Duration> {
        let present = self.present.filter(|_| !self.offline);
        [self.copy, self.lived, present].into_iter().flatten().min()
    }
}

fn age(age: Age) -> Option<Duration> {
    match age.freshness {
        Freshness::Unknown => None,
        _ => age.at_most,
    }
}

impl Said {
    /// Takes an entry; answers the work that it is about.
    fn take(&mut self, notice: &Notice) -> Option<String> {
        if notice.key == CLUSTER_KEY.as_bytes() {
            match notice.new.as_ref().map(|it| serde_json::from_slice(it)) {
                Some(Ok(report)) => self.cluster = report,
                Some(Err(error)) => {
                    tracing::warn!(%error, "what an agent says of its cluster cannot be read: it stays as it was");
                }
                // It has begun anew, and says it when it knows. What it has let go may be there again.
                None => self.cluster.detached = false,
            }
            return None;
        }
        let work = work_of_key(&notice.key)?.to_owned();
        match notice.new.as_ref().map(|it| serde_json::from_slice(it)) {
            Some(Ok(report)) => _ = self.works.insert(work.clone(), report),
            Some(Err(error)) => tracing::warn!(work, %error, "an agent's status cannot be read"),
            None => _ = self.works.remove(&work),
        }
        Some(work)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use serde_json::json;

    #[test]
    fn who_said_that_it_was_in_trouble_and_then_nothing_is_silent() {
        let minute = Duration::from_secs(60);
        let mut signs = Signs {
            copy: Some(minute * 9),
            lived: Some(minute),
            present: Some(minute * 5),
            offline: false,
        };
        assert_eq!(signs.silence(), Some(minute));
        signs.lived = Some(minute * 7);
        assert_eq!(signs.silence(), Some(minute * 5));
        // A last will is no sign of life.
        (signs.present, signs.offline) = (Some(Duration::ZERO), true);
        assert_eq!(signs.silence(), Some(minute * 7));
    }

    #[test]
    fn what_an_agent_said_of_its_cluster_stays_until_it_says_it_anew() {
        let notice = |new: Option<&str>| Notice {
            key: CLUSTER_KEY.into(),
            old: None,
            new: new.map(|it| Bytes::copy_from_slice(it.as_bytes())),
        };
        let mut said = Said::default();
        let report = r#"{"allocatable": {"cpu": "4"}, "detached": true}"#;
        said.take(&notice(Some(report)));
        said.take(&notice(Some("7")));
        assert!(said.cluster.detached);
        said.take(&notice(None));
        assert!(!said.cluster.detached, "that is said of one life only");
        assert_eq!(said.cluster.allocatable["cpu"], json!("4"));
    }
}
