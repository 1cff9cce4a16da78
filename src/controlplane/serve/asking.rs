//! One request for objects: what it is about, checked, and how its answer is written.

use super::Shared;
use super::accept::{self, Form};
use super::access::User;
use super::encode::{Encoder, Item};
use super::fields;
use super::freshness;
use super::kinds::{Kind, Kinds};
use super::path::{Objects, Resource};
use super::query::{Options, Version};
use super::status::Refusal;
use crate::protocol::message::View;
use crate::protocol::names::ClusterName;
use crate::protocol::selector::FieldSelector;
use crate::store::{Clusters, Error, Filter, GroupResource, ObjectKey, Sequence, Stored};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// A client may have seen a number before this process has: it is waited for so long.
const AHEAD: Duration = Duration::from_secs(3);

/// Whose objects, and for whom.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    /// None for all clusters together.
    pub(super) cluster: Option<ClusterName>,
    pub(super) user: User,
}

impl Scope {
    /// Whether a cluster's objects are among them.
    pub(super) fn has(&self, cluster: &ClusterName) -> bool {
        match &self.cluster {
            Some(one) => one == cluster,
            None => self.user.may_read(cluster.as_str()),
        }
    }
}

/// What a request for objects asks for.
#[derive(Clone, Debug)]
pub(super) struct Asking {
    pub(super) scope: Scope,
    pub(super) kind: Kind,
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
    pub(super) options: Options,
    pub(super) encoder: Encoder,
    /// What the field selector says of names, which never change.
    of_name: FieldSelector,
    /// What it says of the objects.
    of_object: FieldSelector,
}

impl Asking {
    /// Checks what is asked for.
    pub(super) fn new(
        kinds: &Kinds,
        scope: Scope,
        objects: Objects,
        (query, accept): (&str, &str),
    ) -> Result<Self, Refusal> {
        let resource = objects.resource;
        let kind = kinds.kind(&resource, |cluster| scope.has(cluster));
        let kind = match kind {
            Some(kind) => kind,
            None if kinds.expects(&resource, |cluster| scope.has(cluster)) => {
                let what = resource.qualified();
                let words = format!("{what} are not here yet: their first copy is on its way");
                return Err(Refusal::not_yet(words));
            }
            None => return Err(Refusal::no_resource()),
        };
        let misplaced = match (&objects.namespace, &objects.name) {
            (Some(_), _) => !kind.shown.namespaced,
            (None, Some(_)) => kind.shown.namespaced,
            (None, None) => false,
        };
        if misplaced {
            return Err(Refusal::no_resource());
        }
        let options = Options::read(query)?;
        fields::check(&resource, kind.shown.namespaced, &options.fields)?;
        if scope.cluster.is_none() && options.watch && options.initial_events.is_some() {
            return Err(Refusal::no_streaming_list());
        }
        let form = accept::form(accept).ok_or_else(Refusal::not_acceptable)?;
        let of_all = scope.cluster.is_none();
        let encoder = Encoder {
            form,
            include: options.include,
            of_all,
            api_version: api_version(&resource),
            kind: kind.shown.kind.clone(),
            columns: match form {
                Form::Table => kinds.columns(&kind, of_all),
                _ => Default::default(),
            },
        };
        Ok(Self {
            scope,
            kind,
            namespace: objects.namespace,
            name: objects.name,
            encoder,
            of_name: fields::of_name(&options.fields),
            of_object: fields::of_object(&resource, &options.fields),
            options,
        })
    }

    pub(super) fn resource(&self) -> &Resource {
        &self.kind.shown.resource
    }

    /// What has to be said about how whole and how fresh the answer is.
    pub(super) fn warnings(&self, kinds: &Kinds, now: i64) -> Result<Vec<String>, Refusal> {
        let copies = kinds.copies(&self.kind, self.encoder.view());
        let resource = self.resource().qualified();
        let words = match (&self.scope.cluster, copies.first()) {
            (Some(_), Some(copy)) => freshness::of_one(&resource, *copy, now),
            _ => freshness::of_all(&resource, &copies, now),
        };
        words.map_err(Refusal::not_yet)
    }

    /// As a store is asked.
    pub(super) fn filter(&self, kinds: &Kinds) -> Filter {
        let clusters = match &self.scope.cluster {
            Some(cluster) => Clusters::one(cluster.clone()),
            // A version of its own in each cluster: those only that have this one.
            None if kinds.has_versions(self.resource()) => {
                Clusters::Some(self.kind.clusters.clone())
            }
            None => self.scope.user.clusters(kinds.clusters()),
        };
        let name = self.name.clone().or_else(|| fields::name(&self.of_name));
        // The name is asked for by itself, which a store finds at once.
        let rest = fields::besides(&self.of_name, name.as_deref().unwrap_or_default());
        Filter {
            clusters,
            resource: self.group_resource(),
            view: self.encoder.view(),
            namespace: self.namespace.clone(),
            name,
            labels: self.options.labels.clone(),
            fields: rest.and(&self.of_object),
        }
    }

    pub(super) fn group_resource(&self) -> GroupResource {
        GroupResource {
            group: self.resource().group.clone(),
            plural: self.resource().plural.clone(),
        }
    }

    /// Whether what is asked for depends on names alone: an object that is selected once is for ever.
    pub(super) fn is_by_name(&self) -> bool {
        self.options.labels.is_empty() && self.of_object.is_empty()
    }

    /// Whether rows are selected by what their objects are.
    pub(super) fn is_by_field_of_rows(&self) -> bool {
        self.encoder.form == Form::Table && !self.of_object.is_empty()
    }

    /// Whether an object is selected, as far as its name says.
    pub(super) fn selects(&self, key: &ObjectKey) -> bool {
        let namespace = self
            .namespace
            .as_ref()
            .is_none_or(|it| *it == key.namespace);
        let name = self.name.as_ref().is_none_or(|it| *it == key.name);
        namespace
            && name
            && self.scope.has(&key.cluster)
            && fields::selects(&self.of_name, &key.namespace, &key.name)
    }
}

impl Shared {
    /// The number at which a list is to be; None for the newest.
    pub(super) async fn moment(&self, version: Version) -> Result<Option<Sequence>, Refusal> {
        match version {
            Version::Newest | Version::Any => Ok(None),
            Version::NotOlderThan(number) => self.reached(number).await.map(|()| None),
            Version::Exact(number) => self.reached(number).await.map(|()| Some(number)),
        }
    }

    /// Waits until this process has seen a number.
    pub(super) async fn reached(&self, number: Sequence) -> Result<(), Refusal> {
        let mut newest = self.store.sequence();
        let reached = timeout(AHEAD, newest.wait_for(|newest| *newest >= number)).await;
        match reached {
            Ok(Ok(_)) => Ok(()),
            _ => Err(Refusal::too_large(number, *self.store.sequence().borrow())),
        }
    }

    /// The objects of rows, where they are asked for with them.
    pub(super) async fn wholes(
        &self,
        encoder: &Encoder,
        rows: impl Iterator<Item = &Stored>,
    ) -> Result<Vec<Option<Bytes>>, Error> {
        if !encoder.needs_whole() {
            return Ok(rows.map(|_| None).collect());
        }
        let rows: Vec<&Stored> = rows.collect();
        let key = |row: &Stored| ObjectKey {
            view: View::Objects,
            ..row.key.clone()
        };
        // What is deleted is told as the row that it was: there may be another of its name by now.
        let present = rows.iter().filter(|row| !row.deleted);
        let keys: Vec<_> = present.map(|row| key(row)).collect();
        // The newest of each: a row may have come before its object.
        let found = self.store.get_many(&keys, None).await?;
        let mut found = found.into_iter().map(|it| it.map(|object| object.value));
        let whole = |row: &&Stored| match row.deleted {
            true => None,
            false => found.next().flatten(),
        };
        Ok(rows.iter().map(whole).collect())
    }
}

/// Each object with what else a row has of it.
pub(super) fn items<'a>(
    stored: impl Iterator<Item = &'a Stored>,
    wholes: &'a [Option<Bytes>],
) -> impl Iterator<Item = Item<'a>> {
    stored.zip(wholes).map(|(stored, whole)| Item {
        stored,
        whole: whole.as_deref(),
    })
}

/// What the store's failures are to a client.
pub(super) fn refused(error: Error) -> Refusal {
    match error {
        Error::Expired { .. } => {
            Refusal::expired("The resourceVersion for the provided list is too old.")
        }
        Error::Future { asked, newest } => Refusal::too_large(asked, newest),
        Error::Unavailable(_) => {
            tracing::warn!(%error, "the store cannot be read");
            Refusal::not_yet("the store does not answer")
        }
        error => {
            tracing::error!(%error, "the store cannot be read");
            Refusal::internal()
        }
    }
}

fn api_version(resource: &Resource) -> String {
    match resource.group.as_str() {
        "" => resource.version.clone(),
        group => format!("{group}/{}", resource.version),
    }
}

/// A request for objects, and what is answered from.
pub(super) type Answering = (Arc<Shared>, Asking);
