//! What can be on the screen.
//!
//! **Architecture invariant:** state and what follows from it. What happens to it is [`super::update`]'s, how it looks
//! [`super::draw`]'s.

pub mod list;
pub mod picker;
pub mod scroll;
pub mod table;

use super::event::FeedId;
use super::keys::Context;
use picker::PickerView;
use scroll::Scroll;
use table::TableView;

/// One view. Those that were gone through are a stack.
#[derive(Debug)]
pub enum View {
    /// Objects of one resource.
    Table(Box<TableView>),
    /// The choice of clusters.
    Picker(PickerView),
    /// All keys.
    Help(Scroll),
}

impl View {
    /// Where its keys are, the innermost first.
    pub fn contexts(&self) -> &'static [Context] {
        match self {
            Self::Table(_) => &[Context::Table, Context::Moving, Context::Everywhere],
            Self::Picker(_) => &[Context::Picker, Context::Moving, Context::Everywhere],
            Self::Help(_) => &[Context::Moving, Context::Everywhere],
        }
    }

    /// What it is called in the line that says where one is.
    pub fn crumb(&self) -> String {
        match self {
            Self::Table(table) => table.crumb(),
            Self::Picker(_) => "clusters".to_owned(),
            Self::Help(_) => "help".to_owned(),
        }
    }

    /// What it is fed by.
    pub fn feeds(&self) -> Vec<FeedId> {
        match self {
            Self::Table(table) => table.feeds.clone(),
            Self::Picker(_) | Self::Help(_) => Vec::new(),
        }
    }

    /// Tells how many lines it has on the screen.
    pub fn set_height(&mut self, height: usize) {
        match self {
            Self::Table(table) => table.grid.set_height(height.saturating_sub(1)),
            Self::Picker(picker) => picker.list.set_height(height.saturating_sub(1)),
            Self::Help(scroll) => scroll.height = height.max(1),
        }
    }
}
