//! The roll of the clusters that a command is about: who is asked, who has answered, who will not.
//!
//! For commands that are no `get`: told of presences, streams and the broker as a [`super::Collector`] is, it says of
//! each cluster that its streams are there, or in a line why not; once, or of what goes on whenever it changes.

use super::cluster_selector::ClusterSelector;
use super::member::{At, Circumstances, Member, Standing, StreamView, Trouble};
use super::messages;
use super::plan::Way;
use mqtt_informer::protocol::names::ClusterName;
use std::collections::{BTreeMap, BTreeSet};
use std::mem::{Discriminant, discriminant};
use std::time::Duration;

/// How a command waits.
#[derive(Clone, Debug)]
pub struct Patience {
    /// For how long a cluster may be silent.
    pub timeout: Duration,
    /// For how long the whole may last.
    pub request_timeout: Option<Duration>,
    /// It goes on until it is interrupted: a broker that was there is waited for.
    pub goes_on: bool,
    /// How the clusters are reached.
    pub way: Way,
}

/// What became of a cluster, or of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// All its streams are there.
    Ready(ClusterName),
    /// They are there, and a line for stderr says why they may be old.
    Doubtful(ClusterName, String),
    /// They will not come; a line for stderr.
    Failed(ClusterName, String),
    /// A line for stderr: the broker came or went, or a cluster that failed is there again.
    Line(String),
    /// Nothing more can happen; a line for stderr.
    Over(String),
}

/// What was last said of a cluster. How long something has lasted is no news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Ready,
    Doubtful,
    Refused,
    Failed(Discriminant<Trouble>),
}

/// The roll.
#[derive(Debug)]
pub struct Roll {
    selector: ClusterSelector,
    patience: Patience,
    streams: usize,
    members: BTreeMap<ClusterName, Member>,
    /// All that are present, meant or not: for hints.
    present: BTreeSet<ClusterName>,
    wanted: Vec<ClusterName>,
    settled: BTreeMap<ClusterName, Verdict>,
    discovered: bool,
    up: Option<At>,
    was_up: bool,
    down_since: At,
    failure: Option<(String, bool)>,
    broker: Vec<News>,
}

impl Roll {
    /// A roll that begins now; each cluster is asked for so many streams.
    pub fn new(selector: &ClusterSelector, streams: usize, patience: Patience) -> Self {
        let mut roll = Self {
            selector: selector.clone(),
            patience,
            streams,
            members: BTreeMap::new(),
            present: BTreeSet::new(),
            wanted: Vec::new(),
            settled: BTreeMap::new(),
            discovered: false,
            up: None,
            was_up: false,
            down_since: At::ZERO,
            failure: None,
            broker: Vec::new(),
        };
        selector.named().for_each(|name| roll.want(name, At::ZERO));
        roll
    }

    /// Clusters to ask from now on: each is named once.
    pub fn take_wanted(&mut self) -> Vec<ClusterName> {
        std::mem::take(&mut self.wanted)
    }

    /// A cluster's presence is known: online, or its last will.
    pub fn cluster(
        &mut self,
        name: &ClusterName,
        labels: &[(String, String)],
        offline: bool,
        at: At,
    ) {
        self.present.insert(name.clone());
        if self.selector.matches(name, labels) {
            self.want(name, at);
            if let Some(member) = self.members.get_mut(name) {
                (member.known, member.offline) = (true, offline);
            }
        }
    }

    /// Discovery has ended: whoever is there has said so.
    pub fn discovered(&mut self) {
        self.discovered = true;
    }

    /// The broker is connected.
    pub fn link_up(&mut self, at: At) {
        self.up.get_or_insert(at);
        (self.was_up, self.failure) = (true, None);
    }

    /// The broker is not connected, for a reason that may not go away by itself.
    pub fn link_down(&mut self, failure: &str, permanent: bool, at: At) {
        if self.up.take().is_some() || self.failure.is_none() {
            self.down_since = if self.was_up { at } else { At::ZERO };
            if self.was_up && self.patience.goes_on {
                self.broker.push(News::Line(messages::broker_away(failure)));
            }
        }
        self.failure = Some((failure.to_owned(), permanent));
    }

    /// A newer view of one stream of a cluster.
    pub fn see(&mut self, cluster: &ClusterName, stream: usize, view: StreamView) {
        if let Some(member) = self.members.get_mut(cluster) {
            member.see(stream, view);
        }
    }

    /// A cluster is asked for something else from now on.
    pub fn ask_anew(&mut self, cluster: &ClusterName, at: At) {
        if let Some(member) = self.members.get_mut(cluster) {
            let (known, offline) = (member.known, member.offline);
            *member = Member::new(cluster.clone(), self.streams, self.streams, at);
            (member.known, member.offline) = (known, offline);
            self.settled.remove(cluster);
        }
    }

    /// What became of whom since this was last called.
    pub fn step(&mut self, at: At) -> Vec<News> {
        let mut news = std::mem::take(&mut self.broker);
        let circumstances = self.circumstances(at);
        for (name, member) in &self.members {
            let before = self.settled.get(name).copied();
            if before.is_some() && !self.patience.goes_on {
                continue;
            }
            let standings = member.standings(&circumstances);
            let Some((verdict, said)) = self.judge(member, &standings) else {
                continue;
            };
            if before != Some(verdict) {
                let recovered = verdict == Verdict::Ready && before.is_some();
                news.extend(recovered.then(|| News::Line(messages::fresh_again(name))));
                self.settled.insert(name.clone(), verdict);
                news.push(said);
            }
        }
        news.extend(self.end(at));
        news
    }

    /// Every cluster that is meant has answered, or will not.
    pub fn is_complete(&self) -> bool {
        let knows_all = self.discovered || (self.selector.is_closed() && !self.members.is_empty());
        knows_all && self.settled.len() == self.members.len()
    }

    /// The only cluster that is meant has refused: nothing that goes on would ever begin.
    pub fn is_refused(&self) -> bool {
        let only = self.selector.only().and_then(|name| self.settled.get(name));
        only == Some(&Verdict::Refused)
    }

    /// When to step again at the latest.
    pub fn deadline(&self, at: At) -> Option<At> {
        let circumstances = self.circumstances(at);
        let open = |member: &&Member| !self.settled.contains_key(&member.name);
        let members = self.members.values().filter(open);
        let silence = members.filter_map(|member| member.deadline(&circumstances));
        let impatient = self.up.is_none() && !self.waits_for_broker();
        let link = impatient.then(|| self.down_since + self.patience.timeout);
        silence.chain(link).chain(circumstances.end).min()
    }

    fn want(&mut self, name: &ClusterName, at: At) {
        if !self.members.contains_key(name) {
            self.wanted.push(name.clone());
            let member = Member::new(name.clone(), self.streams, self.streams, at);
            self.members.insert(name.clone(), member);
        }
    }

    fn circumstances(&self, at: At) -> Circumstances {
        Circumstances {
            at,
            discovered: self.discovered,
            link_up: self.up,
            timeout: self.patience.timeout,
            end: self.patience.request_timeout,
        }
    }

    /// A failure of one stream is the cluster's.
    fn judge(&self, member: &Member, standings: &[Standing]) -> Option<(Verdict, News)> {
        let name = member.name.clone();
        let failed = standings.iter().find_map(|standing| match standing {
            Standing::Failed(trouble) => Some(trouble),
            _ => None,
        });
        if let Some(trouble) = failed {
            let line = self.line(member, trouble);
            let verdict = match trouble {
                Trouble::Refused(_) => Verdict::Refused,
                trouble => Verdict::Failed(discriminant(trouble)),
            };
            return Some((verdict, News::Failed(name, line)));
        }
        if standings.contains(&Standing::Pending) {
            return None;
        }
        let doubt = standings.iter().find_map(|standing| match standing {
            Standing::Stale(doubt) => Some(*doubt),
            _ => None,
        });
        Some(match doubt {
            Some(doubt) => {
                let line = messages::stale(&name, doubt);
                (Verdict::Doubtful, News::Doubtful(name, line))
            }
            None => (Verdict::Ready, News::Ready(name)),
        })
    }

    fn line(&self, member: &Member, trouble: &Trouble) -> String {
        match trouble {
            Trouble::Refused(refusal) if self.selector.only().is_some() => refusal.line(),
            trouble => {
                let limit = self.patience.request_timeout.unwrap_or_default();
                member.line(trouble, self.patience.timeout, limit, self.patience.way)
            }
        }
    }

    /// A broker that cannot be reached is the end; so is it when no cluster is meant.
    fn end(&self, at: At) -> Option<News> {
        if self.discovered && self.members.is_empty() && !self.patience.goes_on {
            let known: Vec<_> = self.present.iter().collect();
            return Some(News::Over(messages::no_cluster(
                &self.selector.to_string(),
                &known,
            )));
        }
        if self.up.is_some() || self.waits_for_broker() {
            return None;
        }
        match &self.failure {
            Some((failure, true)) => Some(News::Over(messages::broker(failure))),
            failure if at >= self.down_since + self.patience.timeout => {
                Some(News::Over(match failure {
                    Some((failure, _)) => messages::broker(failure),
                    None => messages::broker_silent(self.patience.timeout),
                }))
            }
            _ => None,
        }
    }

    /// What goes on was connected once: it waits for the broker to come back.
    fn waits_for_broker(&self) -> bool {
        self.patience.goes_on && self.was_up
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mqtt_informer::informer::{Freshness, Progress, StreamState};

    fn name(name: &str) -> ClusterName {
        ClusterName::new(name).unwrap()
    }

    fn roll(words: &[&str], goes_on: bool) -> Roll {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        let selector = ClusterSelector::new("--cluster", &words, &super::super::Groups::new());
        let patience = Patience {
            timeout: Duration::from_secs(5),
            request_timeout: None,
            goes_on,
            way: Way::Broker,
        };
        Roll::new(&selector.unwrap(), 1, patience)
    }

    fn at(seconds: u64) -> At {
        Duration::from_secs(seconds)
    }

    fn whole() -> StreamView {
        StreamView {
            state: StreamState {
                synced: true,
                progress: Progress::Synced,
                freshness: Freshness::Fresh,
                ..StreamState::default()
            },
            ..StreamView::default()
        }
    }

    #[test]
    fn who_answers_and_who_does_not() {
        let mut roll = roll(&["a", "b"], false);
        assert_eq!(roll.take_wanted(), [name("a"), name("b")]);
        roll.link_up(at(0));
        roll.see(&name("a"), 0, whole());
        assert_eq!(roll.step(at(0)), [News::Ready(name("a"))]);
        assert_eq!((roll.step(at(1)), roll.is_complete()), (vec![], false));
        assert_eq!(roll.deadline(at(1)), Some(at(5)));
        let news = roll.step(at(5));
        assert!(
            matches!(news.as_slice(), [News::Failed(b, line)] if *b == name("b") && line.contains("no answer")),
            "{news:?}"
        );
        assert!(roll.is_complete());
    }

    #[test]
    fn a_cluster_can_be_asked_for_something_else() {
        let mut roll = roll(&["a"], true);
        roll.link_up(at(0));
        roll.see(&name("a"), 0, whole());
        assert_eq!(roll.step(at(0)).len(), 1);
        roll.ask_anew(&name("a"), at(1));
        assert!(!roll.is_complete());
        roll.see(&name("a"), 0, whole());
        assert_eq!(roll.step(at(2)), [News::Ready(name("a"))]);
    }

    #[test]
    fn what_goes_on_hears_of_each_change_once() {
        let mut roll = roll(&["a"], true);
        roll.link_up(at(0));
        assert_eq!(roll.step(at(0)), []);
        let lost = roll.step(at(5));
        assert!(matches!(lost.as_slice(), [News::Failed(..)]), "{lost:?}");
        assert_eq!(roll.step(at(9)), [], "told already");
        roll.see(&name("a"), 0, whole());
        let back = roll.step(at(10));
        assert!(
            matches!(back.as_slice(), [News::Line(_), News::Ready(_)]),
            "{back:?}"
        );
        let mut stale = whole();
        stale.state.freshness = Freshness::Stale;
        roll.see(&name("a"), 0, stale);
        let old = roll.step(at(11));
        assert!(matches!(old.as_slice(), [News::Doubtful(..)]), "{old:?}");
        assert_eq!(roll.step(at(12)), []);
    }

    #[test]
    fn a_broker_that_is_away_ends_what_does_not_go_on() {
        for (goes_on, over) in [(false, true), (true, false)] {
            let mut roll = roll(&["a"], goes_on);
            roll.link_up(at(0));
            roll.see(&name("a"), 0, whole());
            roll.step(at(0));
            roll.link_down("gone", false, at(1));
            let news = roll.step(at(9));
            assert_eq!(news.iter().any(|it| matches!(it, News::Over(_))), over);
            assert_eq!(news.iter().any(|it| matches!(it, News::Line(_))), goes_on);
        }
        let mut never = roll(&["a"], true);
        assert!(matches!(never.step(at(5)).as_slice(), [.., News::Over(_)]));
    }

    #[test]
    fn nobody_is_meant() {
        let mut roll = roll(&["x*"], false);
        roll.link_up(at(0));
        roll.cluster(&name("a"), &[], false, at(0));
        roll.discovered();
        let news = roll.step(at(0));
        assert!(
            matches!(news.as_slice(), [News::Over(line)] if line.contains("known are a")),
            "{news:?}"
        );
    }
}
