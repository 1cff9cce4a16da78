//! An object that something is wanted of.

use crate::tui::event::Described;
use crate::tui::grid::ObjectId;
use crate::tui::object::{Maker, Owner};
use mqtt_informer::protocol::message::{Selection, View};

/// Which object, and what is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// Its type, as its cluster resolves it: `deployments.v1.apps`.
    pub resource: String,
    /// `deployments`.
    pub plural: String,
    /// `Deployment`.
    pub kind: String,
    /// Which one; none while nothing is known.
    pub id: Option<ObjectId>,
    /// Tells it from another one of that name.
    pub uid: String,
    /// What made it.
    pub owner: Option<Owner>,
}

impl Target {
    /// `deployment/web`
    pub fn label(&self) -> String {
        let name = self.id.as_ref().map_or("", |id| &id.name);
        format!("{}/{name}", self.kind.to_lowercase())
    }

    /// The object itself, and nothing else.
    pub fn selection(&self, view: View) -> Selection {
        let id = self.id.as_ref();
        Selection {
            resource: self.resource.clone(),
            namespace: id.map_or_else(String::new, |id| id.namespace.clone()),
            fields: format!("metadata.name={}", id.map_or("", |id| &id.name)),
            view,
            ..Selection::default()
        }
    }

    /// For its description.
    pub fn described(&self) -> Option<Described> {
        Some(Described {
            resource: self.resource.clone(),
            object: self.id.clone()?,
        })
    }

    /// As what made others.
    pub fn maker(&self) -> Maker {
        Maker {
            uid: self.uid.clone(),
            kind: self.kind.clone(),
            name: self
                .id
                .as_ref()
                .map_or_else(String::new, |id| id.name.clone()),
        }
    }
}
