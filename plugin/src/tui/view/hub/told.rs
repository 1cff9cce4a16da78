//! What was read of an object of a hub: a line of it, but for the time.

use crate::print::sanitize::word;
use crate::tui::grid::ObjectId;
use crate::tui::health::Health;
use crate::tui::view::list::ListLine;
use crate::tui::view::target::Target;
use mqtt_informer::kubernetes::duration::human;
use mqtt_informer::ocm::conditions::find;
use mqtt_informer::ocm::unsupported::UNSUPPORTED;
use mqtt_informer::ocm::{Condition, ObjectMeta};
use mqtt_informer::protocol::names::{ClusterName, HUB};
use serde::de::DeserializeOwned;

/// What stands where nothing was said.
pub(super) const NOTHING: &str = "-";

/// A line, but for the time.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// Tells it from others.
    pub id: String,
    /// The cluster whose agent said it; none if the hub itself did.
    pub cluster: Option<String>,
    /// The cells.
    pub cells: Vec<Cell>,
    /// How it is.
    pub health: Health,
    /// What it is about.
    pub target: Option<Target>,
    /// What it is stuck on; stands last.
    pub reason: String,
}

/// A cell.
#[derive(Clone, Debug)]
pub(super) enum Cell {
    /// What stays as it is.
    Text(String),
    /// For how long something has been, since then (ms since 1970), after what it is.
    Since(String, Option<i64>),
}

impl Told {
    /// As the screen has it now.
    pub(super) fn line(&self, wall_ms: i64, has_left: impl Fn(&str) -> bool) -> ListLine {
        let is_stale = self.cluster.as_deref().is_some_and(has_left);
        let reason = match (is_stale, self.reason.as_str()) {
            (true, "") => "the cluster is offline".to_owned(),
            (true, reason) => format!("the cluster is offline; before: {reason}"),
            (false, reason) => reason.to_owned(),
        };
        let cells = self.cells.iter().map(|cell| match cell {
            Cell::Text(text) => text.clone(),
            Cell::Since(text, since) => {
                let since = since.map(|ms| human(wall_ms.saturating_sub(ms)));
                let both = [text.as_str(), since.as_deref().unwrap_or_default()];
                both.join(" ").trim().to_owned()
            }
        });
        ListLine {
            id: self.id.clone(),
            cells: cells
                .chain([reason])
                .map(|cell| word(&cell).into_owned())
                .collect(),
            health: self.health,
            is_stale,
            is_marked: false,
        }
    }
}

/// The lines of an object; an error if it is none of that type.
pub(super) fn read<T: DeserializeOwned>(
    object: &[u8],
    lines: impl FnOnce(&T) -> Vec<Told>,
) -> serde_json::Result<Vec<Told>> {
    serde_json::from_slice(object).map(|it| lines(&it))
}

/// The line of an object that cannot be read, with so many cells before the reason.
pub(super) fn unreadable(key: &str, cells: usize, error: &serde_json::Error) -> Told {
    let rest = std::iter::repeat_n(text(""), cells.saturating_sub(1));
    Told {
        id: key.to_owned(),
        cells: std::iter::once(text(key)).chain(rest).collect(),
        health: Health::Warn,
        reason: format!("not understood: {error}"),
        ..Told::default()
    }
}

/// A cell that stays as it is.
pub(super) fn text(text: impl Into<String>) -> Cell {
    let text: String = text.into();
    Cell::Text(if text.is_empty() {
        NOTHING.to_owned()
    } else {
        text
    })
}

/// For how long an object has been there.
pub(super) fn age(meta: &ObjectMeta) -> Cell {
    let since = meta.creation_timestamp.as_ref();
    Cell::Since(String::new(), since.map(|it| it.0.as_millisecond()))
}

/// What a condition says: `True`, or nothing.
pub(super) fn status<'a>(conditions: &'a [Condition], kind: &str) -> &'a str {
    find(conditions, kind).map_or(NOTHING, |it| it.status.as_str())
}

/// Why a condition is as it is: its message, or else its reason.
pub(super) fn why(condition: &Condition) -> String {
    match (condition.message.trim(), condition.reason.as_str()) {
        ("", reason) => reason.to_owned(),
        (message, _) => message.to_owned(),
    }
}

/// A condition that says of something that should not be that it is.
pub(super) fn holds(
    conditions: &[Condition],
    kind: &str,
    health: Health,
) -> Option<(Health, String)> {
    let found = find(conditions, kind).filter(|it| it.status == "True")?;
    Some((health, why(found)))
}

/// What is not honoured of what was asked for.
pub(super) fn unsupported(conditions: &[Condition]) -> Option<(Health, String)> {
    holds(conditions, UNSUPPORTED, Health::Warn)
}

/// An object of the hub.
pub(super) fn target(meta: &ObjectMeta, kind: &str, resource: &str) -> Option<Target> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    Some(Target {
        resource: resource.to_owned(),
        plural: resource.split('.').next().unwrap_or_default().to_owned(),
        kind: kind.to_owned(),
        id: Some(ObjectId {
            // No cluster is called that: it stands for the hub that is looked at.
            cluster: ClusterName::new(HUB).ok()?,
            namespace: text(&meta.namespace),
            name: text(&meta.name),
        }),
        uid: text(&meta.uid),
        owner: None,
    })
}
