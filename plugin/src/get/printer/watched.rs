//! What a watch prints.

use super::Printer;
use crate::get::plan::Form;
use crate::print::table::{Rows, TableOptions, TablePrinter};
use crate::table::{Malformed, Metadata, Resource, Row};
use bytes::Bytes;
use mqtt_informer::protocol::names::ClusterName;

impl Printer {
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
            (Some(old), Some(new)) if replaced => vec![("DELETED", old), ("ADDED", new)],
            (Some(_), Some(new)) => vec![("MODIFIED", new)],
            (None, Some(new)) => vec![("ADDED", new)],
            (Some(old), None) => vec![("DELETED", old)],
            (None, None) => vec![],
        };
        let mut text = String::new();
        for (event, value) in values {
            text += &match self.plan.form {
                Form::Table | Form::Wide => {
                    let rows = vec![Row::from_value(value)?];
                    self.watched_rows(event, rows, resource, (cluster, now_ms))
                }
                Form::Name if !self.takes_value(value, resource, (cluster, now_ms))? => {
                    String::new()
                }
                _ if self.plan.events && self.objects.is_some() => {
                    let object = self.object(value, cluster)?;
                    let objects = self.objects.as_mut();
                    let event =
                        objects.map(|objects| objects.event(event, &object, cluster.as_str()));
                    self.told(event)
                }
                _ => self.one(value, resource, cluster)?,
            };
        }
        self.written |= !text.is_empty();
        Ok(text)
    }

    /// What is there when a watch begins: one table, as kubectl prints it.
    ///
    /// # Errors
    /// When a value cannot be read.
    pub fn first(
        &mut self,
        values: &[&Bytes],
        resource: &Resource,
        (cluster, now_ms): (&ClusterName, i64),
    ) -> Result<String, Malformed> {
        if !matches!(self.plan.form, Form::Table | Form::Wide) {
            let added = values.iter().map(|value| {
                self.change(&(None, Some((*value).clone())), resource, (cluster, now_ms))
            });
            return Ok(added.collect::<Result<Vec<_>, _>>()?.concat());
        }
        let rows = values.iter().map(|value| Row::from_value(value));
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        self.note_rows((resource, cluster, now_ms), &rows);
        let text = self.watched_rows("ADDED", rows, resource, (cluster, now_ms));
        self.written |= !text.is_empty();
        Ok(text)
    }

    pub(super) fn takes_value(
        &self,
        value: &Bytes,
        resource: &Resource,
        (cluster, now_ms): (&ClusterName, i64),
    ) -> Result<bool, Malformed> {
        if self.plan.filter.is_none() {
            return Ok(true);
        }
        Ok(self.takes(cluster, now_ms, resource)(&Row::from_value(
            value,
        )?))
    }

    fn watched_rows(
        &mut self,
        event: &str,
        mut rows: Vec<Row>,
        resource: &Resource,
        (cluster, now_ms): (&ClusterName, i64),
    ) -> String {
        rows.retain(self.takes(cluster, now_ms, resource));
        let options = self.options(resource, false);
        // For one cluster kubectl's own: its watches print the column for whatever has no namespace, too.
        let with_namespace = self.plan.table_options().with_namespace;
        let options = TableOptions {
            with_namespace: with_namespace && (resource.namespaced || !self.with_cluster),
            ..options
        };
        let new = || (resource.clone(), TablePrinter::new(options));
        let (_, printer) = self.table.get_or_insert_with(new);
        printer.print(&[Rows {
            cluster: cluster.as_str(),
            now_ms,
            columns: &resource.columns,
            rows: &rows,
            event,
        }])
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
