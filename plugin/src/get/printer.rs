//! Answers as text: blocks of tables, one List of objects, names; and changes one by one.

mod items;
mod watched;

use super::api_resources;
use super::block::{Block, Place};
use super::catalog::Catalogs;
use super::member::Answer;
use super::plan::{Form, Plan};
use super::sorting;
use crate::filter::comparable::Comparisons;
use crate::filter::{Looked, NoColumn};
use crate::print::Audience;
use crate::print::objects::ObjectPrinter;
use crate::print::sort::Key;
use crate::print::table::{Rows, TableOptions, TablePrinter};
use crate::table::{Column, Malformed, Resource, Row};
use bytes::Bytes;
use mqtt_informer::protocol::names::ClusterName;
use std::collections::BTreeMap;

/// The annotation that tells an item's cluster in a List of several clusters.
pub const CLUSTER_ANNOTATION: &str = "mqinformer.io/cluster";

/// Prints what one `get` prints.
#[derive(Debug)]
pub struct Printer {
    plan: Plan,
    /// A CLUSTER column or annotation, because there may be several.
    with_cluster: bool,
    objects: Option<ObjectPrinter>,
    /// The table that was printed last.
    table: Option<(Resource, TablePrinter)>,
    /// Some table had a NAMESPACE column.
    namespaces_shown: bool,
    /// The columns of every table so far, where a filter wants to know them.
    columns: Vec<Vec<Column>>,
    /// Whether the filter's values are such as their columns hold.
    comparisons: Comparisons,
    /// Secrets were printed whose values did not come.
    pub redacted: bool,
    /// Something was printed.
    pub written: bool,
    /// What clusters have, if that is what is printed.
    pub catalogs: Catalogs,
    audience: Audience,
    /// Why something could not be printed, in kubectl's words; nothing is printed after it.
    pub failure: Option<String>,
}

impl Printer {
    /// A printer that has printed nothing yet.
    pub fn new(plan: Plan, with_cluster: bool, audience: Audience) -> Self {
        let objects = match &plan.form {
            Form::Objects(format) => {
                Some(ObjectPrinter::new(format.clone(), with_cluster, audience))
            }
            _ => None,
        };
        Self {
            plan,
            with_cluster,
            objects,
            table: None,
            namespaces_shown: false,
            columns: Vec::new(),
            comparisons: Comparisons::default(),
            redacted: false,
            written: false,
            catalogs: Catalogs::default(),
            audience,
            failure: None,
        }
    }

    /// The text of these blocks. `kinds`: several kinds were asked for, so names in tables say theirs.
    ///
    /// # Errors
    /// Which clusters' answers cannot be read; those of the others are printed.
    pub fn blocks(&mut self, blocks: &[Block], kinds: bool) -> (String, Vec<ClusterName>) {
        let mut malformed = Vec::new();
        let Some(order) = self.order(blocks) else {
            return (String::new(), malformed);
        };
        let texts: Vec<String> = match self.plan.form {
            Form::Catalog(_) => {
                let answers = blocks.iter().flat_map(|block| &block.answers);
                for (cluster, answer) in answers {
                    if self.catalogs.add(cluster, &answer.values).is_err() {
                        malformed.push(cluster.clone());
                    }
                }
                Vec::new()
            }
            Form::Table | Form::Wide => blocks
                .iter()
                .enumerate()
                .map(|(index, block)| {
                    let order = order.as_ref().and_then(|order| order.get(index));
                    self.tables(block, order.map(Vec::as_slice), kinds, &mut malformed)
                })
                .collect(),
            _ => match &order {
                Some(order) => vec![self.sorted_items(blocks, order.concat(), &mut malformed)],
                None => blocks
                    .iter()
                    .map(|block| self.items(block, &mut malformed))
                    .collect(),
            },
        };
        let mut text = texts.concat();
        text += &self
            .objects
            .as_mut()
            .map(ObjectPrinter::batch)
            .unwrap_or_default();
        self.written |= !text.is_empty();
        (text, malformed)
    }

    /// In which order the values of each block come, if they are sorted; tables each for itself, objects all together.
    /// Nothing if they cannot be sorted.
    fn order(&mut self, blocks: &[Block]) -> Option<Option<Vec<Vec<Place>>>> {
        if self.plan.sort_column.is_some() {
            let answers = blocks.iter().flat_map(|block| &block.answers);
            answers.for_each(|(_, answer)| self.note_columns(&answer.resource.columns));
        }
        if let Some(column) = &self.plan.sort_column {
            if column.unknown(&self.columns).is_some() {
                return None;
            }
            let orders = blocks.iter().enumerate();
            return Some(Some(orders.map(|it| sorting::order(column, it)).collect()));
        }
        let Some(field) = &self.plan.sort else {
            return Some(None);
        };
        let keys = |(index, block): (usize, &Block)| {
            let mut places: Vec<(Key, Place)> = Vec::new();
            for (at, (_, answer)) in block.answers.iter().enumerate() {
                let keys = answer.sort_keys.iter().cloned().enumerate();
                places.extend(keys.map(|(value, key)| (key, (index, at, value))));
            }
            places
        };
        let mut groups: Vec<_> = blocks.iter().enumerate().map(keys).collect();
        if self.plan.form.is_objects() {
            groups = vec![groups.concat()];
        }
        // As in kubectl, a table of one row is in order whatever it has.
        let least = if self.plan.form.is_objects() { 1 } else { 2 };
        for group in groups.iter_mut().filter(|group| group.len() >= least) {
            if let Err(why) = field.sort(group) {
                self.failure.get_or_insert(why);
                return None;
            }
        }
        let places = |group: Vec<(Key, Place)>| group.into_iter().map(|(_, place)| place).collect();
        Some(Some(groups.into_iter().map(places).collect()))
    }

    /// The one object that was asked for.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn single(&mut self, answer: &Answer, cluster: &ClusterName) -> Result<String, Malformed> {
        let mut text = String::new();
        for value in &answer.values {
            text += &self.one(value, &answer.resource, cluster)?;
        }
        self.written |= !text.is_empty();
        Ok(text)
    }

    /// One object by itself.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn single_value(
        &mut self,
        value: &Bytes,
        resource: &Resource,
        cluster: &ClusterName,
    ) -> Result<String, Malformed> {
        let text = self.one(value, resource, cluster)?;
        self.written |= !text.is_empty();
        Ok(text)
    }

    /// What was asked for and makes no sense: a column that none of the tables has, a value that is none of its column.
    pub fn senseless(&self) -> Option<String> {
        let unknown = self.missing_column(&self.columns);
        let unknown = unknown.map(|unknown| unknown.to_string());
        unknown.or_else(|| Some(self.comparisons.incomparable()?.to_string()))
    }

    /// Notes whether the filter's values are such as the rows of a cluster have.
    pub fn note_rows(
        &mut self,
        (resource, cluster, now_ms): (&Resource, &ClusterName, i64),
        rows: &[Row],
    ) {
        let Some(filter) = self.plan.filter.as_ref().filter(|it| it.is_ordering()) else {
            return;
        };
        let looked = |row| Looked {
            cluster: cluster.as_str(),
            now_ms,
            row,
        };
        let rows: Vec<_> = rows.iter().map(looked).collect();
        self.comparisons.note(filter, &resource.columns, &rows);
    }

    /// The column that was asked for and that this resource does not have.
    pub fn lacks(&self, resource: &Resource) -> Option<NoColumn> {
        self.missing_column(std::slice::from_ref(&resource.columns))
    }

    fn missing_column(&self, tables: &[Vec<Column>]) -> Option<NoColumn> {
        let Plan {
            filter,
            sort_column,
            ..
        } = &self.plan;
        let filtered = filter.as_ref().and_then(|filter| filter.unknown(tables));
        filtered.or_else(|| sort_column.as_ref()?.unknown(tables))
    }

    /// Notes which columns there are, whatever becomes of the rows.
    fn note_columns(&mut self, columns: &[Column]) {
        let is_known = || self.columns.iter().any(|known| known == columns);
        let is_asked_for = self.plan.filter.is_some() || self.plan.sort_column.is_some();
        if is_asked_for && !is_known() {
            self.columns.push(columns.to_vec());
        }
    }

    /// Which rows of a cluster the filter takes.
    fn takes<'a>(
        &'a self,
        cluster: &'a ClusterName,
        now_ms: i64,
        resource: &Resource,
    ) -> impl Fn(&Row) -> bool + use<'a> {
        let filter = self.plan.filter.as_ref();
        let bound = filter.map(|filter| filter.bind(&resource.columns));
        move |row| {
            bound.as_ref().is_none_or(|bound| {
                bound.takes(Looked {
                    cluster: cluster.as_str(),
                    now_ms,
                    row,
                })
            })
        }
    }

    /// The end of the output: objects are a List.
    pub fn end(&mut self) -> String {
        if self.failure.is_some() {
            return String::new();
        }
        if let Form::Catalog(choice) = &self.plan.form {
            return match self.catalogs.iter().next() {
                Some(_) => {
                    api_resources::text(&self.catalogs, choice, !self.with_cluster, self.audience)
                }
                None => String::new(),
            };
        }
        let end = self.objects.as_mut().map(ObjectPrinter::end);
        self.told(end)
    }

    fn tables(
        &mut self,
        block: &Block,
        order: Option<&[Place]>,
        kinds: bool,
        malformed: &mut Vec<ClusterName>,
    ) -> String {
        let mut read: BTreeMap<usize, (&ClusterName, &Answer, Vec<Row>)> = BTreeMap::new();
        let mut chosen: BTreeMap<usize, Vec<bool>> = BTreeMap::new();
        for (at, (cluster, answer)) in block.answers.iter().enumerate() {
            self.note_columns(&answer.resource.columns);
            match answer
                .values
                .iter()
                .map(Row::from_value)
                .collect::<Result<Vec<_>, _>>()
            {
                Ok(mut rows) => {
                    self.note_rows((&answer.resource, cluster, answer.now_ms), &rows);
                    let takes = self.takes(cluster, answer.now_ms, &answer.resource);
                    if order.is_none() {
                        rows.retain(takes);
                    } else {
                        chosen.insert(at, rows.iter().map(takes).collect());
                    }
                    read.insert(at, (cluster, answer, rows));
                }
                Err(Malformed) => malformed.push(cluster.clone()),
            }
        }
        let rows_of = |at: usize, from: usize, to: usize| {
            let (cluster, answer, rows) = read.get(&at)?;
            Some(Rows {
                cluster: cluster.as_str(),
                now_ms: answer.now_ms,
                columns: &answer.resource.columns,
                rows: rows.get(from..to)?,
                event: "",
            })
        };
        let tables: Vec<_> = match order {
            // Rows of several clusters in turn: a table each.
            Some(order) => order
                .iter()
                .filter(|(_, at, value)| {
                    let is_chosen = chosen.get(at).and_then(|chosen| chosen.get(*value));
                    is_chosen.is_some_and(|is_chosen| *is_chosen)
                })
                .filter_map(|(_, at, value)| rows_of(*at, *value, value + 1))
                .collect(),
            None => read
                .iter()
                .filter_map(|(at, (_, _, rows))| rows_of(*at, 0, rows.len()))
                .collect(),
        };
        let continues = self.table.as_ref().is_some_and(|(resource, printer)| {
            resource.is_same(&block.resource)
                && tables.iter().all(|table| printer.fits(table.columns))
        });
        if !continues {
            self.table = Some((
                block.resource.clone(),
                TablePrinter::new(self.options(&block.resource, kinds)),
            ));
        }
        let text = self
            .table
            .as_mut()
            .map(|(_, printer)| printer.print(&tables))
            .unwrap_or_default();
        self.namespaces_shown |= block.resource.namespaced;
        let separated = !continues && self.written && !self.plan.no_headers && !text.is_empty();
        self.written |= !text.is_empty();
        if separated { format!("\n{text}") } else { text }
    }

    fn options(&self, resource: &Resource, kinds: bool) -> TableOptions {
        let options = self.plan.table_options();
        // kubectl's printer flags are shared by its tables: once the column was there, it is in all that follow.
        let stays = self.namespaces_shown && !self.with_cluster;
        TableOptions {
            with_cluster: self.with_cluster,
            with_namespace: options.with_namespace && (resource.namespaced || stays),
            kind: (kinds || self.plan.show_kind).then(|| resource.qualified_kind()),
            ..options
        }
    }
}
