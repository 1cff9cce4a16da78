use super::*;
use crate::tui::event::{Age, FeedNews};
use mqtt_informer::informer::Notice;
use serde_json::json;

fn hub_view(bed: &Bed) -> &crate::tui::view::hub::HubView {
    match bed.app.view() {
        Some(View::Hub(view)) => view,
        other => panic!("{other:?}"),
    }
}

/// What is watched from now on, in a word each.
fn wanted(bed: &mut Bed) -> Vec<String> {
    let watched = watched(bed)
        .into_iter()
        .filter(|(it, _)| it.resource.contains("open-cluster"));
    let words = watched.map(|(it, clusters)| {
        assert_eq!(
            clusters
                .named()
                .map(|name| name.as_str())
                .collect::<Vec<_>>(),
            ["hub"]
        );
        let plural = it.resource.split('.').next().unwrap_or_default().to_owned();
        [plural, it.namespace, it.fields, it.labels]
            .join(" ")
            .trim_end()
            .to_owned()
    });
    words.collect()
}

#[test]
fn a_hub_is_walked_through_from_its_clusters_to_an_object_of_one() {
    let mut bed = pods(SIZE);
    bed.types(":clusters<enter>");
    assert_eq!(wanted(&mut bed), ["managedclusters"]);
    let cluster = json!({"metadata": {"name": "east"}});
    bed.tell(bed.feed(), "hub", &[("east", Some(cluster))]);
    bed.wait(2000);
    bed.types("<enter>");
    assert_eq!(wanted(&mut bed), ["manifestworks east"]);
    let meta = json!({"group": "apps", "version": "v1", "kind": "Deployment", "resource": "deployments",
        "namespace": "shop", "name": "web"});
    let work = json!({"metadata": {"namespace": "east", "name": "web"},
        "status": {"resourceStatus": {"manifests": [{"resourceMeta": meta}]}}});
    bed.tell(bed.feed(), "hub", &[("east/web", Some(work.clone()))]);
    bed.wait(2000);
    bed.types("<enter>");
    assert_eq!(wanted(&mut bed), ["manifestworks east metadata.name=web"]);
    bed.tell(bed.feed(), "hub", &[("east/web", Some(work))]);
    bed.wait(2000);
    bed.types("y");
    let (selection, clusters) = watched(&mut bed).remove(0);
    assert_eq!(
        (selection.resource.as_str(), selection.fields.as_str()),
        ("deployments.v1.apps", "metadata.name=web")
    );
    assert!(clusters.matches(&crate::tui::testing::name("east")));
    bed.types("<esc><esc><esc>");
    assert_eq!(hub_view(&bed).kind.words(), "clusters");
    bed.types("]");
    assert_eq!(hub_view(&bed).kind.of(), "@east", "history has it");
}

#[test]
fn a_placement_opens_on_the_clusters_that_it_got() {
    let mut bed = pods(SIZE);
    bed.types(":placements<enter>");
    let placement = json!({"metadata": {"namespace": "shop", "name": "eu"}});
    bed.tell(bed.feed(), "hub", &[("shop/eu", Some(placement))]);
    bed.wait(2000);
    bed.take_effects();
    bed.types("<enter>");
    let label = "cluster.open-cluster-management.io/placement=eu";
    assert_eq!(
        wanted(&mut bed),
        [format!("placementdecisions shop  {label}")]
    );
    let decision = json!({"status": {"decisions": [{"clusterName": "east"}]}});
    bed.tell(bed.feed(), "hub", &[("shop/eu-1", Some(decision))]);
    bed.wait(2000);
    bed.types("<enter>");
    assert_eq!(wanted(&mut bed), ["manifestworks east"]);
}

#[test]
fn what_was_kept_goes_when_the_whole_copy_comes() {
    let mut bed = pods(SIZE);
    bed.types(":works<enter>");
    let work = |name: &str| json!({"metadata": {"namespace": "east", "name": name}});
    let notice = |name: &str| Notice {
        key: name.to_owned().into(),
        old: None,
        new: Some(work(name).to_string().into()),
    };
    let (feed, hub) = (bed.feed(), crate::tui::testing::name("hub"));
    let kept = FeedNews::Kept(
        hub.clone(),
        vec![notice("old"), notice("web")],
        Age::default(),
    );
    bed.happens(What::Feed(feed, kept));
    bed.wait(2000);
    assert_eq!(hub_view(&bed).list.lines.len(), 2);
    bed.happens(What::Feed(
        feed,
        FeedNews::Changed(hub, vec![notice("web")]),
    ));
    bed.wait(2000);
    let lines = &hub_view(&bed).list.lines;
    assert_eq!(
        lines.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(),
        ["east/web"]
    );
}
