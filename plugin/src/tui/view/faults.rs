//! Everything that is unwell anywhere, the worst first.

use super::list::{List, ListLine};
use super::table::TableView;
use super::target::Target;
use crate::tui::grid::{Field, Now, Seen};
use crate::tui::health::Health;
use mqtt_informer::protocol::names::ClusterName;
use std::collections::BTreeMap;

/// What is looked at, and by which fields it is narrowed where clusters can do that.
pub const WATCHED: [(&str, &str); 7] = [
    ("nodes", ""),
    ("pods", ""),
    ("jobs.v1.batch", ""),
    ("deployments.v1.apps", ""),
    ("statefulsets.v1.apps", ""),
    ("daemonsets.v1.apps", ""),
    ("events", "type=Warning"),
];

/// More are not looked at: who has so many looks at the first.
const MOST: usize = 2000;

/// See the module. It is live.
#[derive(Debug)]
pub struct FaultsView {
    /// The tables of what is looked at, of which only what is unwell is shown.
    pub tables: Vec<TableView>,
    /// What is on the screen.
    pub list: List,
    /// Which line of which table each is, by its id.
    places: BTreeMap<String, (usize, usize)>,
}

/// One thing that is unwell.
struct Fault {
    /// The least first.
    rank: u8,
    line: ListLine,
    place: (usize, usize),
}

impl FaultsView {
    /// With the tables that are watched for it.
    pub fn new(mut tables: Vec<TableView>) -> Self {
        for table in &mut tables {
            table.grid.set_faults_only(true);
        }
        Self {
            tables,
            list: List::new(&["CLUSTER", "KIND", "NAMESPACE", "NAME", "WHAT", "AGE"]),
            places: BTreeMap::new(),
        }
    }

    /// Looks at everything anew.
    pub fn refresh(&mut self, now: Now, is_live: impl Fn(&TableView, &ClusterName) -> bool) {
        let mut faults: Vec<Fault> = Vec::new();
        for (at, table) in self.tables.iter().enumerate() {
            let places = 0..table.grid.shown().min(MOST - faults.len());
            faults.extend(places.filter_map(|place| fault(table, (at, place), now, &is_live)));
        }
        // Within a rank they stand as their tables have them: by cluster, namespace and name.
        faults.sort_by_key(|fault| fault.rank);
        let places = faults
            .iter()
            .map(|fault| (fault.line.id.clone(), fault.place));
        self.places = places.collect();
        self.list
            .set_lines(faults.into_iter().map(|fault| fault.line).collect());
    }

    /// The object with the cursor.
    pub fn selected(&self) -> Option<Target> {
        let (table, place) = *self.places.get(&self.list.selected()?.id)?;
        self.tables.get(table)?.target_at(place)
    }
}

fn fault(
    table: &TableView,
    place: (usize, usize),
    now: Now,
    is_live: &impl Fn(&TableView, &ClusterName) -> bool,
) -> Option<Fault> {
    let grid = &table.grid;
    let seen = grid.seen(place.1, now)?;
    let cluster = grid.cluster_name(seen.cluster)?;
    let resource = grid.resource()?;
    let cell = |head: &str| match grid.field_named(head) {
        Some(Field::Column(at)) => seen.cells.get(at).cloned().unwrap_or_default(),
        _ => String::new(),
    };
    let is_event = resource.plural == "events";
    let what = match resource.plural.as_str() {
        "events" => format!("{}: {}", cell("REASON"), cell("MESSAGE")),
        "nodes" | "jobs" => cell("STATUS"),
        "pods" => pod(&cell("STATUS"), &cell("READY"), &cell("RESTARTS")),
        _ => of_workload(&cell("READY"), &cell("DESIRED")),
    };
    let object = grid.object_at(place.1)?;
    let name = if is_event {
        cell("OBJECT")
    } else {
        object.name.clone()
    };
    let age = if is_event {
        cell("LAST SEEN")
    } else {
        cell("AGE")
    };
    let kind = if is_event {
        "event".to_owned()
    } else {
        resource.kind.to_lowercase()
    };
    let id = format!(
        "{}/{kind}/{}/{}",
        cluster.as_str(),
        object.namespace,
        object.name
    );
    let line = ListLine {
        id,
        cells: vec![
            cluster.as_str().to_owned(),
            kind,
            seen.namespace.clone(),
            name,
            what.clone(),
            age,
        ],
        health: seen.health,
        is_stale: !is_live(table, cluster),
        is_marked: false,
    };
    Some(Fault {
        rank: rank(&resource.plural, &what, &seen),
        line,
        place,
    })
}

/// `CrashLoopBackOff, 12 (2m ago) restarts`; a pod that runs and is not ready says so.
fn pod(status: &str, ready: &str, restarts: &str) -> String {
    let status = match status {
        "Running" => format!("not ready: {ready}"),
        status => status.to_owned(),
    };
    match restarts {
        "" | "0" => status,
        restarts => format!("{status}, restarts: {restarts}"),
    }
}

fn of_workload(ready: &str, desired: &str) -> String {
    match ready.contains('/') {
        true => format!("{ready} ready"),
        false => format!("{ready}/{desired} ready"),
    }
}

/// From what takes others down with it to what may only be late.
fn rank(plural: &str, what: &str, seen: &Seen) -> u8 {
    let is_bad = seen.health == Health::Bad;
    match plural {
        "nodes" if is_bad => 0,
        "pods" if what.contains("CrashLoop") => 1,
        "pods" if what.contains("ImagePull") || what.contains("ErrImage") => 2,
        "pods" if is_bad => 3,
        "jobs" if is_bad => 4,
        "deployments" | "statefulsets" | "daemonsets" if is_bad => 5,
        "pods" if what.starts_with("Pending") => 6,
        "events" => 9,
        "nodes" | "pods" => 7,
        _ => 8,
    }
}
