//! Answers as text: blocks of tables, one List of objects, names; and changes one by one.

use super::member::Answer;
use super::plan::{Form, Plan};
use crate::filter::{Looked, NoColumn};
use crate::print::objects::ObjectPrinter;
use crate::print::table::{Rows, TableOptions, TablePrinter};
use crate::print::{Audience, name};
use crate::table::{Column, Malformed, Metadata, Resource, Row};
use bytes::Bytes;
use mqtt_informer::protocol::names::ClusterName;
use serde_json::{Map, Value};

/// The annotation that tells an item's cluster in a List of several clusters.
pub const CLUSTER_ANNOTATION: &str = "mqinformer.io/cluster";

/// The answers of one resource, in the order in which they are printed.
#[derive(Debug)]
pub struct Block {
    /// The resource as the first answer has it.
    pub resource: Resource,
    /// Whose answers.
    pub answers: Vec<(ClusterName, Answer)>,
}

/// Prints what one `get` prints.
#[derive(Debug)]
pub struct Printer {
    plan: Plan,
    /// A CLUSTER column or annotation, because there may be several.
    with_cluster: bool,
    objects: Option<ObjectPrinter>,
    /// The table that was printed last.
    table: Option<(Resource, TablePrinter)>,
    /// The columns of every table so far, where a filter wants to know them.
    columns: Vec<Vec<Column>>,
    /// Something was printed.
    pub written: bool,
}

impl Printer {
    /// A printer that has printed nothing yet.
    pub fn new(plan: Plan, with_cluster: bool, audience: Audience) -> Self {
        let objects = match plan.form {
            Form::Objects(format) => Some(ObjectPrinter::new(format, audience)),
            _ => None,
        };
        Self {
            plan,
            with_cluster,
            objects,
            table: None,
            columns: Vec::new(),
            written: false,
        }
    }

    /// The text of these blocks. `kinds`: several kinds were asked for, so names in tables say theirs.
    ///
    /// # Errors
    /// Which clusters' answers cannot be read; those of the others are printed.
    pub fn blocks(&mut self, blocks: &[Block], kinds: bool) -> (String, Vec<ClusterName>) {
        let mut malformed = Vec::new();
        let texts: Vec<String> = match self.plan.form {
            Form::Table | Form::Wide => blocks
                .iter()
                .map(|block| self.tables(block, kinds, &mut malformed))
                .collect(),
            _ => blocks
                .iter()
                .map(|block| self.items(block, &mut malformed))
                .collect(),
        };
        let text = texts.concat();
        self.written |= !text.is_empty();
        (text, malformed)
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

    /// What the filter speaks of and none of the tables has.
    pub fn unknown(&self) -> Option<NoColumn> {
        self.plan.filter.as_ref()?.unknown(&self.columns)
    }

    /// What the filter speaks of and this resource does not have.
    pub fn lacks(&self, resource: &Resource) -> Option<NoColumn> {
        let tables = std::slice::from_ref(&resource.columns);
        self.plan.filter.as_ref()?.unknown(tables)
    }

    /// Notes which columns there are, whatever becomes of the rows.
    fn note_columns(&mut self, columns: &[Column]) {
        let is_known = || self.columns.iter().any(|known| known == columns);
        if self.plan.filter.is_some() && !is_known() {
            self.columns.push(columns.to_vec());
        }
    }

    /// The rows that the filter takes.
    fn filtered(&self, cluster: &ClusterName, answer: &Answer, mut rows: Vec<Row>) -> Vec<Row> {
        if let Some(filter) = &self.plan.filter {
            let columns = &answer.resource.columns;
            let (bound, cluster, now_ms) = (filter.bind(columns), cluster.as_str(), answer.now_ms);
            rows.retain(|row| {
                bound.takes(Looked {
                    cluster,
                    now_ms,
                    row,
                })
            });
        }
        rows
    }

    /// Whether the filter takes one row.
    fn takes(&self, cluster: &ClusterName, now_ms: i64, resource: &Resource, row: &Row) -> bool {
        self.plan.filter.as_ref().is_none_or(|filter| {
            filter.bind(&resource.columns).takes(Looked {
                cluster: cluster.as_str(),
                now_ms,
                row,
            })
        })
    }

    /// The end of the output: objects are a List.
    pub fn end(&mut self) -> String {
        self.objects
            .as_mut()
            .map(ObjectPrinter::end)
            .unwrap_or_default()
    }

    /// A change of an object during a watch: what it is now, or what it was if it is gone; both if another took its
    /// name.
    ///
    /// # Errors
    /// When a value cannot be read.
    pub fn change(
        &mut self,
        change: &(Option<Bytes>, Option<Bytes>),
        resource: &Resource,
        (cluster, now_ms): (&ClusterName, i64),
    ) -> Result<String, Malformed> {
        let replaced = match change {
            (Some(old), Some(new)) => {
                uid(old, self.objects.is_some())? != uid(new, self.objects.is_some())?
            }
            _ => false,
        };
        let values = match change {
            (Some(old), Some(new)) if replaced => vec![old, new],
            (_, Some(value)) | (Some(value), None) => vec![value],
            (None, None) => vec![],
        };
        let mut text = String::new();
        for value in values {
            text += &match self.plan.form {
                Form::Table | Form::Wide => self.watched_row(value, resource, cluster, now_ms)?,
                Form::Name if !self.takes_value(value, resource, (cluster, now_ms))? => {
                    String::new()
                }
                _ => self.one(value, resource, cluster)?,
            };
        }
        self.written |= !text.is_empty();
        Ok(text)
    }

    fn takes_value(
        &self,
        value: &Bytes,
        resource: &Resource,
        (cluster, now_ms): (&ClusterName, i64),
    ) -> Result<bool, Malformed> {
        if self.plan.filter.is_none() {
            return Ok(true);
        }
        Ok(self.takes(cluster, now_ms, resource, &Row::from_value(value)?))
    }

    fn watched_row(
        &mut self,
        value: &Bytes,
        resource: &Resource,
        cluster: &ClusterName,
        now_ms: i64,
    ) -> Result<String, Malformed> {
        let rows = [Row::from_value(value)?];
        if !self.takes(cluster, now_ms, resource, &rows[0]) {
            return Ok(String::new());
        }
        let options = self.plan.table_options();
        // For one cluster kubectl's own: its watches print the column for whatever has no namespace, too.
        let options = TableOptions {
            with_cluster: self.with_cluster,
            with_namespace: options.with_namespace && (resource.namespaced || !self.with_cluster),
            ..options
        };
        let new = || (resource.clone(), TablePrinter::new(options));
        let (_, printer) = self.table.get_or_insert_with(new);
        let rows = Rows {
            cluster: cluster.as_str(),
            now_ms,
            columns: &resource.columns,
            rows: &rows,
        };
        Ok(printer.print(&[rows]))
    }

    fn tables(&mut self, block: &Block, kinds: bool, malformed: &mut Vec<ClusterName>) -> String {
        let mut read = Vec::new();
        for (cluster, answer) in &block.answers {
            self.note_columns(&answer.resource.columns);
            match answer
                .values
                .iter()
                .map(Row::from_value)
                .collect::<Result<Vec<_>, _>>()
            {
                Ok(rows) => read.push((cluster, answer, self.filtered(cluster, answer, rows))),
                Err(Malformed) => malformed.push(cluster.clone()),
            }
        }
        let tables: Vec<_> = read
            .iter()
            .map(|(cluster, answer, rows)| Rows {
                cluster: cluster.as_str(),
                now_ms: answer.now_ms,
                columns: &answer.resource.columns,
                rows,
            })
            .collect();
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
        let separated = !continues && self.written && !self.plan.no_headers && !text.is_empty();
        self.written |= !text.is_empty();
        if separated { format!("\n{text}") } else { text }
    }

    fn options(&self, resource: &Resource, kinds: bool) -> TableOptions {
        let options = self.plan.table_options();
        TableOptions {
            with_cluster: self.with_cluster,
            with_namespace: options.with_namespace && resource.namespaced,
            kind: kinds.then(|| resource.qualified_kind()),
            ..options
        }
    }

    /// Objects as items of the List, or names.
    fn items(&mut self, block: &Block, malformed: &mut Vec<ClusterName>) -> String {
        let mut text = String::new();
        for (cluster, answer) in &block.answers {
            let mut items = String::new();
            self.note_columns(&answer.resource.columns);
            let read = answer.values.iter().try_for_each(|value| {
                let place = (cluster, answer.now_ms);
                if self.objects.is_none() && !self.takes_value(value, &answer.resource, place)? {
                    return Ok(());
                }
                items += &match self.objects.is_some() {
                    true => {
                        let object = self.object(value, cluster)?;
                        self.objects
                            .as_mut()
                            .map(|objects| objects.item(&object))
                            .unwrap_or_default()
                    }
                    false => self.one(value, &answer.resource, cluster)?,
                };
                Ok::<_, Malformed>(())
            });
            text += &items;
            if read.is_err() {
                malformed.push(cluster.clone());
            }
        }
        text
    }

    /// An object by itself, or a name.
    fn one(
        &mut self,
        value: &Bytes,
        resource: &Resource,
        cluster: &ClusterName,
    ) -> Result<String, Malformed> {
        if self.objects.is_none() {
            let row = Row::from_value(value)?;
            return Ok(name::line(
                &resource.kind,
                &resource.group,
                &row.metadata.name,
            ));
        }
        let object = self.object(value, cluster)?;
        Ok(self
            .objects
            .as_mut()
            .map(|objects| objects.object(&object))
            .unwrap_or_default())
    }

    fn object(&self, value: &Bytes, cluster: &ClusterName) -> Result<Value, Malformed> {
        let mut object: Map<String, Value> =
            serde_json::from_slice(value).map_err(|_| Malformed)?;
        if self.with_cluster {
            annotate(&mut object, cluster);
        }
        Ok(Value::Object(object))
    }
}

/// Adds the annotation that tells the cluster. What is no metadata is left as it came.
fn annotate(object: &mut Map<String, Value>, cluster: &ClusterName) {
    let Some(Value::Object(metadata)) = object.get_mut("metadata") else {
        return;
    };
    let annotations = metadata.entry("annotations").or_insert(Value::Null);
    if annotations.is_null() {
        *annotations = Map::new().into();
    }
    if let Value::Object(annotations) = annotations {
        annotations.insert(CLUSTER_ANNOTATION.to_owned(), cluster.as_str().into());
    }
}

fn uid(value: &Bytes, is_object: bool) -> Result<String, Malformed> {
    #[derive(serde::Deserialize)]
    struct Object {
        metadata: Metadata,
    }
    if is_object {
        let object: Object = serde_json::from_slice(value).map_err(|_| Malformed)?;
        return Ok(object.metadata.uid);
    }
    Ok(Row::from_value(value)?.metadata.uid)
}
