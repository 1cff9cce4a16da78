//! A `get` that goes on: each cluster when it is there, then its changes.

use super::{Collector, Output, Told};
use crate::get::member::{At, Change, Circumstances, Member, NoAnswer, Standing, Trouble};
use crate::get::messages::{self, Doubt, Refusal};
use crate::get::plan::Watch;
use crate::get::sorting;
use crate::print::sort::{Key, SortField};
use crate::table::{Malformed, Resource};
use mqtt_informer::protocol::names::ClusterName;

impl Collector {
    pub(super) fn watch(&mut self, watch: Watch, at: At, wall_ms: i64) {
        let circumstances = self.circumstances(at);
        for name in self.members.keys().cloned().collect::<Vec<_>>() {
            let standing = self
                .members
                .get(&name)
                .and_then(|member| member.standings(&circumstances).pop());
            let Some(standing) = standing.filter(|_| !self.done) else {
                continue;
            };
            match standing {
                Standing::Pending => {}
                Standing::Whole => self.watch_whole(watch, &name, None, wall_ms),
                Standing::Stale(doubt) => self.watch_whole(watch, &name, Some(doubt), wall_ms),
                Standing::Failed(trouble) => self.watch_trouble(&name, &trouble),
            }
        }
        self.end_in_vain(&circumstances);
        if circumstances.end.is_some_and(|end| at >= end) && !self.done {
            self.finish(u8::from(self.failed && !self.plan.allow_partial));
        }
    }

    fn watch_whole(
        &mut self,
        watch: Watch,
        name: &ClusterName,
        doubt: Option<Doubt>,
        wall_ms: i64,
    ) {
        let first = !self.begun.contains(name);
        let Some(member) = self.members.get_mut(name) else {
            return;
        };
        let mut changes = member.take_changes(0);
        let now_ms = member.now_ms(0, wall_ms);
        if !changes.is_empty() {
            self.existing.insert(0);
        }
        if let Some(sort) = &self.plan.sort
            && let Err(why) = sorted(member, sort, &mut changes, first)
        {
            return self.watch_trouble(name, &Trouble::Refused(Refusal::local(why)));
        }
        match member.resource(0) {
            Ok(resource) => {
                if let Some(refusal) = self.missing(first && changes.is_empty(), &resource) {
                    return self.watch_trouble(name, &Trouble::Refused(refusal));
                }
                if let Some(unknown) = self.printer.lacks(&resource) {
                    let refusal = Refusal::local(unknown.to_string());
                    return self.watch_trouble(name, &Trouble::Refused(refusal));
                }
                if let Some(column) = &self.plan.sort_column {
                    sorting::changes(column, &mut changes, (&resource, name, now_ms));
                }
                let text = match (first, watch) {
                    (true, Watch::ChangesOnly) => Ok(String::new()),
                    (true, Watch::ListFirst) => {
                        let there = changes.iter().filter_map(|(_, (_, new))| new.as_ref());
                        let there: Vec<_> = there.collect();
                        self.printer.first(&there, &resource, (name, now_ms))
                    }
                    (false, _) => changes
                        .iter()
                        .map(|(_, change)| self.printer.change(change, &resource, (name, now_ms)))
                        .collect::<Result<Vec<_>, _>>()
                        .map(|text| text.concat()),
                };
                match text {
                    Ok(text) if text.is_empty() => {}
                    Ok(text) => self.output.push(Output::Out(text)),
                    Err(Malformed) => return self.watch_trouble(name, &Trouble::Malformed),
                }
                // Of several clusters, another may have what it can be compared with.
                let is_senseless = self.selector.only().is_some() && self.tell_senseless();
                if self.tell_failure(false) || is_senseless {
                    return self.finish(1);
                }
                self.tell_redaction();
            }
            Err(Malformed) => return self.watch_trouble(name, &Trouble::Malformed),
        }
        let told = if doubt.is_some() {
            Told::Stale
        } else {
            Told::Whole
        };
        self.begun.insert(name.clone());
        let before = self.told.insert(name.clone(), told);
        match (doubt, before) {
            (Some(_), Some(Told::Stale)) | (None, None | Some(Told::Whole)) => {}
            (Some(doubt), _) => self.fail(messages::stale(name, doubt)),
            (None, Some(_)) => self.output.push(Output::Err(messages::fresh_again(name))),
        }
    }

    /// Nothing will ever come of words that every cluster refuses, or of a name that no cluster has.
    fn end_in_vain(&mut self, circumstances: &Circumstances) {
        if self.done || !self.knows_all() || self.members.is_empty() {
            return;
        }
        let name = self.plan.targets.first().and_then(|it| it.name.clone());
        let mut resource = None;
        for member in self.members.values() {
            let has_begun = self.begun.contains(&member.name);
            match member.standings(circumstances).pop() {
                Some(Standing::Failed(Trouble::Refused(_))) if !has_begun => {}
                Some(Standing::Whole) if self.is_refused(member) && !has_begun => {}
                Some(Standing::Whole) if name.is_some() && self.existing.is_empty() => {
                    resource = member.resource(0).ok().or(resource);
                }
                _ => return,
            }
        }
        if let (Some(name), Some(resource)) = (&name, &resource) {
            let refusal = Refusal::not_found(&resource.qualified(), name);
            if self.ignores(&refusal) {
                return self.finish(0);
            }
            self.fail(refusal.line());
        }
        self.finish(1);
    }

    /// What was asked for makes no sense there, as was told.
    fn is_refused(&self, member: &Member) -> bool {
        let told = self.told.get(&member.name);
        matches!(told, Some(Told::Trouble(Trouble::Refused(_))))
    }

    /// In one cluster that was named, an object that was named has to exist.
    fn missing(&self, nothing: bool, resource: &Resource) -> Option<Refusal> {
        let name = self.plan.targets.first()?.name.as_deref()?;
        let alone = self.selector.only().is_some();
        if resource.namespaced && self.plan.namespaces.is_all() {
            return Some(Refusal::local(
                "a resource cannot be retrieved by name across all namespaces",
            ));
        }
        (nothing && alone).then(|| Refusal::not_found(&resource.qualified(), name))
    }

    fn watch_trouble(&mut self, name: &ClusterName, trouble: &Trouble) {
        if let (Trouble::Refused(refusal), Some(_)) = (trouble, self.selector.only()) {
            if self.ignores(refusal) {
                return self.finish(0);
            }
            self.fail(refusal.line());
            return self.finish(1);
        }
        let told = Told::Trouble(trouble.clone());
        // How long an API server is away changes each second, and is told once.
        let again = match self.told.get(name) {
            Some(Told::Trouble(before)) => {
                std::mem::discriminant(before) == std::mem::discriminant(trouble)
            }
            _ => false,
        };
        self.told.insert(name.clone(), told);
        if !again {
            self.fail(self.line(name, trouble));
        }
    }
}

/// Puts what came at one moment into the order that was asked for. What is there at first has to have the field.
fn sorted(
    member: &Member,
    sort: &SortField,
    changes: &mut Vec<Change>,
    first: bool,
) -> Result<(), String> {
    let mut keyed = Vec::with_capacity(changes.len());
    for (key, change) in std::mem::take(changes) {
        let (old, new) = &change;
        let value = new.as_ref().or(old.as_ref());
        let found = value.map(|value| member.sort_key(0, sort, &key, value));
        let sort_key = match found {
            None | Some(Err(NoAnswer::Malformed)) => Key::Missing,
            Some(Ok(found)) => found,
            Some(Err(NoAnswer::Unsortable(why))) => return Err(why),
        };
        keyed.push((sort_key, (key, change)));
    }
    let result = sort.sort(&mut keyed);
    *changes = keyed.into_iter().map(|(_, change)| change).collect();
    if first { result } else { Ok(()) }
}
