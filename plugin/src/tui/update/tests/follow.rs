use super::*;
use crate::tui::testing::name;
use mqtt_informer::protocol::names::ClusterName;
use std::sync::Arc;

/// Clusters, each with the value of its label `env`.
fn labelled(bed: &mut Bed, clusters: &[(&str, &str)]) {
    let names: Vec<_> = clusters.iter().map(|(name, _)| *name).collect();
    bed.clusters(&names);
    let mut all = (*bed.app.clusters).clone();
    for (name, env) in clusters {
        let cluster: &mut mqtt_informer::informer::Cluster =
            all.get_mut(&ClusterName::new(name).unwrap()).unwrap();
        cluster.presence.labels = vec![("env".to_owned(), (*env).to_owned())];
    }
    bed.happens(What::Clusters(Arc::new(all)));
}

/// Of the clusters in production there are two.
fn prod() -> Bed {
    let mut bed = Bed::with(Start {
        cluster_labels: Some(LabelSelector::parse("env=prod").unwrap()),
        size: SIZE,
        ..Start::default()
    });
    bed.link(LinkState::Up);
    labelled(
        &mut bed,
        &[("east", "prod"), ("west", "prod"), ("lab", "test")],
    );
    bed.copy(
        "east",
        "pods",
        &PODS,
        &["a 1/1 Running 5", "b 1/1 Running 5"],
    );
    bed.copy(
        "west",
        "pods",
        &PODS,
        &["c 1/1 Running 5", "d 1/1 Running 5"],
    );
    bed.take_effects();
    bed
}

#[test]
fn a_table_goes_on_with_the_clusters_that_are_meant_now() {
    let mut bed = prod();
    bed.types("jA");
    let before = bed.feed();
    labelled(
        &mut bed,
        &[("east", "prod"), ("west", "test"), ("lab", "prod")],
    );
    assert_ne!(bed.feed(), before);
    let effects = bed.take_effects();
    assert!(effects.contains(&Effect::Leave(before)));
    let table = bed.app.table().unwrap();
    assert_eq!(table.grid.len(), 2, "what stays is shown meanwhile");
    assert!(bed.app.is_live(&name("east")), "as fresh as it was");
    assert_eq!(selected(&bed), "east/b");
    bed.copy("east", "pods", &PODS, &["b 1/1 Running 5"]);
    bed.copy("lab", "pods", &PODS, &["x 1/1 Running 5"]);
    let table = bed.app.table().unwrap();
    assert_eq!(table.grid.len(), 2, "what went meanwhile is gone");
    assert_eq!(
        (selected(&bed).as_str(), table.grid.sort().by),
        ("east/b", Some(Field::Column(3)))
    );
}

#[test]
fn what_is_about_one_cluster_stays_while_that_is_meant() {
    for keys in ["d", "y", "l", "<enter>"] {
        let mut bed = prod();
        bed.types(keys);
        let view = bed.feed();
        labelled(&mut bed, &[("east", "prod"), ("west", "test")]);
        assert_eq!((bed.app.views.len(), bed.feed()), (2, view), "{keys}");
        bed.take_effects();
        labelled(&mut bed, &[("east", "test"), ("west", "prod")]);
        assert_eq!(bed.app.views.len(), 1, "{keys}");
        assert!(bed.take_effects().contains(&Effect::Leave(view)), "{keys}");
        assert!(bed.app.told.as_ref().is_some_and(|told| told.is_wrong));
    }
}

#[test]
fn faults_and_fleet_follow_too_and_so_does_completion() {
    for command in [":faults<enter>", ":fleet<enter>"] {
        let mut bed = prod();
        bed.types(command);
        bed.take_effects();
        labelled(&mut bed, &[("east", "prod"), ("west", "test")]);
        assert_eq!(bed.app.views.len(), 2);
        let watched = watched(&mut bed);
        let only_east = |(_, clusters): &&(_, Clusters)| {
            clusters.matches(&name("east")) && !clusters.matches(&name("west"))
        };
        assert_eq!(watched.iter().filter(only_east).count(), watched.len());
        assert_eq!(watched.len(), bed.app.view().unwrap().feeds().len() + 1);
        assert_eq!(bed.app.words.feeds, None, "asked anew by who types next");
    }
}

#[test]
fn what_only_lists_keys_or_clusters_stays() {
    let mut bed = prod();
    bed.types("?");
    labelled(&mut bed, &[("east", "test"), ("west", "prod")]);
    assert!(matches!(bed.app.view(), Some(View::Help(_))));
}
