//! What kubectl's readers can do: templates, columns, an order, events, and words for what is missing.

use super::*;
use crate::get::api_resources::Choice;
use crate::print::columns::Columns;
use crate::print::jsonpath::Template;
use crate::print::sort::SortField;
use std::sync::Arc;

fn sorted_by(path: &str) -> impl FnOnce(&mut Plan) {
    let field = SortField::parse(path, false).unwrap();
    move |plan| plan.sort = Some(field)
}

fn object_with(name: &str, n: i32) -> Bytes {
    format!(r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{name}","uid":"{name}"}},"n":{n}}}"#)
        .into_bytes()
        .into()
}

fn objects(values: &[(&str, i32)]) -> StreamView {
    let values: Vec<_> = values
        .iter()
        .map(|(name, n)| (*name, object_with(name, *n)))
        .collect();
    whole(&header("", "pods", "Pod", &[]), &values)
}

fn format(format: Format) -> impl FnOnce(&mut Plan) {
    move |plan| plan.form = Form::Objects(format)
}

#[test]
fn a_table_of_several_clusters_is_sorted_together() {
    let mut scene = Scene::new("pods", &["east", "west"], sorted_by(".n"));
    scene.see("east", 0, pods(&["a", "b"]));
    scene.see("east", 1, objects(&[("a", 3), ("b", 1)]));
    scene.wait(SECOND);
    scene.check("", &[], None);
    scene.see("west", 0, pods(&["c"]));
    scene.check("", &[], None);
    scene.see("west", 1, objects(&[("c", 2)]));
    let table = "CLUSTER   NAME   STATUS\neast      b      Running\nwest      c      Running\neast      a      Running\n";
    scene.check(table, &[], Some(0));
}

#[test]
fn objects_of_several_clusters_are_sorted_together() {
    let mut scene = Scene::new("pods", &["east", "west"], |plan| {
        sorted_by("n")(plan);
        plan.form = Form::Objects(Format::Name);
    });
    scene.see("east", 0, objects(&[("a", 3), ("b", 1)]));
    scene.see("west", 0, objects(&[("c", 2)]));
    scene.check("pod/b\npod/c\npod/a\n", &[], Some(0));
}

#[test]
fn a_field_that_nothing_has_is_an_error() {
    let mut scene = Scene::new("pods", &["c1"], sorted_by(".none"));
    scene.see("c1", 0, pods(&["a", "b"]));
    scene.see("c1", 1, objects(&[("a", 3), ("b", 1)]));
    let line = "error: couldn't find any field with path \"{.none}\" in the list of objects";
    scene.check("", &[line], Some(1));
}

#[test]
fn a_watch_begins_sorted() {
    let mut scene = Scene::new("pods", &["c1"], |plan| {
        sorted_by(".n")(plan);
        watching(plan);
    });
    scene.see("c1", 0, pods(&["a", "b"]));
    scene.check("", &[], None);
    scene.see("c1", 1, objects(&[("a", 3), ("b", 1)]));
    scene.check("NAME   STATUS\nb      Running\na      Running\n", &[], None);
}

#[test]
fn events_say_what_became_of_objects() {
    let mut scene = Scene::new("pods", &["c1"], |plan| {
        watching(plan);
        plan.events = true;
    });
    scene.see("c1", 0, pods(&["a"]));
    let change = |old: Option<&str>, new: Option<&str>| {
        let row = |status: &str| row(&["a", status], "a");
        StreamView {
            changes: vec![Notice {
                key: "a".into(),
                old: old.map(row),
                new: new.map(row),
            }],
            ..pods(&["a"])
        }
    };
    scene.see("c1", 0, change(Some("Running"), Some("Done")));
    scene.see("c1", 0, change(Some("Done"), None));
    let table = "EVENT      NAME   STATUS\nADDED      a      Running\nMODIFIED   a      Done\nDELETED    a      Done\n";
    scene.check(table, &[], None);
}

#[test]
fn a_template_sees_the_list_of_all_clusters() {
    let template = Arc::new(
        Template::parse(
            "{.kind}:{range .items[*]} {.metadata.annotations.*}/{.metadata.name}{end}",
        )
        .unwrap(),
    );
    let mut scene = Scene::new(
        "pods",
        &["east", "west"],
        format(Format::JsonPath(template)),
    );
    scene.see("east", 0, objects(&[("a", 1)]));
    scene.see("west", 0, objects(&[("b", 1)]));
    scene.check("List: east/a west/b", &[], Some(0));
}

#[test]
fn a_template_sees_the_object_itself_if_it_is_named() {
    let template = Arc::new(Template::parse("{.metadata.name}").unwrap());
    let mut scene = Scene::new("pods a", &["c1"], format(Format::JsonPath(template)));
    scene.see("c1", 0, objects(&[("a", 1)]));
    scene.check("a", &[], Some(0));
}

#[test]
fn a_template_that_cannot_be_applied_is_an_error() {
    let template = Arc::new(Template::parse("{.items[1]}").unwrap());
    let mut scene = Scene::new("pods", &["c1"], format(Format::JsonPath(template)));
    scene.see("c1", 0, objects(&[("a", 1)]));
    assert_eq!((scene.out.as_str(), scene.code), ("", Some(1)));
    let why = "error: error executing jsonpath \"{.items[1]}\": Error executing template: array index out of bounds: index 1, length 1";
    assert!(scene.err[0].starts_with(why), "{:?}", scene.err);
}

#[test]
fn an_error_that_quotes_what_a_cluster_says_is_fit_for_a_terminal() {
    let template = Arc::new(Template::parse("{.items[*].metadata.name[?(@.x)]}").unwrap());
    let mut scene = Scene::new("pods", &["c1"], format(Format::JsonPath(template)));
    scene.see("c1", 0, objects(&[("\\u001b]0;x", 1)]));
    assert_eq!(scene.code, Some(1));
    let said = &scene.err[0];
    assert!(said.contains("^[]0;x is not array or slice"), "{said:?}");
}

#[test]
fn columns_of_one_s_own_say_the_cluster_if_there_are_several() {
    let columns = || {
        Format::Columns(Arc::new(
            Columns::parse("NAME:.metadata.name,N:.n", true).unwrap(),
        ))
    };
    let mut one = Scene::new("pods", &["c1"], format(columns()));
    one.see("c1", 0, objects(&[("a", 1), ("longer-name", 22)]));
    one.check(
        "NAME          N\na             1\nlonger-name   22\n",
        &[],
        Some(0),
    );
    let mut two = Scene::new("pods", &["east", "west"], format(columns()));
    two.see("east", 0, objects(&[("a", 1)]));
    two.see("west", 0, objects(&[]));
    two.check("CLUSTER   NAME   N\neast      a      1\n", &[], Some(0));
}

#[test]
fn what_is_not_found_may_be_no_error() {
    let ignoring = |plan: &mut Plan| plan.ignore_not_found = true;
    let mut named = Scene::new("pods a", &["c1"], ignoring);
    named.see("c1", 0, pods(&[]));
    named.check("", &[], Some(0));
    let mut list = Scene::new("pods", &["c1"], |plan| {
        ignoring(plan);
        json(plan);
    });
    list.see("c1", 0, objects(&[]));
    list.check("", &[], Some(0));
    let mut several = Scene::new("pods a b", &["east", "west"], ignoring);
    for cluster in ["east", "west"] {
        several.see(cluster, 0, pods(&["a"]));
        several.see(cluster, 1, pods(&[]));
    }
    several.check(
        "CLUSTER   NAME   STATUS\neast      a      Running\nwest      a      Running\n",
        &[],
        Some(0),
    );
    let mut no_type = Scene::new("nosuch", &["c1"], ignoring);
    let message = "the server doesn't have a resource type \"nosuch\"";
    no_type.see("c1", 0, refused("NotFound", message));
    no_type.check("", &[&format!("error: {message}")], Some(1));
    assert!(no_type.collector.has_unknown_type());
}

#[test]
fn kinds_are_shown_when_asked_for() {
    let mut scene = Scene::new("pods", &["c1"], |plan| plan.show_kind = true);
    scene.see("c1", 0, pods(&["a"]));
    scene.check("NAME    STATUS\npod/a   Running\n", &[], Some(0));
}

#[test]
fn what_clusters_have_needs_no_header() {
    let catalog = |json: &'static str| {
        let mut view = whole(&Bytes::new(), &[("k", Bytes::from_static(json.as_bytes()))]);
        view.snapshot.entries.remove(&Bytes::new());
        view
    };
    let selector = ClusterSelector::new(
        "--cluster",
        &["east".to_owned(), "west".to_owned()],
        &Groups::new(),
    )
    .unwrap();
    let plan = Plan {
        timeout: 5 * SECOND,
        ..Plan::default()
    };
    let mut collector = Collector::new(
        plan.of_catalogs(Choice::default()),
        &selector,
        Audience::Program,
    );
    collector.link_up(At::ZERO);
    collector.see(&name("east"), 0, catalog(r#"{"name":"pods","kind":"Pod","version":"v1","namespaced":true,"verbs":["get"],"categories":["all"]}"#));
    collector.see(&name("west"), 0, refused("Forbidden", "no"));
    let said = collector.step(At::ZERO, 0);
    let table = "NAME   SHORTNAMES   APIVERSION   NAMESPACED   KIND   CLUSTERS\npods                v1           true         Pod    all\n";
    assert!(said.contains(&Output::Out(table.to_owned())), "{said:?}");
    assert!(said.contains(&Output::Done(1)), "{said:?}");
    assert_eq!(
        collector.catalogs().expanded("all").as_deref(),
        Some("pods")
    );
}
