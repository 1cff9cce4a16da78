//! What can be on the screen.
//!
//! **Architecture invariant:** state and what follows from it. What happens to it is [`super::update()`]'s, how it looks
//! [`super::draw()`]'s.

pub mod containers;
pub mod faults;
pub mod fleet;
pub mod hub;
pub mod list;
pub mod logs;
pub mod picker;
pub mod pod;
pub mod scroll;
pub mod table;
pub mod target;
pub mod text;
pub mod used;

use super::app::Place;
use super::event::{Effect, FeedId};
use super::keys::Context;
use containers::ContainersView;
use faults::FaultsView;
use fleet::FleetView;
use hub::HubView;
use list::List;
use logs::LogsView;
use mqtt_informer::protocol::names::ClusterName;
use picker::PickerView;
use scroll::Scroll;
use table::TableView;
use text::{TextKind, TextView};
use used::UsedView;

/// One view. Those that were gone through are a stack.
#[derive(Debug)]
pub enum View {
    /// Objects of one resource.
    Table(Box<TableView>),
    /// The containers of a pod.
    Containers(Box<ContainersView>),
    /// A description, YAML, a difference.
    Text(Box<TextView>),
    /// Logs.
    Logs(Box<LogsView>),
    /// What uses an object.
    Used(Box<UsedView>),
    /// The clusters, one a line.
    Fleet(Box<FleetView>),
    /// Everything that is unwell.
    Faults(Box<FaultsView>),
    /// What a hub has.
    Hub(Box<HubView>),
    /// The choice of clusters.
    Picker(Box<PickerView>),
    /// All keys.
    Help(Scroll),
}

impl View {
    /// Where its keys are, the innermost first.
    pub fn contexts(&self) -> &'static [Context] {
        use Context::{
            Containers, Everywhere, Faults, Fleet, Hub, Logs, Moving, Object, Picker, Table, Text,
            Used,
        };
        match self {
            Self::Table(_) => &[Table, Object, Moving, Everywhere],
            Self::Containers(_) => &[Containers, Object, Moving, Everywhere],
            Self::Used(_) => &[Used, Object, Moving, Everywhere],
            Self::Fleet(_) => &[Fleet, Moving, Everywhere],
            Self::Faults(_) => &[Faults, Object, Moving, Everywhere],
            Self::Hub(_) => &[Hub, Object, Moving, Everywhere],
            Self::Text(_) => &[Text, Moving, Everywhere],
            Self::Logs(_) => &[Logs, Moving, Everywhere],
            Self::Picker(_) => &[Picker, Moving, Everywhere],
            Self::Help(_) => &[Moving, Everywhere],
        }
    }

    /// What it is called in the line that says where one is.
    pub fn crumb(&self) -> String {
        match self {
            Self::Table(table) => table.crumb(),
            Self::Containers(view) => view.target.label(),
            Self::Used(view) => format!("used: {}", view.target.label()),
            Self::Text(text) => match text.kind {
                TextKind::Describe => format!("describe {}", text.target.label()),
                TextKind::Yaml => format!("yaml {}", text.target.label()),
                TextKind::Diff => format!("diff {}", text.target.label()),
            },
            Self::Logs(logs) => format!("logs {}", logs.target.label()),
            Self::Fleet(_) => "fleet".to_owned(),
            Self::Faults(_) => "faults".to_owned(),
            Self::Hub(view) => match view.kind.of() {
                of if of.is_empty() => format!("hub {}", view.kind.words()),
                of => format!("{} of {of}", view.kind.words()),
            },
            Self::Picker(_) => "clusters".to_owned(),
            Self::Help(_) => "help".to_owned(),
        }
    }

    /// What it shows, to be shown again; nothing of what is only looked at on the way.
    pub fn place(&self) -> Option<Place> {
        Some(match self {
            Self::Table(table) => Place::Table(Box::new(table.spec.clone())),
            Self::Containers(view) => Place::Containers(view.target.clone()),
            Self::Text(text) => Place::Text(text.kind, text.target.clone(), text.compared.clone()),
            Self::Logs(logs) => Place::Logs(logs.target.clone(), logs.containers.clone()),
            Self::Used(view) => Place::Used(view.target.clone()),
            Self::Fleet(_) => Place::Fleet,
            Self::Faults(_) => Place::Faults,
            Self::Hub(view) => Place::Hub(view.kind.clone()),
            Self::Picker(_) | Self::Help(_) => return None,
        })
    }

    /// The cluster of the one object that it is about; none if it is about others, too.
    pub fn cluster(&self) -> Option<&ClusterName> {
        let target = match self {
            Self::Containers(view) => &view.target,
            Self::Text(text) if text.kind != TextKind::Diff => &text.target,
            Self::Logs(logs) => &logs.target,
            Self::Used(view) => &view.target,
            _ => return None,
        };
        target.id.as_ref().map(|id| &id.cluster)
    }

    /// What it is fed by.
    pub fn feeds(&self) -> Vec<FeedId> {
        match self {
            Self::Table(table) => table.all_feeds(),
            Self::Containers(view) => vec![view.feed],
            Self::Used(view) => vec![view.feed],
            Self::Hub(view) => vec![view.feed],
            Self::Text(text) => vec![text.feed],
            Self::Logs(logs) => logs.feeds(),
            Self::Fleet(_) | Self::Faults(_) => {
                let tables = self.tables().iter();
                tables.flat_map(|table| table.feeds.clone()).collect()
            }
            Self::Picker(_) | Self::Help(_) => Vec::new(),
        }
    }

    /// The tables that it is made of.
    pub fn tables(&self) -> &[TableView] {
        match self {
            Self::Table(table) => std::slice::from_ref(table),
            Self::Fleet(fleet) => &fleet.tables,
            Self::Faults(faults) => &faults.tables,
            _ => &[],
        }
    }

    /// The same, to be changed.
    pub fn tables_mut(&mut self) -> &mut [TableView] {
        match self {
            Self::Table(table) => std::slice::from_mut(table),
            Self::Fleet(fleet) => &mut fleet.tables,
            Self::Faults(faults) => &mut faults.tables,
            _ => &mut [],
        }
    }

    /// The list that it is, if it is one that is filtered as it stands.
    pub fn list(&self) -> Option<&List> {
        match self {
            Self::Used(view) => Some(&view.list),
            Self::Fleet(view) => Some(&view.list),
            Self::Faults(view) => Some(&view.list),
            Self::Hub(view) => Some(&view.list),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub fn list_mut(&mut self) -> Option<&mut List> {
        match self {
            Self::Used(view) => Some(&mut view.list),
            Self::Fleet(view) => Some(&mut view.list),
            Self::Faults(view) => Some(&mut view.list),
            Self::Hub(view) => Some(&mut view.list),
            _ => None,
        }
    }

    /// What is to be done when it is left.
    pub fn leave(&self) -> Vec<Effect> {
        let mut effects: Vec<_> = self.feeds().into_iter().map(Effect::Leave).collect();
        if let Self::Logs(logs) = self {
            effects.extend(
                logs.sources
                    .iter()
                    .map(|source| Effect::CloseLog(source.request)),
            );
        }
        effects
    }

    /// Tells how much of the screen it has inside of its frame.
    pub fn set_size(&mut self, width: usize, height: usize) {
        let below_heads = height.saturating_sub(1);
        match self {
            Self::Table(table) => table.grid.set_height(below_heads),
            Self::Containers(view) => view.list.set_height(below_heads),
            Self::Used(view) => view.list.set_height(below_heads),
            Self::Picker(picker) => picker.list.set_height(below_heads),
            Self::Fleet(fleet) => fleet.list.set_height(below_heads),
            Self::Faults(faults) => faults.list.set_height(below_heads),
            Self::Hub(view) => view.list.set_height(below_heads),
            Self::Text(text) => {
                // Text does not touch its frame.
                (text.scroll.width, text.scroll.height) = (width.saturating_sub(2), height.max(1));
            }
            Self::Logs(logs) => logs.set_height(height),
            Self::Help(scroll) => scroll.height = height.max(1),
        }
    }
}
