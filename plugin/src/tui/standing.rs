//! How a cluster is, as far as what is shown of it goes: the one place that says whether it may be shown as live.
//!
//! **Architecture invariant:** pure. Views know how old what they have is; that a source left or that the broker is away
//! is known here, so that no view says `live` of what the header says is not.

use super::app::App;
use super::event::Age;
use super::view::table::TableView;
use super::view::target::Target;
use super::view::text::{TextKind, TextView};
use mqtt_informer::informer::Freshness;
use mqtt_informer::kubernetes::duration::human;
use mqtt_informer::protocol::names::ClusterName;
use std::time::Duration;

/// How a cluster is, in the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is asked, and has not answered yet.
    Asked,
    /// Its rows are what its API server has; so long ago that was proved last.
    Fresh(Duration),
    /// Its rows are old, for so long.
    Stale(Duration),
    /// Its source left the broker, so long ago if that is known.
    Offline(Option<Duration>),
    /// It said no.
    Refused,
}

impl App {
    /// How a cluster is: the worst of what is said of it by the tables that the screen is made of.
    pub fn standing(&self, cluster: &ClusterName) -> Standing {
        let tables = self
            .tables()
            .iter()
            .filter(|table| table.age(cluster).is_some());
        let standings = tables.map(|table| self.standing_in(Some(table), cluster));
        let worst = standings.reduce(Standing::or_worse);
        worst.unwrap_or_else(|| self.standing_in(None, cluster))
    }

    /// How a cluster is, as far as this table goes.
    pub fn standing_in(&self, table: Option<&TableView>, cluster: &ClusterName) -> Standing {
        let age = table.and_then(|table| table.age(cluster));
        let refused = table.is_some_and(|table| table.is_refused(cluster));
        self.standing_by(cluster, age.unwrap_or_default(), refused)
    }

    /// How a cluster is, as far as what is so old goes; or as what it does not tell.
    pub fn standing_by(&self, cluster: &ClusterName, age: Age, refused: bool) -> Standing {
        let known = self.clusters.get(cluster);
        if let Some(known) = known.filter(|known| known.offline) {
            let wall_ms = u64::try_from(self.now.wall_ms).unwrap_or_default();
            let since =
                (known.presence.at_ms > 0).then(|| wall_ms.saturating_sub(known.presence.at_ms));
            return Standing::Offline(since.map(Duration::from_millis));
        }
        let since_told = self.now.at.saturating_sub(age.told);
        match age.freshness {
            Freshness::Fresh if self.is_linked() => {
                Standing::Fresh(age.old.unwrap_or_default() + since_told)
            }
            // The proof may still be young; what happened since the link broke is not known.
            Freshness::Fresh => Standing::Stale(self.now.at.saturating_sub(self.link_since)),
            Freshness::Stale => Standing::Stale(age.lasts + since_told),
            Freshness::Unknown if refused => Standing::Refused,
            Freshness::Unknown => Standing::Asked,
        }
    }

    /// How what a text is made of is: of a difference, the worst of all that are compared.
    pub fn standing_of_text(&self, view: &TextView) -> Standing {
        let of = |cluster: &ClusterName| {
            let age = view.ages.get(cluster).copied().unwrap_or_default();
            self.standing_by(cluster, age, view.refusals.contains_key(cluster))
        };
        let its = view.target.id.iter().map(|id| &id.cluster);
        let its = its.filter(|_| view.kind != TextKind::Diff);
        let compared = view.ages.keys().chain(view.objects.keys());
        let compared = compared.filter(|_| view.kind == TextKind::Diff);
        let standings = its.chain(compared).map(of);
        standings
            .reduce(Standing::or_worse)
            .unwrap_or(Standing::Asked)
    }

    /// How what is told of an object alone is, that is so old.
    pub fn standing_of(&self, target: &Target, age: Age, refused: bool) -> Standing {
        let id = target.id.as_ref();
        id.map_or(Standing::Asked, |id| {
            self.standing_by(&id.cluster, age, refused)
        })
    }

    /// Whether rows of a cluster may be shown as what is there now.
    pub fn is_live(&self, cluster: &ClusterName) -> bool {
        self.standing(cluster).is_fresh()
    }
}

impl Standing {
    /// A sign for it, and words.
    pub fn words(self) -> (&'static str, String) {
        let ago = |age: Duration| human(i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
        match self {
            Standing::Fresh(lag) => ("●", format!("{:.1}s", lag.as_secs_f64())),
            Standing::Asked => ("◌", "asked".to_owned()),
            Standing::Stale(since) => ("◐", format!("stale {}", ago(since))),
            Standing::Offline(None) => ("○", "offline".to_owned()),
            Standing::Offline(Some(since)) => ("○", format!("offline {}", ago(since))),
            Standing::Refused => ("✗", "refused".to_owned()),
        }
    }

    /// From nothing to worry about to worst.
    pub fn rank(self) -> u8 {
        match self {
            Standing::Fresh(_) => 0,
            Standing::Asked => 1,
            Standing::Stale(_) => 2,
            Standing::Offline(_) => 3,
            Standing::Refused => 4,
        }
    }

    /// Whether what is shown of it may be shown as what is there now.
    pub fn is_fresh(self) -> bool {
        matches!(self, Standing::Fresh(_))
    }

    /// The worse of two; of two that are alike, the one that has been so for longer.
    #[must_use]
    pub fn or_worse(self, other: Self) -> Self {
        let weight = |it: Self| (it.rank(), it.lasts());
        if weight(other) > weight(self) {
            other
        } else {
            self
        }
    }

    fn lasts(self) -> Duration {
        match self {
            Standing::Fresh(lasts) | Standing::Stale(lasts) => lasts,
            Standing::Offline(since) => since.unwrap_or_default(),
            Standing::Asked | Standing::Refused => Duration::ZERO,
        }
    }
}
