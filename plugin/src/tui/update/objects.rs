//! News of whole objects, for the views that show them.

use crate::diff::text::{Style, unified};
use crate::diff::{Comparison, Identity, form};
use crate::print::{Audience, sanitize, yaml};
use crate::tui::app::App;
use crate::tui::event::{Effect, FeedNews, RequestId};
use crate::tui::object;
use crate::tui::view::View;
use crate::tui::view::containers::ContainersView;
use crate::tui::view::table::refusal;
use crate::tui::view::text::{TextKind, TextView};
use crate::tui::view::used::UsedView;
use bytes::Bytes;
use mqtt_informer::informer::Notice;
use serde_json::Value;
use std::time::Duration;

/// A description is made anew no more often than this,
const PAUSE: Duration = Duration::from_secs(1);
/// and no less often: what belongs to an object changes without it.
const REFRESH: Duration = Duration::from_secs(5);

/// News for a text.
pub(super) fn to_text(app: &mut App, view: &mut TextView, news: FeedNews) -> Vec<Effect> {
    match news {
        FeedNews::Changed(cluster, notices) => {
            let object = changed(&notices);
            let known = view.objects.contains_key(&cluster);
            // A first copy without the object says that it is not there.
            if let Some(object) = object.or((!known).then_some(None)) {
                view.objects.insert(cluster, object);
                view.is_outdated = true;
            }
        }
        FeedNews::State(cluster, state) => match refusal(&state) {
            Some(why) => _ = view.refusals.insert(cluster, why),
            None => _ = view.refusals.remove(&cluster),
        },
        FeedNews::Ages(ages) => view.ages.extend(ages),
        FeedNews::Left(cluster) => view.leave(&cluster),
        FeedNews::Joined(_) | FeedNews::Kept(..) | FeedNews::Discovered => {}
    }
    remake(app, view)
}

/// Makes the text anew, if what it is about has changed.
fn remake(app: &mut App, view: &mut TextView) -> Vec<Effect> {
    if !view.is_outdated {
        return Vec::new();
    }
    match view.kind {
        TextKind::Describe => return describe_if_due(app, view),
        TextKind::Yaml => {
            if let Some(object) = view.objects.values().flatten().next() {
                let text = yaml::document(object, Audience::Terminal);
                view.set_text(&text);
            }
        }
        TextKind::Diff => {
            let text = differences(view);
            view.set_text(&text);
        }
    }
    view.is_outdated = false;
    Vec::new()
}

/// Time went by: a description that is old is made anew.
pub(super) fn describe_if_due(app: &mut App, view: &mut TextView) -> Vec<Effect> {
    let since = app.now.at.saturating_sub(view.made);
    let due = if view.is_outdated { PAUSE } else { REFRESH };
    match view.kind == TextKind::Describe && view.asked.is_none() && since >= due {
        true => describe(app, view),
        false => Vec::new(),
    }
}

/// Asks for a description.
pub(super) fn describe(app: &mut App, view: &mut TextView) -> Vec<Effect> {
    let Some(described) = view.target.described() else {
        return Vec::new();
    };
    let request = app.request_id();
    view.asked = Some((request, app.now.at));
    view.is_outdated = false;
    vec![Effect::Describe(request, described)]
}

/// A description came.
pub(super) fn described(app: &mut App, request: RequestId, answer: Result<String, String>) {
    let now = app.now.at;
    let views = app.views.iter_mut().filter_map(|view| match view {
        View::Text(text) => Some(text),
        _ => None,
    });
    for view in views.filter(|view| view.asked.is_some_and(|(asked, _)| asked == request)) {
        (view.asked, view.made) = (None, now);
        match &answer {
            Ok(text) => {
                view.undescribed = None;
                view.set_text(text);
            }
            Err(why) => view.undescribed = Some(sanitize::word(why).into_owned()),
        }
    }
}

/// How the object differs between the clusters that have it, and where it is missing.
fn differences(view: &TextView) -> String {
    let clusters: Vec<_> = view.objects.keys().cloned().collect();
    let identity = Identity {
        resource: view.target.plural.clone(),
        namespace: view
            .target
            .id
            .as_ref()
            .map_or_else(String::new, |id| id.namespace.clone()),
        name: view
            .target
            .id
            .as_ref()
            .map_or_else(String::new, |id| id.name.clone()),
    };
    let mut comparison = Comparison::of(clusters.clone());
    for (cluster, object) in &view.objects {
        if let Some(object) = object {
            let form = form::of(object.clone(), false, true);
            comparison.add(
                cluster,
                identity.clone(),
                &view.target.kind.to_lowercase(),
                form,
            );
        }
    }
    let style = Style {
        audience: Audience::Terminal,
        colour: false,
    };
    let texts: Vec<_> = comparison
        .differences()
        .iter()
        .map(|it| unified(it, style))
        .collect();
    let names: Vec<_> = clusters
        .iter()
        .map(|name| sanitize::word(name.as_str()).into_owned())
        .collect();
    match (texts.is_empty(), clusters.len()) {
        (false, _) => texts.join("\n"),
        (true, 0 | 1) => "waiting for the other clusters".to_owned(),
        (true, _) => format!(
            "the same in {}\n\n(but for what each cluster makes by itself)",
            names.join(", ")
        ),
    }
}

/// News for the containers of a pod.
pub(super) fn to_containers(app: &App, view: &mut ContainersView, news: FeedNews) {
    match news {
        FeedNews::Changed(_, notices) => match changed(&notices) {
            Some(Some(pod)) => {
                view.target.owner = object::owner_of(&pod);
                view.set_pod(&pod, app.now.wall_ms);
            }
            _ => view.gone = Some("the pod is not there".to_owned()),
        },
        FeedNews::State(_, state) => view.gone = refusal(&state).or(view.gone.take()),
        FeedNews::Ages(ages) => {
            if let Some((_, age)) = ages.into_iter().next() {
                view.age = age;
                view.refresh(app.now.wall_ms);
            }
        }
        FeedNews::Left(_) => (view.age, view.gone) = Default::default(),
        FeedNews::Joined(_) | FeedNews::Kept(..) | FeedNews::Discovered => {}
    }
}

/// News for those who use something.
pub(super) fn to_used(view: &mut UsedView, news: FeedNews) {
    match news {
        FeedNews::Changed(_, notices) => {
            for Notice { key, new, .. } in notices.iter().filter(|notice| !notice.key.is_empty()) {
                let pod = new
                    .as_ref()
                    .and_then(|bytes| serde_json::from_slice(bytes).ok());
                view.set_pod(key, pod.as_ref());
            }
            view.is_read = true;
            view.refresh();
        }
        FeedNews::State(_, state) => view.refused = refusal(&state),
        FeedNews::Ages(ages) => {
            if let Some((_, age)) = ages.into_iter().next() {
                view.age = age;
            }
        }
        FeedNews::Left(_) => view.leave(),
        FeedNews::Joined(_) | FeedNews::Kept(..) | FeedNews::Discovered => {}
    }
}

/// The one object that is spoken of: none if it is not, nothing in it if it is gone.
pub(super) fn changed(notices: &[Notice]) -> Option<Option<Value>> {
    let notice = notices.iter().find(|notice| !notice.key.is_empty())?;
    let read = |bytes: &Bytes| serde_json::from_slice(bytes).ok();
    Some(notice.new.as_ref().and_then(read))
}
