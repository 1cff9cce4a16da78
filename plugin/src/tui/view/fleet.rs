//! The clusters, one a line: what each has, how it is, and how much happens in it.

use super::list::{List, ListLine};
use super::table::TableView;
use crate::print::sanitize::word;
use crate::tui::event::{FeedId, FeedNews};
use crate::tui::health::Health;
use crate::tui::standing::Standing;
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The worst of what is looked at.
    pub standing: Standing,
    /// `v1.36.3`
    pub version: String,
}

/// What is not known is not none.
const UNKNOWN: &str = "-";

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
        let of = |table: usize, cluster: &ClusterName| {
            let is_told = self.tables.get(table)?.is_told(cluster);
            let counts = counts.get(table).and_then(|counts| counts.get(cluster));
            is_told.then(|| counts.copied().unwrap_or_default())
        };
        let line = |(cluster, known): &(ClusterName, Known)| {
            let its = [0, 1, 2].map(|table| of(table, cluster));
            self.line(cluster, known, its)
        };
        let lines = clusters.iter().map(line).collect();
        self.list.set_lines(lines);
    }

    /// A cluster, with how many pods, nodes and warnings of each health it has, as far as it has told them.
    fn line(
        &self,
        cluster: &ClusterName,
        known: &Known,
        [pods, nodes, warnings]: [Option<[usize; 4]>; 3],
    ) -> ListLine {
        let (_, words) = known.standing.words();
        let (state, lag) = match known.standing.is_fresh() {
            true => ("fresh".to_owned(), words),
            false => (words, String::new()),
        };
        let number = |many: Option<usize>| many.map_or(UNKNOWN.to_owned(), |it| it.to_string());
        let all = |counts: Option<[usize; 4]>| counts.map(|counts| counts.iter().sum::<usize>());
        let in_pods = |health| number(pods.map(|counts| counts[health as usize]));
        let broken =
            |counts: Option<[usize; 4]>| counts.map_or(0, |counts| counts[Health::Bad as usize]);
        let ready = all(nodes).map(|all| format!("{}/{all}", all - broken(nodes)));
        let cells = [
            cluster.as_str().to_owned(),
            state,
            lag,
            known.version.clone(),
            ready.unwrap_or_else(|| UNKNOWN.to_owned()),
            number(all(pods)),
            in_pods(Health::Well),
            in_pods(Health::Warn),
            in_pods(Health::Bad),
            in_pods(Health::Done),
            number(all(warnings)),
            self.sparks(cluster),
        ];
        ListLine {
            id: cluster.as_str().to_owned(),
            cells: cells.iter().map(|cell| word(cell).into_owned()).collect(),
            health: match broken(pods) + broken(nodes) {
                0 => Health::Well,
                _ => Health::Bad,
            },
            is_stale: !known.standing.is_fresh(),
            is_marked: false,
        }
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
        let known = Known {
            standing: Standing::Asked,
            version: String::new(),
        };
        let known = vec![(name.clone(), known)];
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
