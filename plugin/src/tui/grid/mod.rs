//! The rows of one resource over all clusters: in order, filtered, with what became of each lately.
//!
//! Fed by [`Grid::apply`] with what an informer's watch tells, read by [`Grid::seen`], a line at a time: what is not on
//! the screen is never decoded for it. Rows are kept as the bytes that the store holds, and beside them only what many
//! lines are looked at by: a text to be searched, a key to be sorted by.
//!
//! | module | what it is |
//! |---|---|
//! | `kept` | orders by columns that were looked at before |
//! | `line` | one line, and how a row becomes one |
//! | `feed` | changes taken in |
//! | `fresh` | what a value tells of a line |
//! | `haystacks` | what lines are searched by |
//! | `instants` | cells that are ages |
//! | `order` | which line stands where, and which are shown |
//! | `measures` | what lines use, beside their rows |
//! | `sorting` | all lines by a column at once |
//! | `sets` | what many lines have in common |
//! | `cursor` | the line that is selected, and the part of all that is on the screen |
//!
//! **Architecture invariant:** pure. It knows no clock: every method that needs the time is told it.

mod cursor;
mod feed;
mod fresh;
mod haystacks;
mod instants;
mod kept;
mod line;
mod measures;
mod order;
mod sets;
mod sorting;

pub use cursor::Step;
pub use feed::Novelty;
pub use line::{Change, Field, Mark};
pub use measures::Measure;

use super::health::Health;
use super::object::Maker;
use super::query::Query;
use crate::filter::compare::{Kind, Reading, Tally};
use crate::table::{Column, Columns, Resource, Row};
use bytes::Bytes;
use haystacks::Haystacks;
use instants::Instants;
use kept::Kept;
use line::{Line, Placed, fit, names};
use measures::Measures;
use mqtt_informer::protocol::names::ClusterName;
use sets::{Groups, LabelSets};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

/// For how long a change is shown.
pub const FLASH: Duration = Duration::from_millis(1200);

/// Marks that end within such a time end together.
const TOGETHER: Duration = Duration::from_millis(100);

/// What passes by its age is asked again so often.
const SIFT: Duration = Duration::from_secs(1);

/// More changes at once than that are no news of single rows.
const BULK: usize = 1000;

/// Now, as a grid is told it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Since the program began: monotonic.
    pub at: Duration,
    /// This machine's clock, ms since 1970: for ages.
    pub wall_ms: i64,
}

/// By what lines are sorted. Lines that are equal in it, and all if it is none, stand by cluster, namespace and name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sort {
    /// The column.
    pub by: Option<Field>,
    /// The last first.
    pub descending: bool,
}

/// By what lines are put together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Group {
    /// They are not.
    #[default]
    None,
    /// By cluster.
    Cluster,
    /// By namespace, whatever the cluster.
    Namespace,
    /// By what made them.
    Owner,
}

/// Which object: of which cluster, and its key there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// Its cluster.
    pub cluster: ClusterName,
    /// Empty for what lives in none.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// A line as the screen shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its cluster's number: see [`Grid::cluster_name`].
    pub cluster: u32,
    /// Fit for the screen.
    pub namespace: String,
    /// In the order of the union's columns, fit for the screen.
    pub cells: Vec<String>,
    /// How it is.
    pub health: Health,
    /// What became of it lately.
    pub mark: Option<Mark>,
    /// A person marked it.
    pub is_marked: bool,
    /// The group that begins with it, and how many lines are in it.
    pub heading: Option<(String, usize)>,
}

/// Which rows there may be, beside what the stream's selection says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Only {
    /// All that come.
    #[default]
    All,
    /// Those that this object made.
    MadeBy(Maker),
}

/// What a grid knows of one cluster.
#[derive(Debug)]
struct Slot {
    name: ClusterName,
    /// Its place among the names in alphabetical order.
    rank: u32,
    /// Where the union has each of its columns.
    places: Vec<usize>,
    has_header: bool,
    /// How many lines it has of each health: those that are going, too.
    counts: [usize; 4],
    /// How far its API server's clock is ahead of this machine's.
    ahead_ms: i64,
}

/// See the module.
#[derive(Debug)]
pub struct Grid {
    resource: Option<Resource>,
    columns: Columns,
    /// The columns by which health is told.
    signs: Vec<(usize, String)>,
    /// The greatest width that a cell of the column ever had: nothing jumps while one scrolls.
    widths: Vec<u16>,
    namespace_width: u16,
    slots: Vec<Slot>,
    lines: Vec<Option<Line>>,
    haystacks: Haystacks,
    instants: Instants,
    free: Vec<u32>,
    index: HashMap<(u32, Bytes), u32>,
    /// All lines by cluster, namespace and name.
    base: Vec<u32>,
    /// All lines in the order that is wanted.
    order: Vec<u32>,
    /// By line, apart from the lines, since all of them are asked at once: whether it passes the filter,
    passes: Vec<bool>,
    /// the number of its labels,
    label_sets: Vec<u32>,
    /// and as what the cell can be read that lines are sorted by.
    readings: Vec<Reading>,
    /// Those that pass, in the order that is wanted.
    shown: Vec<u32>,
    sort: Sort,
    kept: Kept,
    tally: Tally,
    kind: Kind,
    group: Group,
    groups: Groups,
    labels: LabelSets,
    query: Query,
    /// The time that ages are compared at: when lines were last asked whether they pass.
    sifted: Now,
    faults_only: bool,
    only: Only,
    measures: Measures,
    /// Lines that a person marked.
    marked: BTreeSet<u32>,
    /// What became of lines lately.
    marks: HashMap<u32, Mark>,
    /// Which lines were marked when, in the order of time.
    lit: VecDeque<(Duration, u32)>,
    selected: Option<u32>,
    cursor: usize,
    top: usize,
    height: usize,
    #[cfg(test)]
    decoded: std::cell::Cell<usize>,
}

impl Grid {
    /// An empty one.
    pub fn new(only: Only) -> Self {
        Self {
            resource: None,
            columns: Columns::default(),
            signs: Vec::new(),
            widths: Vec::new(),
            namespace_width: 0,
            slots: Vec::new(),
            lines: Vec::new(),
            haystacks: Haystacks::default(),
            instants: Instants::default(),
            free: Vec::new(),
            index: HashMap::new(),
            base: Vec::new(),
            order: Vec::new(),
            passes: Vec::new(),
            label_sets: Vec::new(),
            readings: Vec::new(),
            shown: Vec::new(),
            sort: Sort::default(),
            kept: Kept::default(),
            tally: Tally::default(),
            kind: Kind::Text,
            group: Group::None,
            groups: Groups::default(),
            labels: LabelSets::default(),
            query: Query::All,
            sifted: Now::default(),
            faults_only: false,
            only,
            measures: Measures::default(),
            marked: BTreeSet::new(),
            marks: HashMap::new(),
            lit: VecDeque::new(),
            selected: None,
            cursor: 0,
            top: 0,
            height: 1,
            #[cfg(test)]
            decoded: std::cell::Cell::default(),
        }
    }

    /// What the rows are of, once a cluster has said it.
    pub fn resource(&self) -> Option<&Resource> {
        self.resource.as_ref()
    }

    /// The union of the clusters' columns.
    pub fn columns(&self) -> &[Column] {
        self.columns.as_slice()
    }

    /// The greatest width of each column's cells.
    pub fn widths(&self) -> &[u16] {
        &self.widths
    }

    /// The greatest width of the namespaces' names.
    pub fn namespace_width(&self) -> u16 {
        self.namespace_width
    }

    /// The greatest width of the clusters' names.
    pub fn cluster_width(&self) -> u16 {
        let widths = self
            .slots
            .iter()
            .map(|slot| line::text_width(slot.name.as_str()));
        widths.max().unwrap_or_default()
    }

    /// The name of a cluster by its number.
    pub fn cluster_name(&self, cluster: u32) -> Option<&ClusterName> {
        self.slots.get(cluster as usize).map(|slot| &slot.name)
    }

    /// How many lines there are, those that are going included.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The places of those that are so, and are not going: of none of them the row is read for that.
    pub fn places_with(&self, health: Health) -> impl Iterator<Item = usize> {
        let shown = self.shown.iter().enumerate();
        let its = shown.filter(move |(_, number)| {
            let line = self.line(**number);
            line.is_some_and(|line| line.health == health) && !self.is_gone(**number)
        });
        its.map(|(place, _)| place)
    }

    /// How many pass the filter.
    pub fn shown(&self) -> usize {
        self.shown.len()
    }

    /// How lines are sorted.
    pub fn sort(&self) -> Sort {
        self.sort
    }

    /// How they are grouped.
    pub fn group(&self) -> Group {
        self.group
    }

    /// Whether only what is unwell is shown.
    pub fn faults_only(&self) -> bool {
        self.faults_only
    }

    /// A line by its place among those that are shown; decoded for this look.
    pub fn seen(&self, place: usize, now: Now) -> Option<Seen> {
        let number = *self.shown.get(place)?;
        let line = self.line(number)?;
        let slot = self.slots.get(line.cluster as usize)?;
        let now_ms = now.wall_ms.saturating_add(slot.ahead_ms);
        let (namespace, name) = names(&line.key);
        let mut cells = match self.decode(&line.value) {
            Some(row) => self.texts(&row, slot, now_ms),
            None => self.name_only(&name),
        };
        self.measures.fill(&mut cells, line);
        Some(Seen {
            cluster: line.cluster,
            namespace: fit(&namespace),
            cells,
            health: line.health,
            mark: self.marks.get(&number).copied(),
            is_marked: self.marked.contains(&number),
            heading: self.heading(place),
        })
    }

    fn texts(&self, row: &Row, slot: &Slot, now_ms: i64) -> Vec<String> {
        let places = &slot.places;
        let placed = Placed { row, places };
        let cell = |column| {
            let cell = placed.cell(column);
            cell.map_or_else(String::new, |cell| fit(&cell.text(now_ms)))
        };
        (0..self.columns().len()).map(cell).collect()
    }

    /// Of a row that cannot be read, its key is known.
    fn name_only(&self, name: &str) -> Vec<String> {
        let cell = |column: &Column| match column.names_objects {
            true => fit(name),
            false => String::new(),
        };
        self.columns().iter().map(cell).collect()
    }

    /// The object at a place.
    pub fn object_at(&self, place: usize) -> Option<ObjectId> {
        self.object(*self.shown.get(place)?)
    }

    /// The value of an object's line, whether that is shown or not.
    pub fn value_of(&self, id: &ObjectId) -> Option<&Bytes> {
        let cluster = self.slots.iter().position(|slot| slot.name == id.cluster)?;
        let key = line::key(&id.namespace, &id.name);
        let number = self.index.get(&(u32::try_from(cluster).ok()?, key))?;
        self.line(*number).map(|line| &line.value)
    }

    /// The keys of each cluster's lines that are not going.
    pub fn keys(&self) -> BTreeMap<&ClusterName, Vec<Bytes>> {
        let mut keys: Vec<Vec<Bytes>> = vec![Vec::new(); self.slots.len()];
        let lines = self.lines.iter().zip(0..);
        let there = lines.filter(|(_, number)| !self.is_gone(*number));
        for line in there.filter_map(|(line, _)| line.as_ref()) {
            keys[line.cluster as usize].push(line.key.clone());
        }
        let names = self.slots.iter().map(|slot| &slot.name);
        names.zip(keys).collect()
    }

    /// The objects that a person marked, in the order of the table.
    pub fn marked(&self) -> Vec<ObjectId> {
        let marked = self.order.iter().filter(|it| self.marked.contains(it));
        marked.filter_map(|number| self.object(*number)).collect()
    }

    /// How many lines each cluster has of each health, in the order of [`Health`]; those that are going are not counted.
    pub fn counts(&self) -> BTreeMap<&ClusterName, [usize; 4]> {
        let mut counts: Vec<_> = self.slots.iter().map(|slot| slot.counts).collect();
        for number in self.marks.keys().filter(|number| self.is_gone(**number)) {
            if let Some(line) = self.line(*number) {
                counts[line.cluster as usize][line.health as usize] -= 1;
            }
        }
        let names = self.slots.iter().map(|slot| &slot.name);
        names.zip(counts).collect()
    }

    /// All lines that pass, as text: to be saved.
    pub fn all_cells(&self, now: Now) -> impl Iterator<Item = Seen> {
        (0..self.shown.len()).filter_map(move |place| self.seen(place, now))
    }

    fn object(&self, number: u32) -> Option<ObjectId> {
        let line = self.line(number)?;
        let (namespace, name) = names(&line.key);
        Some(ObjectId {
            cluster: self.cluster_name(line.cluster)?.clone(),
            namespace,
            name,
        })
    }

    fn is_gone(&self, number: u32) -> bool {
        let mark = self.marks.get(&number);
        mark.is_some_and(|mark| mark.change == Change::Gone)
    }

    fn line(&self, number: u32) -> Option<&Line> {
        self.lines.get(number as usize)?.as_ref()
    }

    fn line_mut(&mut self, number: u32) -> Option<&mut Line> {
        self.lines.get_mut(number as usize)?.as_mut()
    }

    fn decode(&self, value: &Bytes) -> Option<Row> {
        #[cfg(test)]
        self.decoded.set(self.decoded.get() + 1);
        Row::from_value(value).ok()
    }
}

#[cfg(test)]
mod tests;
