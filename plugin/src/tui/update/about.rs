//! What is wanted of one object: its description, YAML, logs, events, owner, users; its containers.

use super::{history, navigate};
use crate::tui::app::App;
use crate::tui::event::{Effect, FeedId};
use crate::tui::grid::ObjectId;
use crate::tui::view::View;
use crate::tui::view::containers::ContainersView;
use crate::tui::view::logs::{LogsView, SELECTING};
use crate::tui::view::table::TableSpec;
use crate::tui::view::target::Target;
use crate::tui::view::text::{TextKind, TextView};
use crate::tui::view::used::{self, UsedView};
use mqtt_informer::informer::Clusters;
use mqtt_informer::protocol::message::{self, Selection};

/// A text about the object.
pub(super) fn text(app: &mut App, kind: TextKind) -> Vec<Effect> {
    let Some(target) = app.target() else {
        return Vec::new();
    };
    history::step(app, |app| text_of(app, kind, target))
}

/// Shows a text about an object.
pub(super) fn text_of(app: &mut App, kind: TextKind, target: Target) -> Vec<Effect> {
    let feed = app.feed_id();
    let effects = watch(feed, &target, target.selection(message::View::Objects));
    let mut view = TextView::new(kind, target, feed);
    let mut effects: Vec<_> = effects.into_iter().collect();
    if kind == TextKind::Describe {
        effects.extend(super::objects::describe(app, &mut view));
    }
    app.views.push(View::Text(Box::new(view)));
    effects
}

/// The containers of a pod.
pub(super) fn containers(app: &mut App, target: Target) -> Vec<Effect> {
    history::step(app, |app| containers_of(app, target))
}

/// Shows them.
pub(super) fn containers_of(app: &mut App, target: Target) -> Vec<Effect> {
    let feed = app.feed_id();
    let effects = watch(feed, &target, target.selection(message::View::Objects));
    app.views
        .push(View::Containers(Box::new(ContainersView::new(
            target, feed,
        ))));
    effects.into_iter().collect()
}

/// The logs of the pod, or of the container, that is selected.
pub(super) fn logs(app: &mut App) -> Vec<Effect> {
    let containers = match app.view() {
        Some(View::Containers(view)) => view.list.selected().map(|line| vec![line.id.clone()]),
        _ => None,
    };
    let Some(target) = app.target() else {
        return Vec::new();
    };
    if target.plural != "pods" && !SELECTING.contains(&target.plural.as_str()) {
        let told = format!(
            "{} have no logs; enter goes to what is inside",
            target.plural
        );
        app.tell(told, true);
        return Vec::new();
    }
    history::step(app, |app| logs_of(app, target, containers))
}

/// Shows the logs of a pod or of what selects pods; of these containers, if they are known.
pub(super) fn logs_of(
    app: &mut App,
    target: Target,
    containers: Option<Vec<String>>,
) -> Vec<Effect> {
    let feed = app.feed_id();
    let effects = watch(feed, &target, target.selection(message::View::Objects));
    let mut view = LogsView::new(target, containers, feed);
    let mut effects: Vec<_> = effects.into_iter().collect();
    effects.extend(super::logs::read(app, &mut view));
    app.views.push(View::Logs(Box::new(view)));
    effects
}

/// The events of the object.
pub(super) fn events(app: &mut App) -> Vec<Effect> {
    let Some((target, id)) = app.target().and_then(|it| Some((it.clone(), it.id?))) else {
        return Vec::new();
    };
    let namespaces = match id.namespace.as_str() {
        "" => Vec::new(),
        namespace => vec![namespace.to_owned()],
    };
    let spec = TableSpec {
        word: "events".to_owned(),
        namespaces,
        clusters: vec![id.cluster.as_str().to_owned()],
        fields: format!(
            "involvedObject.kind={},involvedObject.name={}",
            target.kind, id.name
        ),
        of: target.label(),
        ..TableSpec::default()
    };
    navigate::enter(app, spec)
}

/// What made the object.
pub(super) fn owner(app: &mut App) -> Vec<Effect> {
    let Some((target, id)) = app.target().and_then(|it| Some((it.clone(), it.id?))) else {
        return Vec::new();
    };
    let Some(owner) = target.owner.clone() else {
        app.tell(
            format!("nothing that is known made {}", target.label()),
            true,
        );
        return Vec::new();
    };
    let namespaces = match id.namespace.as_str() {
        "" => Vec::new(),
        namespace => vec![namespace.to_owned()],
    };
    let spec = TableSpec {
        word: owner.word(),
        namespaces,
        clusters: vec![id.cluster.as_str().to_owned()],
        fields: format!("metadata.name={}", owner.name),
        of: format!("what made {}", target.label()),
        ..TableSpec::default()
    };
    navigate::enter(app, spec)
}

/// What uses the object.
pub(super) fn used_by(app: &mut App) -> Vec<Effect> {
    let Some(target) = app.target().filter(|target| target.id.is_some()) else {
        return Vec::new();
    };
    if !used::is_known(&target.plural) {
        app.tell(
            format!(
                "who uses {} is not known; it is of {}",
                target.plural,
                used::KINDS
            ),
            true,
        );
        return Vec::new();
    }
    history::step(app, |app| used_by_of(app, target))
}

/// Shows what uses an object.
pub(super) fn used_by_of(app: &mut App, target: Target) -> Vec<Effect> {
    let feed = app.feed_id();
    let id = target.id.as_ref();
    let pods = Selection {
        resource: "pods".to_owned(),
        namespace: id.map_or_else(String::new, |id| id.namespace.clone()),
        fields: used::fields(&target.plural, id.map_or("", |id| &id.name)),
        view: message::View::Objects,
        ..Selection::default()
    };
    let effects = watch(feed, &target, pods);
    app.views
        .push(View::Used(Box::new(UsedView::new(target, feed))));
    effects.into_iter().collect()
}

/// How the marked objects differ, or the selected one between all clusters.
pub(super) fn diff(app: &mut App) -> Vec<Effect> {
    let chosen = app.chosen.clone();
    let Some((table, target)) = app.table_mut().and_then(|table| {
        let target = table.target();
        Some((table, target?))
    }) else {
        app.tell(
            "mark the same object in two clusters of a table, or select one",
            true,
        );
        return Vec::new();
    };
    let (marked, resource) = (table.grid.marked(), table.word_of_all());
    let compared = match marked.as_slice() {
        [] => chosen,
        [first, rest @ ..] => {
            let is_same =
                |it: &ObjectId| (&it.namespace, &it.name) == (&first.namespace, &first.name);
            if rest.is_empty() || !rest.iter().all(is_same) {
                app.tell(
                    "mark the same object, by namespace and name, in two clusters or more",
                    true,
                );
                return Vec::new();
            }
            let names = marked.iter().map(|it| it.cluster.as_str().to_owned());
            names.collect()
        }
    };
    let meant = navigate::clusters(app, &compared);
    let mut known = app.clusters.keys().filter(|name| meant.matches(name));
    if known.next().is_some() && known.next().is_none() {
        app.tell(
            "only one cluster is looked at: :pods @all looks at all of them",
            true,
        );
        return Vec::new();
    }
    // Of which of them it is, is no matter: it is the same one.
    let target = Target {
        resource,
        id: marked.into_iter().next().or(target.id.clone()),
        ..target
    };
    history::step(app, |app| diff_of(app, target, compared))
}

/// Shows how an object differs between the clusters that these words mean.
pub(super) fn diff_of(app: &mut App, target: Target, compared: Vec<String>) -> Vec<Effect> {
    let feed = app.feed_id();
    let clusters = navigate::clusters(app, &compared);
    let selection = Box::new(target.selection(message::View::Objects));
    let mut view = TextView::new(TextKind::Diff, target, feed);
    (view.compared, view.watched) = (compared, clusters.clone());
    app.views.push(View::Text(Box::new(view)));
    vec![Effect::Watch(feed, clusters, selection)]
}

fn watch(feed: FeedId, target: &Target, selection: Selection) -> Option<Effect> {
    let cluster = target.id.as_ref()?.cluster.clone();
    Some(Effect::Watch(
        feed,
        Clusters::one(cluster),
        Box::new(selection),
    ))
}
