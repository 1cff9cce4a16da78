//! Objects as they are, and what is changed in them.

use super::{CLUSTER_ANNOTATION, Printer};
use crate::describe::REDACTED;
use crate::get::block::{Block, Place};
use crate::get::plan::Form;
use crate::print::name;
use crate::print::objects::Format;
use crate::table::{Malformed, Resource, Row};
use bytes::Bytes;
use mqtt_informer::protocol::names::ClusterName;
use serde_json::{Map, Value};

impl Printer {
    /// Objects as items of the List, or names.
    pub(super) fn items(&mut self, block: &Block, malformed: &mut Vec<ClusterName>) -> String {
        let mut text = String::new();
        for (cluster, answer) in &block.answers {
            self.note_columns(&answer.resource.columns);
            let read = answer.values.iter().try_for_each(|value| {
                let place = (cluster, answer.now_ms);
                if self.objects.is_none() && !self.takes_value(value, &answer.resource, place)? {
                    return Ok(());
                }
                text += &self.item(value, &answer.resource, cluster)?;
                Ok::<_, Malformed>(())
            });
            if read.is_err() {
                malformed.push(cluster.clone());
            }
        }
        text
    }

    pub(super) fn sorted_items(
        &mut self,
        blocks: &[Block],
        order: Vec<Place>,
        malformed: &mut Vec<ClusterName>,
    ) -> String {
        let mut text = String::new();
        for (block, answer, value) in order {
            let answer = blocks
                .get(block)
                .and_then(|block| block.answers.get(answer));
            let Some((cluster, answer)) = answer else {
                continue;
            };
            let Some(value) = answer.values.get(value) else {
                continue;
            };
            let place = (cluster, answer.now_ms);
            let is_chosen = match self.objects {
                Some(_) => Ok(true),
                None => self.takes_value(value, &answer.resource, place),
            };
            let item = is_chosen.and_then(|is_chosen| match is_chosen {
                true => self.item(value, &answer.resource, cluster),
                false => Ok(String::new()),
            });
            match item {
                Ok(item) => text += &item,
                Err(Malformed) if malformed.contains(cluster) => {}
                Err(Malformed) => malformed.push(cluster.clone()),
            }
        }
        text
    }

    pub(super) fn item(
        &mut self,
        value: &Bytes,
        resource: &Resource,
        cluster: &ClusterName,
    ) -> Result<String, Malformed> {
        if self.objects.is_none() {
            return self.one(value, resource, cluster);
        }
        if self.failure.is_some() {
            return Ok(String::new());
        }
        let object = self.object(value, cluster)?;
        let item = self
            .objects
            .as_mut()
            .map(|objects| objects.item(&object, cluster.as_str()));
        Ok(self.told(item))
    }

    /// An object by itself, or a name.
    pub(super) fn one(
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
        let object = self
            .objects
            .as_mut()
            .map(|objects| objects.object(&object, cluster.as_str()));
        Ok(self.told(object))
    }

    /// The text, or none and the reason kept.
    pub(super) fn told(&mut self, text: Option<Result<String, String>>) -> String {
        match text {
            None => String::new(),
            Some(Ok(text)) => text,
            Some(Err(why)) => {
                self.failure.get_or_insert(why);
                String::new()
            }
        }
    }

    pub(super) fn object(
        &mut self,
        value: &Bytes,
        cluster: &ClusterName,
    ) -> Result<Value, Malformed> {
        let mut object: Map<String, Value> =
            serde_json::from_slice(value).map_err(|_| Malformed)?;
        let annotations = object.get("metadata").map(|it| &it["annotations"]);
        let is_redacted = annotations.is_some_and(|it| it.get(REDACTED).is_some());
        let shows_values = matches!(
            self.plan.form,
            Form::Objects(Format::Json | Format::Yaml | Format::Kyaml)
        );
        self.redacted |= is_redacted && shows_values;
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
