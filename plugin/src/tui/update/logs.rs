//! Which logs are read: those of one pod, or of all pods that something selects, as they come, restart and go.

use super::objects::changed;
use crate::logs::pods::selector;
use crate::tui::app::App;
use crate::tui::event::{Effect, FeedId, FeedNews, RequestId};
use crate::tui::view::View;
use crate::tui::view::logs::{LogsView, MOST_LOGS, Source};
use crate::tui::view::pod;
use crate::tui::view::table::refusal;
use crossterm::event::{KeyCode, KeyEvent};
use mqtt_informer::informer::log::{LogEvent, LogPosition};
use mqtt_informer::informer::{Clusters, Notice};
use mqtt_informer::protocol::message::{self, Selection};
use serde_json::Value;

/// News of what is watched for it.
pub(super) fn news(
    app: &mut App,
    view: &mut LogsView,
    feed: FeedId,
    news: FeedNews,
) -> Vec<Effect> {
    let is_selected = view.selected.as_ref().is_some_and(|(its, _)| *its == feed);
    match news {
        FeedNews::Changed(_, notices) if is_selected => pods(app, view, &notices),
        FeedNews::Changed(_, notices) => match (changed(&notices), view.is_of_many()) {
            (Some(Some(object)), true) => select(app, view, &object),
            (Some(Some(pod)), false) => {
                let id = view.target.id.as_ref();
                let name = id.map_or_else(String::new, |id| id.name.clone());
                take_pod(app, view, &name, pod)
            }
            _ => {
                let gone = format!("{} is not there", view.target.label());
                view.remark_once(&gone);
                Vec::new()
            }
        },
        FeedNews::State(_, state) => {
            if let Some(why) = refusal(&state) {
                view.remark_once(&why);
            }
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Watches the pods that an object selects.
fn select(app: &mut App, view: &mut LogsView, object: &Value) -> Vec<Effect> {
    let labels = match selector(object) {
        Ok(labels) => labels,
        Err(why) => {
            view.remark_once(&why);
            return Vec::new();
        }
    };
    let (Some(id), false) = (
        view.target.id.as_ref(),
        view.selected
            .as_ref()
            .is_some_and(|(_, known)| *known == labels),
    ) else {
        return Vec::new();
    };
    let before = view.selected.take();
    let mut effects: Vec<_> = before
        .map(|(feed, _)| Effect::Leave(feed))
        .into_iter()
        .collect();
    let selection = Selection {
        resource: "pods".to_owned(),
        namespace: id.namespace.clone(),
        labels: labels.clone(),
        view: message::View::Objects,
        ..Selection::default()
    };
    let feed = app.feed_id();
    let clusters = Clusters::one(id.cluster.clone());
    effects.push(Effect::Watch(feed, clusters, Box::new(selection)));
    view.selected = Some((feed, labels));
    effects
}

fn pods(app: &mut App, view: &mut LogsView, notices: &[Notice]) -> Vec<Effect> {
    let mut effects = Vec::new();
    for notice in notices.iter().filter(|notice| !notice.key.is_empty()) {
        let key = String::from_utf8_lossy(&notice.key);
        let name = key.rsplit('/').next().unwrap_or_default().to_owned();
        let pod = notice.new.as_ref();
        match pod.and_then(|bytes| serde_json::from_slice(bytes).ok()) {
            Some(pod) => effects.extend(take_pod(app, view, &name, pod)),
            None => {
                if view.pods.remove(&name).is_some() {
                    view.remark(&format!("pod {name} is gone"));
                }
            }
        }
    }
    if view.pods.is_empty() {
        view.remark_once("there is no pod that it selects");
    }
    effects
}

/// A pod as it is now: what is not read yet is read, and what runs again is read on.
fn take_pod(app: &mut App, view: &mut LogsView, name: &str, pod: Value) -> Vec<Effect> {
    let containers = pod::containers(&pod);
    let meant = view.meant(&pod);
    view.pods.insert(name.to_owned(), pod);
    let mut effects = Vec::new();
    for container in meant {
        let known = view
            .sources
            .iter()
            .position(|source| source.pod == name && source.container == container);
        let now = containers.iter().find(|it| it.name == container);
        let runs = now.is_some_and(|it| it.is_running);
        match known {
            Some(at) => {
                let Some(position) = view.sources[at].ended.clone().filter(|_| runs) else {
                    continue;
                };
                if let Some((source, effect)) = open(app, view, (name, &container), position) {
                    let before = std::mem::replace(&mut view.sources[at], source);
                    effects.extend([Effect::CloseLog(before.request), effect]);
                }
            }
            // Of many pods, one that has not begun would only say so.
            None if view.is_of_many() && !now.is_some_and(|it| it.has_run) => {}
            None => effects.extend(begin(app, view, (name, &container))),
        }
    }
    effects
}

/// Reads the logs of all that is meant, from the beginning of the range.
pub(super) fn read(app: &mut App, view: &mut LogsView) -> Vec<Effect> {
    let sources = view.sources.drain(..);
    let mut effects: Vec<_> = sources
        .map(|source| Effect::CloseLog(source.request))
        .collect();
    view.clear();
    view.told = None;
    for (name, pod) in view.pods.clone() {
        effects.extend(take_pod(app, view, &name, pod));
    }
    let id = view.target.id.clone();
    if let (true, false, Some(id)) = (view.pods.is_empty(), view.is_of_many(), id) {
        // Which they are is known before the pod is.
        for container in view.containers.clone().unwrap_or_default() {
            effects.extend(begin(app, view, (&id.name, &container)));
        }
    }
    effects
}

fn begin(app: &mut App, view: &mut LogsView, of: (&str, &str)) -> Option<Effect> {
    let pods = &view.pods;
    let of_gone = |source: &&Source| view.is_of_many() && !pods.contains_key(&source.pod);
    let gone = view.sources.iter().filter(of_gone).count();
    if view.sources.len() - gone >= MOST_LOGS {
        view.remark_once(&format!(
            "these are {MOST_LOGS} logs; those of other pods are not read"
        ));
        return None;
    }
    let (source, effect) = open(app, view, of, None)?;
    view.sources.push(source);
    Some(effect)
}

fn open(
    app: &mut App,
    view: &LogsView,
    (pod, container): (&str, &str),
    after: Option<LogPosition>,
) -> Option<(Source, Effect)> {
    let cluster = view.target.id.as_ref()?.cluster.clone();
    let request = app.request_id();
    let selection = Box::new(view.selection(pod, container));
    let source = Source {
        request,
        pod: pod.to_owned(),
        container: container.to_owned(),
        ended: None,
    };
    Some((source, Effect::ReadLog(request, cluster, selection, after)))
}

/// News of a log.
pub(super) fn log(app: &mut App, request: RequestId, event: LogEvent) {
    let views = app.views.iter_mut().filter_map(|view| match view {
        View::Logs(logs) => Some(logs),
        _ => None,
    });
    for view in views.filter(|view| view.sources.iter().any(|it| it.request == request)) {
        view.take(request, event.clone());
    }
}

/// Reads another part of the logs.
pub(super) fn range(app: &mut App, key: &KeyEvent) -> Vec<Effect> {
    let KeyCode::Char(digit) = key.code else {
        return Vec::new();
    };
    anew(app, |logs| {
        logs.range = digit.to_digit(10).unwrap_or_default() as usize;
    })
}

/// Reads the logs of all containers, or of the usual ones only.
pub(super) fn all_containers(app: &mut App) -> Vec<Effect> {
    anew(app, |logs| logs.is_all = !logs.is_all)
}

fn anew(app: &mut App, change: impl FnOnce(&mut LogsView)) -> Vec<Effect> {
    let Some(View::Logs(mut logs)) = app.views.pop() else {
        return Vec::new();
    };
    change(&mut logs);
    let effects = read(app, &mut logs);
    app.views.push(View::Logs(logs));
    effects
}
