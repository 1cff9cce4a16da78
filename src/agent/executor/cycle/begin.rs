//! What a turn begins with.

use super::{Cycle, in_time};
use crate::agent::executor::inventory::Inventory;
use crate::agent::executor::objects::identifier;
use crate::agent::executor::turn::{Goal, Turn};
use crate::agent::options::Executor;
use crate::agent::plan::elsewhere::{self, Want};
use crate::agent::plan::evict::{Eviction, eviction};
use crate::agent::plan::manifest::{self, Mapping, Read, read_all};
use crate::agent::plan::report::{self, Applied, Seen};
use crate::agent::plan::strategy;
use crate::kubernetes::Kubernetes;
use crate::ocm::exchange::WorkReport;
use crate::ocm::work::{DeleteOption, ManifestWorkSpec, PropagationPolicy, ResourceIdentifier};
use crate::ocm::{AppliedResource, ManifestWork, is_deleting, name};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

impl Cycle<'_> {
    /// The turn of a work, if there is anything to do.
    pub(super) fn turn(&mut self, work: &str) -> Option<Turn> {
        self.unknown.remove(work);
        if let Some(why) = self.broken.get(work).cloned() {
            self.refuse(work, &why);
            return None;
        }
        if self.lost.remove(work)
            && let Some(inventory) = self.inventories.get_mut(work)
        {
            inventory.lose();
        }
        match self.works.get(work).cloned() {
            Some(wanted) if is_deleting(&wanted.metadata) => self.removal(&wanted),
            Some(wanted) => Some(self.application(wanted)),
            // One that cannot be read: nothing is known of what it wants.
            None if self.works.lists(work) => None,
            None => self.missing(work),
        }
    }

    fn application(&mut self, mut work: ManifestWork) -> Turn {
        let of = name(&work).to_owned();
        let uid = work.metadata.uid.clone().unwrap_or_default();
        if let Some((_, status)) = self.statuses.get(&of).filter(|(known, _)| *known == uid) {
            work.status.clone_from(status);
        }
        let reads = self.read(&work.spec);
        if reads
            .iter()
            .any(|it| matches!(it, Err(unreadable) if unreadable.passing))
        {
            self.unknown.insert(of.clone());
        }
        let mut inventory = self.inventory(&of);
        inventory.applied.status.eviction_start_time = None;
        inventory.release(&work.spec);
        let wanted: Vec<_> = reads.iter().flatten().collect();
        for manifest in &wanted {
            let thing = manifest::applied(&manifest.meta, None);
            let owner = self.owners.get(&identifier(&thing));
            let free = owner.is_none_or(|owner| *owner == of);
            let config = manifest::config(&work.spec, &manifest.meta);
            // What is only made where it is missing becomes the work's own when it is found to be.
            let is_written = !strategy::is_only_read(config) && !strategy::is_only_created(config);
            if free && is_written {
                self.owners.insert(identifier(&thing), of.clone());
                inventory.put(thing);
            }
        }
        let mut things: Vec<_> = wanted
            .iter()
            .map(|it| manifest::applied(&it.meta, None))
            .collect();
        things.extend(inventory.resources().iter().cloned());
        let writer = self.writer(&work.spec);
        self.prepared(
            &of,
            writer,
            inventory,
            &things,
            Goal::Apply(Box::new(work), reads),
        )
    }

    fn removal(&mut self, work: &ManifestWork) -> Option<Turn> {
        let of = name(work).to_owned();
        if !self.inventories.contains_key(&of) {
            self.report_gone(work);
            return None;
        }
        let mut inventory = self.inventory(&of);
        inventory.release(&work.spec);
        let things = inventory.resources().to_vec();
        let goal = Goal::Remove(work.spec.delete_option.clone());
        let writer = self.writer(&work.spec);
        Some(self.prepared(&of, writer, inventory, &things, goal))
    }

    /// The hub does not list it, and has not said that it was deleted.
    fn missing(&mut self, work: &str) -> Option<Turn> {
        let Some(inventory) = self.inventories.get(work) else {
            self.reports.forget(work);
            self.statuses.remove(work);
            self.objects.want(work, std::iter::empty());
            return None;
        };
        let (mut inventory, now) = (inventory.clone(), Timestamp::now());
        let grace = SignedDuration::try_from(self.plan.grace).unwrap_or(SignedDuration::MAX);
        let certain = self.works.synced && self.current;
        let fate = eviction(&inventory.applied, certain, false, grace, now);
        let goal = match fate {
            // It is the hub's last word, and no deletion: what nobody asks to be removed stays.
            _ if certain && self.works.is_leaving() => Goal::Remove(Some(orphaned())),
            Eviction::Begin(now) => {
                tracing::warn!(
                    work,
                    "the hub has this work no more, and has not said that it was deleted: what it put here stays for {:?}",
                    self.plan.grace
                );
                inventory.applied.status.eviction_start_time = Some(crate::ocm::Time(now));
                Goal::Note
            }
            Eviction::Wait { until } => {
                self.queue.add_later(&work.to_owned(), in_time(until, now));
                match inventory.is_stored() {
                    true => return None,
                    false => Goal::Note,
                }
            }
            Eviction::Evict => Goal::Remove(None),
            _ if !inventory.is_stored() => Goal::Note,
            Eviction::Keep | Eviction::Cancel => return None,
        };
        let things = inventory.resources().to_vec();
        let writer = self.writer(&ManifestWorkSpec::default());
        Some(self.prepared(work, writer, inventory, &things, goal))
    }

    fn prepared(
        &mut self,
        work: &str,
        writer: Option<Kubernetes>,
        inventory: Inventory,
        things: &[AppliedResource],
        goal: Goal,
    ) -> Turn {
        self.objects.want(work, things.iter().cloned());
        let known = things.iter().filter_map(|it| {
            let there = self.objects.known(it)?;
            Some((identifier(it), there.clone()))
        });
        let others = things.iter().map(identifier).filter_map(|id| {
            let owner = self.owners.get(&id).filter(|owner| *owner != work)?;
            Some((id, owner.clone()))
        });
        let words = things
            .iter()
            .map(|it| (identifier(it), self.objects.words(it)));
        let as_other = writer.is_some();
        Turn {
            kubernetes: writer.unwrap_or_else(|| self.plan.kubernetes.clone()),
            own: self.plan.kubernetes.clone(),
            as_other,
            current: self.current,
            words: words.collect(),
            name: work.to_owned(),
            there: known.collect(),
            others: others.collect(),
            wanted_elsewhere: self.wanted_elsewhere(work, things),
            inventory,
            goal,
            news: Vec::new(),
            applied: self.applied.get(work).cloned().unwrap_or_default(),
            outcomes: Vec::new(),
            trouble: None,
            repaired: false,
            waits: false,
            gone: false,
        }
    }

    /// How much other works want these things, that are not being deleted; by the works themselves, whether or not they
    /// have had a turn.
    fn wanted_elsewhere(
        &self,
        work: &str,
        things: &[AppliedResource],
    ) -> BTreeMap<ResourceIdentifier, Want> {
        // Of one that cannot be read nobody knows what it wants.
        let least = match self.works.unreadable(work) {
            Some(_) => Want::Maybe,
            None => Want::No,
        };
        let want = |thing: &AppliedResource| {
            let others = self.works.about(thing, work).into_iter();
            let wants = others.map(|it| elsewhere::want(&it.spec, thing, &self.kinds()));
            wants.fold(least, Want::max)
        };
        let all = things.iter().map(|it| (identifier(it), want(it)));
        all.filter(|(_, want)| *want != Want::No).collect()
    }

    fn read(&self, spec: &ManifestWorkSpec) -> Vec<Read> {
        read_all(spec, &self.kinds())
    }

    /// What the cluster serves.
    fn kinds(&self) -> impl Fn(&str, &str, &str) -> Option<Mapping> + '_ {
        |group, version, kind| {
            let found = self.catalog.of_kind(group, version, kind)?;
            Some(Mapping {
                resource: found.name.clone(),
                namespaced: found.namespaced,
            })
        }
    }

    fn inventory(&self, work: &str) -> Inventory {
        let new = || Inventory::new(&self.whose, work);
        self.inventories.get(work).cloned().unwrap_or_else(new)
    }

    /// As whom a work is written; none: as ourselves.
    fn writer(&self, spec: &ManifestWorkSpec) -> Option<Kubernetes> {
        let said = spec.executor.as_ref().and_then(|it| it.subject.as_ref());
        let account = said.and_then(|it| it.service_account.as_ref());
        let account = account.map(|it| Executor::new(&it.namespace, &it.name));
        let account = account.as_ref().or(self.plan.executor.as_ref())?;
        Some(self.plan.kubernetes.acting_as(&account.user()))
    }

    /// Nothing can be done for a work.
    fn refuse(&mut self, name: &str, why: &str) {
        let Some(work) = self.works.get(name).cloned() else {
            return;
        };
        let why = format!("the inventory of what is here for this work cannot be read: {why}");
        let reads = self.read(&work.spec);
        let outcomes: Vec<_> = reads
            .iter()
            .map(|it| (it, Applied::Failed(why.clone()), Seen::Unknown(why.clone())))
            .collect();
        let report = WorkReport {
            uid: work.metadata.uid.clone().unwrap_or_default(),
            status: report::status(&work, &outcomes, Timestamp::now()),
            ..WorkReport::default()
        };
        self.reports.put(name, report);
    }

    pub(super) fn report_gone(&mut self, work: &ManifestWork) {
        let of = name(work).to_owned();
        self.statuses.remove(&of);
        self.applied.remove(&of);
        self.objects.want(&of, std::iter::empty());
        let report = WorkReport {
            uid: work.metadata.uid.clone().unwrap_or_default(),
            gone: true,
            ..WorkReport::default()
        };
        self.reports.put(&of, report);
    }
}

fn orphaned() -> DeleteOption {
    DeleteOption {
        propagation_policy: PropagationPolicy::Orphan,
        ..DeleteOption::default()
    }
}
