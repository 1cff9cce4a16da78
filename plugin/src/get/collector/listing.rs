//! A `get` that lists and ends.

use super::{Collector, Output, PATIENCE, Told, is_pending};
use crate::get::block::Block;
use crate::get::member::{At, NoAnswer, Standing, Trouble};
use crate::get::messages::{self, Refusal};
use crate::print::sanitize;
use crate::table::Malformed;
use mqtt_informer::protocol::names::ClusterName;
use std::collections::{BTreeMap, BTreeSet};

impl Collector {
    pub(super) fn list(&mut self, at: At, wall_ms: i64) {
        let circumstances = self.circumstances(at);
        let standings: Vec<_> = self
            .members
            .values()
            .filter(|member| !self.told.contains_key(&member.name))
            .map(|member| (member.name.clone(), member.standings(&circumstances)))
            .collect();
        let ready = || {
            standings
                .iter()
                .filter(|(_, standings)| !is_pending(standings))
        };
        if ready().any(|(_, standings)| standings.contains(&Standing::Whole)) {
            self.first_whole.get_or_insert(at);
        }
        let nobody_is_missing = self.knows_all() && ready().count() == standings.len();
        // What is sorted is sorted together.
        let patience_is_over =
            !self.plan.is_sorted() && self.first_whole.is_some_and(|first| at >= first + PATIENCE);
        match self.selector.only().cloned() {
            Some(name) if nobody_is_missing => self.print_one(&name, &standings, wall_ms),
            Some(_) => {}
            None if nobody_is_missing || patience_is_over => {
                let ready: Vec<_> = ready().cloned().collect();
                self.print_several(&ready, wall_ms);
                if nobody_is_missing {
                    self.end_of_several();
                }
            }
            None => {}
        }
        if !self.done && circumstances.end.is_some_and(|end| at >= end) && self.members.is_empty() {
            self.end_of_several();
        }
    }

    /// All clusters that are meant are members.
    pub(super) fn knows_all(&self) -> bool {
        self.discovered || (self.selector.is_closed() && !self.members.is_empty())
    }

    /// kubectl's own output: nothing until everything is there; a type that does not exist forbids the rest.
    fn print_one(
        &mut self,
        name: &ClusterName,
        standings: &[(ClusterName, Vec<Standing>)],
        wall_ms: i64,
    ) {
        let Some((_, standings)) = standings.iter().find(|(of, _)| of == name) else {
            return;
        };
        let (mut blocks, mut refusals, mut lines) = (Vec::new(), Vec::new(), BTreeSet::new());
        let no_type = standings.iter().find_map(|standing| match standing {
            Standing::Failed(Trouble::Refused(refusal)) if refusal.is_no_type() => {
                Some(refusal.clone())
            }
            _ => None,
        });
        if let Some(refusal) = no_type {
            self.unknown_type = !self.printer.written;
            self.fail(refusal.line());
            return self.finish(1);
        }
        for (target, standing) in standings.iter().enumerate() {
            match standing {
                Standing::Failed(Trouble::Refused(refusal)) if self.ignores(refusal) => {}
                Standing::Failed(Trouble::Refused(refusal)) => refusals.push(refusal.clone()),
                Standing::Failed(trouble) => {
                    lines.insert(self.line(name, trouble));
                }
                _ => match self.take_answer(name, target, wall_ms, &mut blocks) {
                    Ok(Ok(())) => {}
                    Ok(Err(refusal)) => refusals.push(refusal),
                    Err(Malformed) => {
                        lines.insert(self.line(name, &Trouble::Malformed));
                    }
                },
            }
            if let Standing::Stale(doubt) = standing {
                lines.insert(messages::stale(name, *doubt));
            }
        }
        let complete = lines.is_empty() && refusals.is_empty();
        if self.read_any || !refusals.is_empty() {
            self.print_kubectl_s(&blocks, name, complete);
        }
        if !refusals.is_empty() {
            messages::refusals(&refusals)
                .into_iter()
                .for_each(|line| self.fail(line));
        }
        let unprintable = self.tell_failure(!refusals.is_empty());
        let partial = !lines.is_empty();
        lines.into_iter().for_each(|line| self.fail(line));
        let forgiven = self.plan.allow_partial && refusals.is_empty() && self.read_any;
        let senseless = self.tell_senseless();
        let failed = (partial || !refusals.is_empty()) && !forgiven;
        self.finish(u8::from(failed || unprintable || senseless));
    }

    /// An absence that was asked to be no error.
    pub(super) fn ignores(&self, refusal: &Refusal) -> bool {
        self.plan.ignore_not_found && refusal.reason == "NotFound" && !refusal.is_no_type()
    }

    /// Says what the printer could not print. Among several errors, kubectl leaves out the prefix of its own.
    pub(super) fn tell_failure(&mut self, among_others: bool) -> bool {
        let failure = self.printer.failure.take();
        if let Some(why) = &failure {
            let prefix = if among_others { "" } else { "error: " };
            let more = if among_others && why.ends_with('\n') {
                "\n"
            } else {
                ""
            };
            // It may quote what it could not print.
            self.fail(format!("{prefix}{}{more}", sanitize::text(why)));
        }
        failure.is_some()
    }

    fn print_kubectl_s(&mut self, blocks: &[Block], name: &ClusterName, complete: bool) {
        if self.plan.single_object() && self.plan.form.is_objects() {
            // What is refused or missing leaves nothing to print.
            for (_, answer) in blocks.iter().flat_map(|block| &block.answers) {
                match self.printer.single(answer, name) {
                    Ok(text) => self.output.push(Output::Out(text)),
                    Err(Malformed) => self.fail(messages::malformed(name)),
                }
            }
            return;
        }
        let kinds = several_kinds(blocks);
        let (mut text, malformed) = self.printer.blocks(blocks, kinds);
        if !self.ends_silently(blocks) {
            text += &self.printer.end();
        }
        malformed
            .iter()
            .for_each(|name| self.fail(messages::malformed(name)));
        match text.is_empty() {
            false => self.output.push(Output::Out(text)),
            true if complete
                && self.plan.form.says_when_empty()
                && self.printer.failure.is_none()
                && self.printer.senseless().is_none() =>
            {
                self.say_that_nothing_was_found();
            }
            true => {}
        }
    }

    /// With --ignore-not-found, nothing is printed of nothing, not even an empty List.
    fn ends_silently(&self, blocks: &[Block]) -> bool {
        let answers = || blocks.iter().flat_map(|block| &block.answers);
        self.plan.ignore_not_found && answers().all(|(_, answer)| answer.values.is_empty())
    }

    /// Takes the answer to a target into the block of its resource; or says what is missing.
    fn take_answer(
        &mut self,
        name: &ClusterName,
        target: usize,
        wall_ms: i64,
        blocks: &mut Vec<Block>,
    ) -> Result<Result<(), Refusal>, Malformed> {
        let member = self.members.get(name).ok_or(Malformed)?;
        let answer = match member.answer(target, self.plan.sort.as_ref(), wall_ms) {
            Ok(answer) => answer,
            Err(NoAnswer::Malformed) => return Err(Malformed),
            Err(NoAnswer::Unsortable(why)) => return Ok(Err(Refusal::local(why))),
        };
        self.read_any = true;
        self.all_namespaced &= answer.resource.namespaced;
        let wanted = self
            .plan
            .targets
            .get(target)
            .and_then(|target| target.name.as_deref());
        if let Some(wanted) = wanted {
            if self.plan.namespaces.is_all() && answer.resource.namespaced {
                let message = "a resource cannot be retrieved by name across all namespaces";
                return Ok(Err(Refusal::local(message)));
            }
            if answer.values.is_empty() && self.plan.ignore_not_found {
                return Ok(Ok(()));
            }
            if answer.values.is_empty() {
                return Ok(Err(Refusal::not_found(
                    &answer.resource.qualified(),
                    wanted,
                )));
            }
        }
        self.existing.insert(target);
        let merges = self.selector.only().is_none();
        let block = match merges {
            true => blocks
                .iter_mut()
                .find(|block| block.resource.is_same(&answer.resource)),
            false => blocks
                .last_mut()
                .filter(|block| block.resource.is_same(&answer.resource)),
        };
        match block {
            // Two words for one type are one type.
            Some(block) if wanted.is_none() && block.answers.iter().any(|(of, _)| of == name) => {}
            Some(block) => block.answers.push((name.clone(), answer)),
            None => blocks.push(Block {
                resource: answer.resource.clone(),
                answers: vec![(name.clone(), answer)],
            }),
        }
        Ok(Ok(()))
    }

    fn print_several(&mut self, ready: &[(ClusterName, Vec<Standing>)], wall_ms: i64) {
        let mut blocks = Vec::new();
        // One line for a cluster that fails for one reason, however many types were asked for.
        let mut lines = BTreeSet::new();
        for target in 0..self.plan.targets.len() {
            for (name, standings) in ready {
                match &standings[target] {
                    Standing::Failed(Trouble::Refused(refusal)) if refusal.is_absence() => {
                        self.absences.insert((target, refusal.clone()));
                    }
                    Standing::Failed(trouble) => {
                        lines.insert(self.line(name, trouble));
                    }
                    standing => {
                        match self.take_answer(name, target, wall_ms, &mut blocks) {
                            Ok(Ok(())) => {}
                            Ok(Err(refusal)) => {
                                self.absences.insert((target, refusal));
                            }
                            Err(Malformed) => {
                                lines.insert(self.line(name, &Trouble::Malformed));
                            }
                        }
                        if let Standing::Stale(doubt) = standing {
                            lines.insert(messages::stale(name, *doubt));
                        }
                    }
                }
            }
        }
        for block in &mut blocks {
            block.answers.sort_by(|(one, _), (other, _)| one.cmp(other));
        }
        self.printed_any |= !self.ends_silently(&blocks);
        let (text, malformed) = self.printer.blocks(&blocks, several_kinds(&blocks));
        if !text.is_empty() {
            self.output.push(Output::Out(text));
        }
        lines.extend(malformed.iter().map(messages::malformed));
        lines.into_iter().for_each(|line| self.fail(line));
        self.told
            .extend(ready.iter().map(|(name, _)| (name.clone(), Told::Whole)));
    }

    /// Everybody was heard, or given up.
    fn end_of_several(&mut self) {
        if self.members.is_empty() {
            let known: Vec<_> = self.present.iter().collect();
            let line = messages::no_cluster(&self.selector.to_string(), &known);
            self.fail(line);
            return self.finish(1);
        }
        let end = match self.plan.ignore_not_found && !self.printed_any {
            true => String::new(),
            false => self.printer.end(),
        };
        let absences: BTreeSet<_> = self
            .absences
            .iter()
            .filter(|(target, refusal)| !self.existing.contains(target) && !self.ignores(refusal))
            .cloned()
            .collect();
        let mut lines = BTreeMap::new();
        for (target, refusal) in &absences {
            lines.entry(*target).or_insert_with(|| refusal.clone());
        }
        let refusals: Vec<_> = lines.into_values().collect();
        self.unknown_type = !self.printer.written && refusals.iter().any(Refusal::is_no_type);
        if !end.is_empty() && (refusals.is_empty() || self.printer.written) {
            self.output.push(Output::Out(end));
        }
        let partial = self.failed;
        let senseless = self.tell_senseless();
        messages::refusals(&refusals)
            .into_iter()
            .for_each(|line| self.fail(line));
        let unprintable = self.tell_failure(!refusals.is_empty());
        if !self.failed && !self.printer.written && self.plan.form.says_when_empty() {
            self.say_that_nothing_was_found();
        }
        let forgiven = self.plan.allow_partial && self.read_any;
        let failed = !refusals.is_empty() || unprintable || senseless;
        self.finish(u8::from(failed || (partial && !forgiven)));
    }

    /// Whether something was asked for that makes no sense for what is there.
    pub(super) fn tell_senseless(&mut self) -> bool {
        let senseless = self.printer.senseless();
        if let Some(senseless) = &senseless {
            self.fail(Refusal::local(senseless.clone()).line());
        }
        senseless.is_some()
    }

    fn say_that_nothing_was_found(&mut self) {
        let namespace = self.plan.namespaces.one().filter(|_| self.all_namespaced);
        if self.plan.ignore_not_found {
            return;
        }
        self.output
            .push(Output::Err(messages::no_resources(namespace)));
    }
}

/// Tables say each object's kind when there are several.
fn several_kinds(blocks: &[Block]) -> bool {
    let first = blocks
        .first()
        .map(|block| (&block.resource.group, &block.resource.kind));
    blocks
        .iter()
        .any(|block| Some((&block.resource.group, &block.resource.kind)) != first)
}
