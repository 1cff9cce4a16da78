//! Searching, ordering, paging, counting.

use super::*;
use mqtt_informer::store::{
    By, ChangeKind, Error, Group, Order, Owner, Search, Subject, Term, Test,
};

on_both!(
    terms_are_of_fields_and_of_cells,
    the_other_conditions,
    pages_of_every_order_have_everything_once,
    groups_are_counted,
    a_search_of_the_past,
    odd_numbers_break_no_search,
    bounds_may_be_reached,
    many_objects_are_read_at_once,
    a_search_is_followed,
);

fn field(path: &str, test: Test) -> Term {
    Term {
        subject: Subject::Field(path.parse().unwrap()),
        test,
    }
}

fn cell(name: &str, test: Test) -> Term {
    Term {
        subject: Subject::Cell(name.into()),
        test,
    }
}

async fn found(store: &Store, search: &Search) -> String {
    let found = store.search(search).await.unwrap();
    let names: Vec<String> = found.items.into_iter().map(|it| it.key.name).collect();
    names.join(" ")
}

/// Three pods with their rows.
async fn fill(store: &Store) {
    let containers = |images: &[&str]| {
        images
            .iter()
            .map(|it| json!({"image": it, "ports": [80, {"n": 1}]}))
            .collect::<Vec<_>>()
    };
    let specs = [
        (
            "web-1",
            json!({"nodeName": "n1", "n": 10, "containers": containers(&["nginx:1", "envoy"])}),
        ),
        (
            "web-2",
            json!({"nodeName": "n2", "n": 9.5, "containers": containers(&["nginx:2"]), "null": null}),
        ),
        ("db_1", json!({"n": "text", "containers": []})),
    ];
    let pods = specs.clone().map(|(name, spec)| {
        put(
            name,
            pod_with(name, name, spec, json!({"app": &name[..2], "a.b/c": "x"})),
        )
    });
    store
        .write(whole(stream("c1"), pods.to_vec()))
        .await
        .unwrap();
    let mut batch = whole(
        rows("c1"),
        vec![
            put("web-1", row("web-1", "web-1", "CrashLoopBackOff", 12)),
            put("web-2", row("web-2", "web-2", "Running", 3)),
            put("db_1", row("db_1", "db_1", "Running", 0)),
        ],
    );
    batch.header = Some(header());
    store.write(batch).await.unwrap();
}

async fn terms_are_of_fields_and_of_cells(home: Home) {
    let store = home.store;
    fill(&store).await;
    let text = |it: &str| it.to_owned();
    let cases = [
        (field(".spec.nodeName", Test::Equals(text("n1"))), "web-1"),
        (
            field(".spec.nodeName", Test::Differs(text("n1"))),
            "db_1 web-2",
        ),
        (field(".spec.nodeName", Test::Equals(text(""))), "db_1"),
        (field(".spec.nodeName", Test::Exists), "web-1 web-2"),
        (field(".spec.nodeName", Test::Absent), "db_1"),
        (field(".spec.null", Test::Exists), "web-2"),
        (field(".spec.n", Test::Greater(text("9.6"))), "web-1"),
        (field(".spec.n", Test::Less(text("10"))), "web-2"),
        (field(".spec.n", Test::Greater(text("a"))), "db_1"),
        (field(".spec.n", Test::Equals(text("9.5"))), "web-2"),
        (
            field(".status.phase", Test::Equals(text("Running"))),
            "db_1 web-1 web-2",
        ),
        (
            field(".status.phase", Test::Contains(text("unn"))),
            "db_1 web-1 web-2",
        ),
        (
            field(".metadata.name", Test::Contains(text("EB-"))),
            "web-1 web-2",
        ),
        (
            field(".metadata.labels['a.b/c']", Test::Equals(text("x"))),
            "db_1 web-1 web-2",
        ),
        (
            field(".spec.containers[0].image", Test::Equals(text("nginx:1"))),
            "web-1",
        ),
        (field(".spec.containers[1].image", Test::Exists), "web-1"),
        (
            field(".spec.containers[*].image", Test::Equals(text("envoy"))),
            "web-1",
        ),
        (
            field(".spec.containers[*].image", Test::Contains(text("nginx"))),
            "web-1 web-2",
        ),
        (
            field(".spec.containers[*].image", Test::Differs(text("envoy"))),
            "db_1 web-2",
        ),
        (field(".spec.containers[*].image", Test::Absent), "db_1"),
        (
            field(".spec.containers[*].ports[*]", Test::Equals(text("80"))),
            "web-1 web-2",
        ),
        (
            field(".spec.containers[*].ports[*].n", Test::Equals(text("1"))),
            "web-1 web-2",
        ),
        (field(".spec.nodeName[*]", Test::Exists), ""),
        (field(".spec.containers", Test::Contains(text("%"))), ""),
        (cell("Status", Test::Equals(text("Running"))), "db_1 web-2"),
        (cell("Status", Test::Contains(text("loop"))), "web-1"),
        (cell("Restarts", Test::Greater(text("3"))), "web-1"),
        (cell("Restarts", Test::Less(text("12"))), "db_1 web-2"),
        (cell("no\"thing", Test::Exists), ""),
        (
            cell("no\"thing", Test::Differs(text("x"))),
            "db_1 web-1 web-2",
        ),
        (cell("'; --", Test::Equals(text("\0"))), ""),
    ];
    for (term, expected) in cases {
        for view in [View::Objects, View::Rows] {
            let search = Search {
                terms: vec![term.clone()],
                view,
                ..Search::default()
            };
            assert_eq!(found(&store, &search).await, expected, "{term:?} {view:?}");
        }
    }
    let both = vec![
        cell("Status", Test::Equals(text("Running"))),
        field(".spec.nodeName", Test::Exists),
    ];
    assert_eq!(
        found(
            &store,
            &Search {
                terms: both,
                ..Search::default()
            }
        )
        .await,
        "web-2"
    );
}

async fn the_other_conditions(home: Home) {
    let store = home.store;
    fill(&store).await;
    let owned = json!({"metadata": {"name": "x", "uid": "x", "creationTimestamp": "1970-01-01T00:00:30Z",
        "ownerReferences": [{"kind": "ReplicaSet", "name": "rs%", "uid": "u"}]},
        "status": {"conditions": [{"type": "Ready", "status": "False"}]}});
    store
        .write(step(stream("c2"), vec![put("x", owned.to_string().into())]))
        .await
        .unwrap();
    store
        .write(step(stream("c2"), vec![put("gone", pod("gone", "1", 1))]))
        .await
        .unwrap();
    store
        .write(step(stream("c2"), vec![gone("gone")]))
        .await
        .unwrap();
    let owner = |name: &str| Owner {
        kind: Some("ReplicaSet".into()),
        name: Some(name.into()),
        uid: None,
    };
    let all = Search::default;
    let cases = [
        (all(), "db_1 web-1 web-2 x"),
        (
            Search {
                clusters: of("c2"),
                ..all()
            },
            "x",
        ),
        (
            Search {
                clusters: Clusters::Some(vec![cluster("c1"), cluster("c2")]),
                ..all()
            },
            "db_1 web-1 web-2 x",
        ),
        (
            Search {
                clusters: Clusters::Some(vec![]),
                ..all()
            },
            "",
        ),
        (
            Search {
                fuzzy: Some("w2".into()),
                ..all()
            },
            "web-2",
        ),
        (
            Search {
                fuzzy: Some("WB".into()),
                ..all()
            },
            "web-1 web-2",
        ),
        (
            Search {
                fuzzy: Some("_".into()),
                ..all()
            },
            "db_1",
        ),
        (
            Search {
                fuzzy: Some("%".into()),
                ..all()
            },
            "",
        ),
        (
            Search {
                owner: owner("rs%"),
                ..all()
            },
            "x",
        ),
        (
            Search {
                owner: owner("%"),
                ..all()
            },
            "",
        ),
        (
            Search {
                ready: Some(false),
                ..all()
            },
            "x",
        ),
        (
            Search {
                ready: Some(true),
                ..all()
            },
            "",
        ),
        (
            Search {
                created_before: Some(at(30_001)),
                ..all()
            },
            "x",
        ),
        (
            Search {
                created_from: Some(at(30_001)),
                ..all()
            },
            "db_1 web-1 web-2",
        ),
        (
            Search {
                resources: vec![pods()],
                namespaces: vec!["ns".into()],
                ..all()
            },
            "db_1 web-1 web-2 x",
        ),
        (
            Search {
                namespaces: vec!["other".into()],
                ..all()
            },
            "",
        ),
        (
            Search {
                resources: vec![GroupResource {
                    group: "apps".into(),
                    plural: "pods".into(),
                }],
                ..all()
            },
            "",
        ),
        (
            Search {
                labels: "app=we".parse().unwrap(),
                ..all()
            },
            "web-1 web-2",
        ),
        (
            Search {
                deleted: true,
                ..all()
            },
            "gone",
        ),
    ];
    for (search, expected) in cases {
        assert_eq!(found(&store, &search).await, expected, "{search:?}");
    }
    let deleted = store
        .search(&Search {
            deleted: true,
            ..all()
        })
        .await
        .unwrap();
    assert!(deleted.items[0].deleted && deleted.items[0].value == pod("gone", "1", 1));
}

async fn pages_of_every_order_have_everything_once(home: Home) {
    let store = home.store;
    for name in ["c1", "c2"] {
        let pods = (0..7).map(|i| {
            let spec = match i % 4 {
                0 => json!({"n": i}),
                1 => json!({"n": -i}),
                2 => json!({"n": format!("Ä{i}")}),
                _ => json!({}),
            };
            put(
                &format!("p{i}"),
                pod_with(
                    "p",
                    &i.to_string(),
                    spec,
                    json!({"k": format!("{}", i % 2)}),
                ),
            )
        });
        store
            .write(whole(stream(name), pods.collect()))
            .await
            .unwrap();
    }
    let by_field = By::Subject(Subject::Field(".spec.n".parse().unwrap()));
    let orders = [
        By::Cluster,
        By::Resource,
        By::Namespace,
        By::Name,
        By::Created,
        By::Changed,
        By::Owner,
        By::Label("k".into()),
        By::Label("k\"".into()),
        by_field.clone(),
        By::Subject(Subject::Field(".status.phase".parse().unwrap())),
        By::Subject(Subject::Cell("Status".into())),
    ];
    let mut all: Vec<Option<Order>> = vec![None];
    for by in orders {
        all.extend([false, true].map(|descending| {
            Some(Order {
                by: by.clone(),
                descending,
            })
        }));
    }
    for order in all {
        let mut search = Search {
            order: order.clone(),
            limit: 4,
            ..Search::default()
        };
        let mut read = Vec::new();
        loop {
            let page = store.search(&search).await.unwrap();
            read.extend(names(&page.items));
            let Some(next) = page.next else { break };
            search.after = Some(next.to_string().parse().unwrap());
            // What happens in the meantime is of no matter.
            let n = read.len() as i64;
            store
                .write(step(stream("c1"), vec![put("p9", pod("p9", "9", n))]))
                .await
                .unwrap();
        }
        store
            .write(step(stream("c1"), vec![gone("p9")]))
            .await
            .unwrap();
        let whole = store
            .search(&Search {
                order: order.clone(),
                ..Search::default()
            })
            .await
            .unwrap();
        assert_eq!(read, names(&whole.items), "{order:?}");
        assert_eq!(read.len(), 14, "{order:?}");
    }
    let by = |descending| Search {
        order: Some(Order {
            by: by_field.clone(),
            descending,
        }),
        clusters: of("c1"),
        ..Search::default()
    };
    assert_eq!(found(&store, &by(false)).await, "p3 p2 p6 p5 p1 p0 p4");
    assert_eq!(found(&store, &by(true)).await, "p4 p0 p1 p5 p6 p2 p3");
    let first = store
        .search(&Search {
            limit: 1,
            ..by(false)
        })
        .await
        .unwrap();
    let error = store
        .search(&Search {
            after: first.next,
            ..Search::default()
        })
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error}");
}

async fn groups_are_counted(home: Home) {
    let store = home.store;
    fill(&store).await;
    store
        .write(step(stream("c2"), vec![put("a", pod("a", "1", 10))]))
        .await
        .unwrap();
    let group = |values: &[Option<&str>], count| Group {
        values: values.iter().map(|it| it.map(str::to_owned)).collect(),
        count,
    };
    let count = async |by: &[By]| store.count(&Search::default(), by).await.unwrap();
    assert_eq!(count(&[]).await, [group(&[], 4)]);
    assert_eq!(
        count(&[By::Cluster]).await,
        [group(&[Some("c1")], 3), group(&[Some("c2")], 1)]
    );
    assert_eq!(count(&[By::Resource]).await, [group(&[Some("pods")], 4)]);
    let node = By::Subject(Subject::Field(".spec.nodeName".parse().unwrap()));
    let groups = count(&[By::Cluster, node]).await;
    assert_eq!(groups.len(), 4);
    assert!(
        groups.contains(&group(&[Some("c1"), None], 1)),
        "{groups:?}"
    );
    let n = By::Subject(Subject::Field(".spec.n".parse().unwrap()));
    assert_eq!(count(&[n]).await[0], group(&[Some("10")], 2));
    let status = By::Subject(Subject::Cell("Status".into()));
    assert_eq!(count(&[status]).await[0], group(&[Some("Running")], 2));
    let none = Search {
        clusters: Clusters::Some(vec![]),
        ..Search::default()
    };
    assert_eq!(store.count(&none, &[]).await.unwrap(), [group(&[], 0)]);
    let five = vec![By::Cluster; 5];
    assert!(matches!(
        store.count(&none, &five).await,
        Err(Error::Invalid(_))
    ));
}

async fn a_search_of_the_past(home: Home) {
    let store = home.store;
    fill(&store).await;
    let before = *store.sequence().borrow();
    store
        .write(whole(
            stream("c1"),
            vec![put("web-1", pod("web-1", "new", 1))],
        ))
        .await
        .unwrap();
    store.write(whole(rows("c1"), vec![])).await.unwrap();
    let then = Search {
        at: Some(before),
        terms: vec![cell("Status", Test::Equals("Running".into()))],
        ..Search::default()
    };
    assert_eq!(found(&store, &then).await, "db_1 web-2");
    assert_eq!(store.count(&then, &[]).await.unwrap()[0].count, 2);
    assert_eq!(found(&store, &Search { at: None, ..then }).await, "");
}

/// What a database cannot count with is no number, for every search of everybody.
async fn odd_numbers_break_no_search(home: Home) {
    let store = home.store;
    let odd = [
        "1e999999",
        "-1e400",
        "123456789012345678901234567890123",
        "0.1e-99999",
    ];
    let changes = odd.iter().enumerate().map(|(i, number)| {
        put(
            &format!("odd{i}"),
            format!("{{\"spec\":{{\"n\":{number}}}}}").into(),
        )
    });
    store
        .write(step(stream("c1"), changes.collect()))
        .await
        .unwrap();
    store
        .write(step(
            stream("c1"),
            vec![put("even", pod("even", "1", 5)), put("none", "[]".into())],
        ))
        .await
        .unwrap();
    let n = Subject::Field(".spec.n".parse().unwrap());
    let search = Search {
        terms: vec![field(".spec.n", Test::Less("6".into()))],
        order: Some(Order {
            by: By::Subject(n.clone()),
            descending: false,
        }),
        limit: 1,
        ..Search::default()
    };
    let names = found(&store, &search).await;
    assert!(!names.is_empty());
    assert_eq!(
        store
            .count(&Search::default(), &[By::Subject(n)])
            .await
            .unwrap()
            .len(),
        6
    );
}

async fn bounds_may_be_reached(home: Home) {
    let store = home.store;
    fill(&store).await;
    for (test, expected) in [
        (Test::AtLeast("10".into()), "web-1"),
        (Test::AtMost("9.5".into()), "web-2"),
        (Test::AtLeast("text".into()), "db_1"),
        (Test::AtMost("9".into()), ""),
    ] {
        let search = Search {
            terms: vec![field(".spec.n", test.clone())],
            resources: vec![GroupResource::default(), pods()],
            namespaces: vec!["x".into(), "ns".into()],
            ..Search::default()
        };
        assert_eq!(found(&store, &search).await, expected, "{test:?}");
    }
}

async fn many_objects_are_read_at_once(home: Home) {
    let store = home.store;
    fill(&store).await;
    let before = *store.sequence().borrow();
    store
        .write(step(stream("c1"), vec![gone("web-1")]))
        .await
        .unwrap();
    let row = ObjectKey {
        view: View::Rows,
        ..key("c1", "web-1")
    };
    let keys = [
        key("c1", "web-1"),
        key("c1", "none'"),
        row,
        key("c2", "web-1"),
        key("c1", "db_1"),
        key("c1", "db_1"),
    ];
    let read = async |at| {
        let found = store.get_many(&keys, at).await.unwrap();
        let shown = found.iter().zip(&keys).map(|(found, key)| {
            assert!(found.as_ref().is_none_or(|it| it.key == *key));
            if found.is_some() { 'x' } else { '-' }
        });
        shown.collect::<String>()
    };
    assert_eq!(read(None).await, "--x-xx");
    assert_eq!(read(Some(before)).await, "x-x-xx");
    assert!(store.get_many(&[], None).await.unwrap().is_empty());
    assert!(matches!(
        store.get_many(&keys, Some(999)).await,
        Err(Error::Future { .. })
    ));
}

async fn a_search_is_followed(home: Home) {
    let store = home.store;
    fill(&store).await;
    let search = Search {
        terms: vec![field(".spec.n", Test::Greater("5".into()))],
        fuzzy: Some("web".into()),
        ..Search::default()
    };
    let begin = *store.sequence().borrow();
    let changes = [
        vec![put("web-3", pod("web-3", "3", 7))],
        vec![
            put("web-3", pod("web-3", "3", 8)),
            put("db_1", pod("db_1", "db_1", 9)),
        ],
        vec![put("web-3", pod("web-3", "3", 1))],
        vec![put("web-3", pod("web-3", "3", 2)), gone("web-2")],
        vec![put("web-1", pod("web-1", "another", 9))],
    ];
    for batch in changes {
        store.write(step(stream("c1"), batch)).await.unwrap();
    }
    let all = store.search_changes(&search, begin, 100).await.unwrap();
    let told: Vec<_> = all
        .items
        .iter()
        .map(|it| (it.kind, it.object.key.name.as_str()))
        .collect();
    use ChangeKind::{Added, Deleted, Modified};
    assert_eq!(
        told,
        [
            (Added, "web-3"),
            (Modified, "web-3"),
            (Deleted, "web-3"),
            (Deleted, "web-2"),
            (Deleted, "web-1"),
            (Added, "web-1"),
        ]
    );
    assert_eq!(all.up_to, *store.sequence().borrow());
    // In pieces it is the same, and nothing is told twice.
    let (mut after, mut pieces) = (begin, Vec::new());
    while after < all.up_to {
        let piece = store.search_changes(&search, after, 1).await.unwrap();
        after = piece.up_to;
        pieces.extend(piece.items);
    }
    assert_eq!(pieces, all.items);
    let future = store.search_changes(&search, 999, 1).await;
    assert!(matches!(future, Err(Error::Future { .. })));
}
