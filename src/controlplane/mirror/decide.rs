//! What one turn does: compares an origin with its copy.
//!
//! Pure but for its caller's snapshots.

use super::copy::{Kind, Origin, Unfit, copy};
use super::hub::{Apply, Job};
use super::inert::{Object, Treatment};
use super::observed::Copies;
use crate::kubernetes::Place;
use bytes::Bytes;

/// What is known of an origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing certain: its cluster's stream is not whole, or not of this kind.
    Nothing,
    /// Its cluster does not have it (any more).
    Absent,
    /// It is there, of a version of the kind.
    Present(Kind, Bytes),
}

/// What is to be done.
#[derive(Debug)]
pub(super) enum Step {
    /// All is as it should be.
    Nothing,
    /// The object has no copy.
    Refused(String, Option<Job>),
    /// Something.
    Do(Job),
}

/// How the kind is called on the hub, and treated.
pub(super) struct Mirrored {
    /// As the hub resolved the word.
    pub(super) kind: Kind,
    pub(super) treatment: Treatment,
}

impl Mirrored {
    /// The key of an origin's copy in the hub's stream.
    pub(super) fn key(&self, origin: &Origin) -> Option<(Place, Bytes)> {
        let (namespace, name) = origin.place(self.kind.namespaced, &self.treatment)?;
        let key = match namespace.as_str() {
            "" => name.clone(),
            namespace => format!("{namespace}/{name}"),
        };
        let place = Place {
            group: self.kind.group.clone(),
            version: self.kind.version.clone(),
            plural: self.kind.plural.clone(),
            namespace,
            name,
        };
        Some((place, key.into()))
    }

    /// One turn. `known` tells what is known of an origin: of the one whose turn it is, or of another one whose copy
    /// stands in its place.
    pub(super) fn decide(
        &self,
        origin: &Origin,
        copies: &mut Copies,
        known: impl Fn(&Origin) -> Known,
    ) -> Step {
        let Some((place, key)) = self.key(origin) else {
            return Step::Nothing;
        };
        match known(origin) {
            Known::Nothing => Step::Nothing,
            Known::Absent => self.delete(origin, copies, place, &key),
            Known::Present(kind, value) => {
                let place = Place {
                    version: kind.version.clone(),
                    ..place
                };
                match copy(origin, &value, &kind, &self.treatment) {
                    Err(unfit) => self.unfit(&unfit, origin, copies, place, &key),
                    Ok(copy) => match self.taken(origin, copies, &key, known) {
                        Some(why) => Step::Refused(why, None),
                        None => apply(&copy, copies, place, &key),
                    },
                }
            }
        }
    }

    /// Deletes its copy, if there is one that says so itself.
    fn delete(&self, origin: &Origin, copies: &Copies, place: Place, key: &Bytes) -> Step {
        match copies.get(key) {
            Some(copy) if copy.origin.as_ref() == Some(origin) => Step::Do(Job::Delete {
                place,
                uid: copy.uid.clone(),
            }),
            _ => Step::Nothing,
        }
    }

    /// An object that may not be copied any more has no copy.
    fn unfit(
        &self,
        unfit: &Unfit,
        origin: &Origin,
        copies: &Copies,
        place: Place,
        key: &Bytes,
    ) -> Step {
        let job = match self.delete(origin, copies, place, key) {
            Step::Do(job) => Some(job),
            _ => None,
        };
        Step::Refused(unfit.to_string(), job)
    }

    /// Why the place is another one's.
    fn taken(
        &self,
        origin: &Origin,
        copies: &Copies,
        key: &Bytes,
        known: impl Fn(&Origin) -> Known,
    ) -> Option<String> {
        let other = copies.get(key)?.origin.as_ref()?;
        if other == origin {
            return None;
        }
        let theirs = !self.kind.namespaced && other.cluster != origin.cluster;
        let its_own_place = self.key(other).is_some_and(|(_, theirs)| theirs == *key);
        let lives = its_own_place && !matches!(known(other), Known::Absent);
        (theirs || lives).then(|| {
            format!(
                "its name on the hub is taken by the copy of {} of the cluster {:?}",
                String::from_utf8_lossy(&other.key),
                other.cluster.as_str()
            )
        })
    }
}

fn apply(copy: &super::copy::Copy, copies: &mut Copies, place: Place, key: &Bytes) -> Step {
    let uid = copies.get(key).map(|copy| copy.uid.clone());
    let unread = copies.take_unread(key);
    let observed = unread.and_then(|unread| serde_json::from_slice::<Object>(&unread).ok());
    if observed.as_ref().is_some_and(|observed| copy.is(observed)) {
        return Step::Nothing;
    }
    let surplus = observed.as_ref().and_then(|there| copy.surplus(there));
    Step::Do(Job::Apply(Box::new(Apply {
        place,
        body: copy.body(),
        status: copy.status_body(),
        surplus,
        uid,
        repairs: observed.is_some_and(|there| copy.is_of_the_same(&there)),
    })))
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
