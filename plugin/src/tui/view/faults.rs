//! Everything that is unwell anywhere, the worst first.

use super::list::{List, ListLine};
use super::table::TableView;
use super::target::Target;
use crate::print::sanitize::word;
use crate::table::Resource;
use crate::tui::grid::{Field, Now, ObjectId, Seen};
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

/// More are not read: who has so many looks at the worst.
const MOST: usize = 2000;

/// See the module. It is live.
#[derive(Debug)]
pub struct FaultsView {
    /// The tables of what is looked at, of which only what is unwell is shown.
    pub tables: Vec<TableView>,
    /// What is on the screen.
    pub list: List,
    /// How many there are, and how many of them are broken: all of them, those that are not read included.
    pub many: (usize, usize),
    /// Of which table each line is, and which object, by the line's id: places change between two looks at everything.
    objects: BTreeMap<String, (usize, ObjectId)>,
}

/// One thing that is unwell.
struct Fault {
    /// The least first.
    rank: u8,
    line: ListLine,
    object: (usize, ObjectId),
}

/// A table that is looked at, and where it has what is told of a line.
struct Looked<'a> {
    table: &'a TableView,
    at: usize,
    resource: &'a Resource,
    status: Option<Field>,
    ready: Option<Field>,
    desired: Option<Field>,
    restarts: Option<Field>,
    reason: Option<Field>,
    message: Option<Field>,
    object: Option<Field>,
    last_seen: Option<Field>,
    age: Option<Field>,
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
            many: (0, 0),
            objects: BTreeMap::new(),
        }
    }

    /// Looks at everything anew. How a line is, is known without reading it: what is broken is read first, in the order of
    /// what takes others down with it, so that what is beyond the limit is the least.
    pub fn refresh(&mut self, now: Now, is_live: impl Fn(&TableView, &ClusterName) -> bool) {
        let tables = self.tables.iter().enumerate();
        let looked: Vec<_> = tables
            .filter_map(|(at, table)| Looked::at(table, at))
            .collect();
        let of = |health: Health| {
            let its = move |it| {
                let places = Looked::places(it, health);
                places.map(move |place| (it, place))
            };
            looked.iter().flat_map(its)
        };
        let broken = of(Health::Bad).count();
        self.many = (broken + of(Health::Warn).count(), broken);
        let worst = of(Health::Bad).chain(of(Health::Warn)).take(MOST);
        let mut faults: Vec<Fault> = worst
            .filter_map(|(looked, place)| looked.fault(place, now, &is_live))
            .collect();
        // Within a rank they stand as their tables have them: by cluster, namespace and name.
        faults.sort_by_key(|fault| fault.rank);
        let (objects, lines) = faults
            .into_iter()
            .map(|fault| ((fault.line.id.clone(), fault.object), fault.line))
            .unzip();
        self.objects = objects;
        self.list.set_lines(lines);
    }

    /// The object with the cursor.
    pub fn selected(&self) -> Option<Target> {
        let (table, object) = self.objects.get(&self.list.selected()?.id)?;
        self.tables.get(*table)?.target_of(object.clone())
    }
}

impl<'a> Looked<'a> {
    fn at(table: &'a TableView, at: usize) -> Option<Self> {
        let field = |head| table.grid.field_named(head);
        Some(Self {
            table,
            at,
            resource: table.grid.resource()?,
            status: field("STATUS"),
            ready: field("READY"),
            desired: field("DESIRED"),
            restarts: field("RESTARTS"),
            reason: field("REASON"),
            message: field("MESSAGE"),
            object: field("OBJECT"),
            last_seen: field("LAST SEEN"),
            age: field("AGE"),
        })
    }

    /// Where its lines are that are so, and are not going.
    fn places(&self, health: Health) -> impl Iterator<Item = usize> {
        self.table.grid.places_with(health)
    }

    fn fault(
        &self,
        place: usize,
        now: Now,
        is_live: &impl Fn(&TableView, &ClusterName) -> bool,
    ) -> Option<Fault> {
        let grid = &self.table.grid;
        let (seen, object) = (grid.seen(place, now)?, grid.object_at(place)?);
        let cell = |field| match field {
            Some(Field::Column(at)) => seen.cells.get(at).cloned().unwrap_or_default(),
            _ => String::new(),
        };
        let plural = self.resource.plural.as_str();
        let what = match plural {
            "events" => format!("{}: {}", cell(self.reason), cell(self.message)),
            "nodes" | "jobs" => cell(self.status),
            "pods" => pod(&cell(self.status), &cell(self.ready), &cell(self.restarts)),
            _ => of_workload(&cell(self.ready), &cell(self.desired)),
        };
        let (kind, name, age) = match plural {
            "events" => ("event".to_owned(), cell(self.object), cell(self.last_seen)),
            _ => {
                let kind = self.resource.kind.to_lowercase();
                (kind, word(&object.name).into_owned(), cell(self.age))
            }
        };
        let cluster = &object.cluster;
        let id = [cluster.as_str(), &kind, &object.namespace, &object.name].join("/");
        let rank = rank(plural, &what, &seen);
        let line = ListLine {
            id,
            health: seen.health,
            is_stale: !is_live(self.table, cluster),
            is_marked: false,
            cells: vec![
                cluster.as_str().to_owned(),
                kind,
                seen.namespace,
                name,
                what,
                age,
            ],
        };
        Some(Fault {
            rank,
            line,
            object: (self.at, object),
        })
    }
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
