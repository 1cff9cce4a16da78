//! A `wait`: until the objects of every cluster are as wanted, or time is up.
//!
//! kubectl waits for one object after the other, and so do the lines come; what is waited for is looked at in all of
//! them at once.

use super::{Collector, Output, Told};
use crate::get::member::{At, Standing, Trouble};
use crate::get::messages::{self, Refusal};
use crate::print::name;
use crate::table::{Malformed, Metadata, Resource};
use crate::wait::{Condition, Wait};
use bytes::Bytes;
use mqtt_informer::protocol::names::ClusterName;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// How far a `wait` has come.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    clusters: BTreeMap<ClusterName, Awaited>,
}

#[derive(Debug, Default)]
struct Awaited {
    /// Which objects are meant is known.
    found: bool,
    /// The targets whose type exists.
    types: BTreeSet<usize>,
    objects: Vec<Object>,
    /// What did not exist, as long as it is not known to exist elsewhere.
    absent: Vec<(usize, Refusal)>,
}

/// One object that is waited for.
#[derive(Debug)]
struct Object {
    target: usize,
    key: Bytes,
    uid: String,
    resource: Resource,
    /// As it was last.
    value: Bytes,
    /// How many of the conditions were met.
    met: usize,
    /// How many were told.
    told: usize,
    failed: Option<String>,
}

impl Collector {
    pub(super) fn wait_for(&mut self, wait: &Wait, at: At) {
        let circumstances = self.circumstances(at);
        let over = !wait.timeout.is_zero() && at >= wait.timeout;
        let mut pending = false;
        for name in self.members.keys().cloned().collect::<Vec<_>>() {
            if matches!(self.told.get(&name), Some(Told::Whole | Told::Trouble(_))) {
                continue;
            }
            let standings = match self.members.get(&name) {
                Some(member) => member.standings(&circumstances),
                None => continue,
            };
            match self.awaited(wait, &name, &standings, over) {
                Ok(true) => {
                    self.told.insert(name, Told::Whole);
                }
                Ok(false) => pending = true,
                Err(trouble) => {
                    let line = self.trouble_line(&name, &trouble);
                    self.fail(line);
                    self.told.insert(name, Told::Trouble(trouble));
                }
            }
            if self.done {
                return;
            }
        }
        let all_known = self.discovered || (self.selector.is_closed() && !self.members.is_empty());
        if !pending && (all_known || over) {
            self.end_of_wait(wait);
        }
    }

    fn trouble_line(&self, name: &ClusterName, trouble: &Trouble) -> String {
        match (trouble, self.selector.only()) {
            (Trouble::Refused(refusal), Some(_)) => refusal.line(),
            _ => self.line(name, trouble),
        }
    }

    /// Whether a cluster is done with; lines that are due are printed.
    fn awaited(
        &mut self,
        wait: &Wait,
        name: &ClusterName,
        standings: &[Standing],
        over: bool,
    ) -> Result<bool, Trouble> {
        let failed = standings.iter().find_map(|standing| match standing {
            Standing::Failed(Trouble::Refused(refusal))
                if refusal.is_absence() && self.selector.only().is_none() =>
            {
                None
            }
            Standing::Failed(trouble) => Some(trouble.clone()),
            _ => None,
        });
        if let Some(trouble) = failed {
            return Err(trouble);
        }
        let is_whole =
            |standing: &Standing| matches!(standing, Standing::Whole | Standing::Failed(_));
        let whole = standings.iter().all(is_whole);
        let doubt = standings.iter().find_map(|standing| match standing {
            Standing::Stale(doubt) => Some(*doubt),
            _ => None,
        });
        // Who looks once does not wait for what is old to become new.
        let looked = wait.timeout.is_zero() && !standings.contains(&Standing::Pending);
        let over = over || (looked && doubt.is_some());
        if let (true, Some(doubt)) = (over, doubt) {
            self.fail(messages::stale(name, doubt));
        }
        let mut state = self.waiting.clusters.remove(name).unwrap_or_default();
        if whole && !state.found {
            let found = self
                .find(wait, name, standings)
                .map_err(|Malformed| Trouble::Malformed)?;
            let missing = found.objects.is_empty() || !found.absent.is_empty();
            if wait.for_creation && missing {
                let over = over || wait.timeout.is_zero();
                if over {
                    self.never_came(name);
                }
                self.waiting.clusters.insert(name.clone(), state);
                return Ok(over);
            }
            state = found;
        }
        if whole {
            let objects = &mut state.objects;
            objects
                .iter_mut()
                .for_each(|object| self.look(wait, name, object));
        }
        let done = self.tell(
            wait,
            name,
            &mut state,
            over || (whole && wait.timeout.is_zero()),
        );
        let known = state.found;
        self.waiting.clusters.insert(name.clone(), state);
        if over && !known {
            // Not even what there is to wait for was heard.
            self.never_came(name);
            return Ok(true);
        }
        Ok(known && done)
    }

    /// Which objects are meant.
    fn find(
        &self,
        wait: &Wait,
        name: &ClusterName,
        standings: &[Standing],
    ) -> Result<Awaited, Malformed> {
        let mut state = Awaited {
            found: true,
            ..Awaited::default()
        };
        let member = self.members.get(name).ok_or(Malformed)?;
        for (target, standing) in standings.iter().enumerate() {
            if let Standing::Failed(Trouble::Refused(refusal)) = standing {
                state.absent.push((target, refusal.clone()));
                continue;
            }
            let resource = member.resource(target)?;
            state.types.insert(target);
            let wanted = self
                .plan
                .targets
                .get(target)
                .and_then(|target| target.name.clone());
            if let Some(wanted) = wanted {
                if resource.namespaced && self.plan.namespaces.is_all() {
                    let message = "a resource cannot be retrieved by name across all namespaces";
                    state.absent.push((target, Refusal::local(message)));
                    continue;
                }
                if member.entries(target).next().is_none() {
                    state
                        .absent
                        .push((target, Refusal::not_found(&resource.qualified(), &wanted)));
                    continue;
                }
            }
            for (key, value) in member.entries(target) {
                state.objects.push(Object {
                    target,
                    key: key.clone(),
                    uid: metadata(value)?.uid,
                    resource: resource.clone(),
                    value: value.clone(),
                    met: 0,
                    told: 0,
                    failed: None,
                });
            }
        }
        if wait.for_deletion {
            // They are as wanted; a type that is nowhere was mistyped.
            state
                .absent
                .retain(|(_, refusal)| refusal.is_no_type() || refusal.reason != "NotFound");
        }
        Ok(state)
    }

    /// Counts the conditions that an object meets now, after those that it met before.
    fn look(&self, wait: &Wait, name: &ClusterName, object: &mut Object) {
        let member = self.members.get(name);
        let now = member.and_then(|member| member.entry(object.target, &object.key));
        // One that cannot be read is there.
        let same = now.filter(|value| metadata(value).map_or(true, |it| it.uid == object.uid));
        if let Some(value) = now {
            object.value = value.clone();
        }
        let parsed: Option<Value> = now.and_then(|value| serde_json::from_slice(value).ok());
        while let Some(condition) = wait.conditions.get(object.met) {
            if object.failed.is_some() {
                return;
            }
            let met = match (condition, &parsed) {
                (Condition::Deleted, _) => Ok(same.is_none()),
                (Condition::Created, _) => Ok(true),
                (condition, Some(value)) => condition.is_met(value),
                (_, None) => Ok(false),
            };
            match met {
                Ok(true) => object.met += 1,
                Ok(false) => return,
                Err(why) => object.failed = Some(why),
            }
        }
    }

    /// Tells of objects in their order, up to the first that has to be waited for; of all when time is over. Whether
    /// that was all.
    fn tell(&mut self, wait: &Wait, name: &ClusterName, state: &mut Awaited, over: bool) -> bool {
        for object in &mut state.objects {
            while object.told < object.met {
                object.told += 1;
                self.tell_met(wait, name, object);
            }
            let all = object.met == wait.conditions.len();
            let Ok(metadata) = metadata(&object.value) else {
                continue;
            };
            let subject = format!("{}/{}", object.resource.plural, metadata.name);
            match (&object.failed, all) {
                (_, true) => {}
                (Some(why), _) => {
                    let line = self.of_cluster(name, why);
                    self.waiting_errors.push(line);
                    object.met = wait.conditions.len();
                    object.told = object.met;
                }
                (None, _) if !over => return false,
                (None, _) => {
                    let why = match wait.timeout.is_zero() {
                        true => format!("condition not met for {subject}"),
                        false => format!("timed out waiting for the condition on {subject}"),
                    };
                    let line = self.of_cluster(name, &why);
                    self.waiting_errors.push(line);
                    object.met = wait.conditions.len();
                    object.told = object.met;
                }
            }
        }
        true
    }

    fn tell_met(&mut self, wait: &Wait, cluster: &ClusterName, object: &Object) {
        let text = match wait.prints_objects {
            true => self
                .printer
                .single_value(&object.value, &object.resource, cluster),
            false => metadata(&object.value).map(|metadata| {
                let line = name::line(
                    &object.resource.kind,
                    &object.resource.group,
                    &metadata.name,
                );
                self.of_cluster(cluster, &format!("{} condition met", line.trim_end())) + "\n"
            }),
        };
        self.read_any = true;
        if let Ok(text) = text {
            self.output.push(Output::Out(text));
        }
    }

    fn never_came(&mut self, name: &ClusterName) {
        let line = self.of_cluster(name, "timed out waiting for the condition");
        self.waiting_errors.push(line);
    }

    /// The words, and of which cluster they are if there may be several.
    fn of_cluster(&self, name: &ClusterName, words: &str) -> String {
        match self.selector.only() {
            Some(_) => words.to_owned(),
            None => messages::of_cluster(name, words),
        }
    }

    /// Everything was told but for what is missing.
    fn end_of_wait(&mut self, wait: &Wait) {
        if self.members.is_empty() {
            let known: Vec<_> = self.present.iter().collect();
            let line = messages::no_cluster(&self.selector.to_string(), &known);
            self.fail(line);
            return self.finish(1);
        }
        let states = self.waiting.clusters.values();
        let exists = |target: &usize| {
            states
                .clone()
                .any(|state| state.objects.iter().any(|object| object.target == *target))
        };
        let mut absent = BTreeMap::new();
        let has_type = |target: &usize| states.clone().any(|state| state.types.contains(target));
        for (target, refusal) in states.clone().flat_map(|state| &state.absent) {
            let elsewhere = exists(target) || (refusal.is_no_type() && has_type(target));
            if !elsewhere {
                absent.entry(*target).or_insert_with(|| refusal.clone());
            }
        }
        let nothing = states.clone().all(|state| state.objects.is_empty())
            && absent.is_empty()
            && self.waiting_errors.is_empty();
        let troubled = self.failed;
        let mut refusals: Vec<_> = absent.into_values().collect();
        if nothing && !troubled && !wait.for_deletion {
            refusals.push(Refusal::local("no matching resources found"));
        }
        let errors = std::mem::take(&mut self.waiting_errors);
        refusals.extend(errors.into_iter().map(Refusal::local));
        messages::refusals(&refusals)
            .into_iter()
            .for_each(|line| self.fail(line));
        let unprintable = self.tell_failure(false);
        let forgiven = self.plan.allow_partial && self.read_any;
        let failed = !refusals.is_empty() || unprintable || (troubled && !forgiven);
        self.finish(u8::from(failed));
    }
}

fn metadata(value: &Bytes) -> Result<Metadata, Malformed> {
    #[derive(serde::Deserialize)]
    struct Object {
        metadata: Metadata,
    }
    let object: Object = serde_json::from_slice(value).map_err(|_| Malformed)?;
    Ok(object.metadata)
}
