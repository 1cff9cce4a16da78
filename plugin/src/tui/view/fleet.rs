//! The clusters, one a line: what each has, how it is, and how much happens in it.

use super::list::{List, ListLine};
use super::table::TableView;
use crate::print::sanitize::word;
use crate::tui::event::{FeedId, FeedNews};
use crate::tui::health::Health;
use mqtt_informer::protocol::names::ClusterName;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// What is looked at, and by which fields it is narrowed.
pub const WATCHED: [(&str, &str); 3] = [("pods", ""), ("nodes", ""), ("events", "type=Warning")];

/// How many seconds the line of changes goes back.
const SECONDS: usize = 20;

/// From nothing to most.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// See the module. It is live.
#[derive(Debug)]
pub struct FleetView {
    /// Pods, nodes and warnings, in this order.
    pub tables: Vec<TableView>,
    /// What is on the screen.
    pub list: List,
    /// Changes in each second, the last one at the end.
    changes: BTreeMap<ClusterName, VecDeque<u32>>,
    /// The second that is counted.
    second: u64,
}

/// What is known of a cluster beside its objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// `fresh`, `stale 12s`.
    pub state: String,
    /// `0.3s`
    pub lag: String,
    /// `v1.36.3`
    pub version: String,
    /// How that is.
    pub health: Health,
    /// What it has is old.
    pub is_stale: bool,
}

impl FleetView {
    /// With the tables that are watched for it.
    pub fn new(tables: Vec<TableView>) -> Self {
        Self {
            tables,
            list: List::new(&[
                "CLUSTER", "STATE", "LAG", "VERSION", "NODES", "PODS", "RUNNING", "STARTING",
                "FAILING", "DONE", "WARNINGS", "CHANGES",
            ]),
            changes: BTreeMap::new(),
            second: 0,
        }
    }

    /// Counts what changes; the first copy is no change.
    pub fn count(&mut self, feed: FeedId, news: &FeedNews) {
        let FeedNews::Changed(cluster, notices) = news else {
            return;
        };
        let is_told = self.tables.iter().any(|table| {
            let stream = table.streams.get(&(feed, cluster.clone()));
            stream.is_some_and(|stream| stream.is_told)
        });
        if is_told {
            let many = u32::try_from(notices.len()).unwrap_or(u32::MAX);
            let counts = self.changes.entry(cluster.clone()).or_default();
            match counts.back_mut() {
                Some(last) => *last = last.saturating_add(many),
                None => counts.push_back(many),
            }
        }
    }

    /// Looks at everything anew.
    pub fn refresh(&mut self, at: Duration, clusters: &[(ClusterName, Known)]) {
        self.go_on_to(at.as_secs());
        let counts: Vec<_> = self
            .tables
            .iter()
            .map(|table| table.grid.counts())
            .collect();
        let of = |table: usize, cluster: &ClusterName, health: Health| {
            let counts = counts.get(table).and_then(|counts| counts.get(cluster));
            counts.map_or(0, |counts| counts[health as usize])
        };
        let all = |table, cluster: &ClusterName| -> usize {
            let every = [Health::Done, Health::Well, Health::Warn, Health::Bad];
            every
                .into_iter()
                .map(|health| of(table, cluster, health))
                .sum()
        };
        let line = |(cluster, known): &(ClusterName, Known)| {
            let pods = |health| of(0, cluster, health).to_string();
            let ready = all(1, cluster) - of(1, cluster, Health::Bad);
            let cells = [
                cluster.as_str().to_owned(),
                known.state.clone(),
                known.lag.clone(),
                known.version.clone(),
                format!("{ready}/{}", all(1, cluster)),
                all(0, cluster).to_string(),
                pods(Health::Well),
                pods(Health::Warn),
                pods(Health::Bad),
                pods(Health::Done),
                all(2, cluster).to_string(),
                self.sparks(cluster),
            ];
            let broken = of(0, cluster, Health::Bad) + of(1, cluster, Health::Bad);
            let health = if broken > 0 {
                Health::Bad
            } else {
                Health::Well
            };
            ListLine {
                id: cluster.as_str().to_owned(),
                cells: cells.iter().map(|cell| word(cell).into_owned()).collect(),
                health: known.health.max(health),
                is_stale: known.is_stale,
                is_marked: false,
            }
        };
        let lines = clusters.iter().map(line).collect();
        self.list.set_lines(lines);
    }

    /// The changes of the last seconds, each as high as it is to the most of them.
    fn sparks(&self, cluster: &ClusterName) -> String {
        let counts = self.changes.get(cluster);
        let counts: Vec<u32> = counts.into_iter().flatten().copied().collect();
        let most = counts.iter().copied().max().unwrap_or_default().max(1);
        let bar = |count: &u32| {
            let at = (u64::from(*count) * 7).div_ceil(u64::from(most));
            BARS[usize::try_from(at).unwrap_or_default().min(7)]
        };
        let bars: String = counts.iter().map(bar).collect();
        format!("{bars:>SECONDS$}")
    }

    fn go_on_to(&mut self, second: u64) {
        let passed = second.saturating_sub(self.second).min(SECONDS as u64);
        self.second = second;
        let streams = self.tables.iter().flat_map(|table| table.streams.keys());
        let clusters: Vec<_> = streams.map(|(_, cluster)| cluster.clone()).collect();
        for cluster in clusters {
            self.changes.entry(cluster).or_default();
        }
        for counts in self.changes.values_mut() {
            counts.extend(std::iter::repeat_n(
                0,
                usize::try_from(passed).unwrap_or_default(),
            ));
            while counts.len() > SECONDS {
                counts.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::view::table::{Stream, TableSpec};
    use mqtt_informer::informer::Notice;

    #[test]
    fn changes_are_counted_by_the_second() {
        let name = ClusterName::new("east").unwrap();
        let mut table = TableView::new(TableSpec::default(), vec![FeedId(1)]);
        let key = (FeedId(1), name.clone());
        table.streams.insert(key.clone(), Stream::default());
        let mut fleet = FleetView::new(vec![table]);
        let news = |many: usize| {
            let notice = Notice {
                key: "x".into(),
                old: None,
                new: None,
            };
            FeedNews::Changed(name.clone(), vec![notice; many])
        };
        let known = vec![(name.clone(), Known::default())];
        fleet.count(FeedId(1), &news(1000));
        fleet.refresh(Duration::from_secs(1), &known);
        assert_eq!(
            fleet.sparks(&name).trim(),
            "▁",
            "the first copy is no change"
        );
        fleet.tables[0].streams.get_mut(&key).unwrap().is_told = true;
        fleet.count(FeedId(1), &news(14));
        fleet.refresh(Duration::from_secs(2), &known);
        fleet.count(FeedId(1), &news(2));
        fleet.refresh(Duration::from_secs(4), &known);
        assert_eq!(fleet.sparks(&name).trim(), "█▂▁▁");
        fleet.refresh(Duration::from_secs(90), &known);
        assert_eq!(fleet.sparks(&name), "▁".repeat(SECONDS));
    }
}
