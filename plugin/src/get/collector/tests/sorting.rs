//! `--sort-by COLUMN`, over clusters and in watches.

use super::*;
use crate::filter::sort_column::SortColumn;

/// Pods with their restarts.
fn restarted(pods: &[(&str, &str)]) -> StreamView {
    let row = |(name, restarts): &(&str, &str)| row(&[name, restarts], name);
    let values: Vec<_> = pods.iter().map(|pod| (pod.0, row(pod))).collect();
    whole(&header("", "pods", "Pod", &["Name", "Restarts"]), &values)
}

fn by(header: &str) -> impl FnOnce(&mut Plan) {
    let column = SortColumn::parse(header);
    |plan| plan.sort_column = column
}

#[test]
fn rows_of_all_clusters_are_in_the_order_of_a_column() {
    let mut scene = Scene::new("pods", &["east", "west"], by("RESTARTS"));
    scene.see("west", 0, restarted(&[("a", "9"), ("b", "<none>")]));
    scene.check("", &[], None);
    scene.see("east", 0, restarted(&[("c", "10"), ("d", "0")]));
    let table = "CLUSTER   NAME   RESTARTS\n\
                 east      d      0\n\
                 west      a      9\n\
                 east      c      10\n\
                 west      b      <none>\n";
    scene.check(table, &[], Some(0));
}

#[test]
fn what_comes_at_once_in_a_watch_is_in_order_too() {
    let sorted_watch = |plan: &mut Plan| {
        by("RESTARTS")(plan);
        watching(plan);
    };
    let mut scene = Scene::new("pods", &["east"], sorted_watch);
    scene.see("east", 0, restarted(&[("a", "10"), ("b", "9")]));
    scene.check("NAME   RESTARTS\nb      9\na      10\n", &[], None);
}

#[test]
fn a_column_that_is_nowhere_is_told_with_those_that_are() {
    let mut scene = Scene::new("pods", &["east"], by("RESTRATS"));
    scene.see("east", 0, restarted(&[("a", "10")]));
    let line =
        "error: --sort-by: no column \"RESTRATS\": there are CLUSTER, NAMESPACE, NAME, RESTARTS";
    scene.check("", &[line], Some(1));
}
