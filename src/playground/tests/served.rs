//! What is served: resources that come and go, selections, Secrets.

use super::*;

#[tokio::test]
async fn a_resource_is_found_when_it_is_installed_and_refused_when_it_is_gone() {
    let (playground, kubernetes) = started(Spec::empty()).await;
    let carts = all("carts", View::Rows);
    let unknown = Refusal {
        code: 404,
        reason: "NotFound".into(),
        message: "the server doesn't have a resource type \"carts\"".into(),
    };
    assert_eq!(
        kubernetes.resolve(&carts).await,
        Err(UpstreamError::Refused(unknown))
    );
    playground.install(Kind::custom("carts", "Cart", "shop.example.com"));
    playground.put("carts.shop.example.com", config_map("a", "1"));
    let mut copy = Copy::open(&kubernetes, &carts, 8).await;
    copy.until_keys(&["shop/a"]).await;
    copy.until(|event| matches!(event, Event::Watching)).await;
    playground.uninstall("carts.shop.example.com");
    let refused = copy.until(|event| matches!(event, Event::Refused(_))).await;
    assert!(matches!(refused, Event::Refused(Refusal { code: 404, .. })));
    assert_eq!(copy.entries.len(), 1, "its objects were deleted before");
    playground.install(Kind::custom("carts", "Cart", "shop.example.com"));
    playground.put("carts.shop.example.com", config_map("b", "1"));
    copy.until_keys(&["shop/b"]).await;
}

#[tokio::test]
async fn columns_that_change_are_listed_anew() {
    let (playground, kubernetes) = started(Spec::empty()).await;
    let plain = Kind::custom("carts", "Cart", "shop.example.com");
    playground.install(plain.clone());
    playground.put("carts.shop.example.com", config_map("a", "1"));
    let mut copy = Copy::open(&kubernetes, &all("carts", View::Rows), 8).await;
    copy.until_keys(&["shop/a"]).await;
    let value = CustomColumn {
        name: "Value".into(),
        kind: "string".into(),
        path: "/data/value".into(),
    };
    playground.install(Kind {
        columns: vec![value],
        ..plain
    });
    playground.faults().close_watches();
    playground.put("carts.shop.example.com", config_map("a", "2"));
    copy.until(listed).await;
    let header = Header::decode(copy.entries[&b""[..]].clone()).unwrap();
    assert_eq!(
        header.columns.iter().map(|c| &*c.name).collect::<Vec<_>>(),
        ["Name", "Value"]
    );
}

#[tokio::test]
async fn what_cannot_be_watched_is_listed_again_and_again() {
    let (playground, kubernetes) = started(Spec::empty()).await;
    let loads = Kind {
        watchable: false,
        tables: false,
        ..Kind::custom("loads", "Load", "metrics.example.com")
    };
    playground.install(loads);
    playground.put("loads.metrics.example.com", config_map("a", "1"));
    let mut copy = Copy::open(&kubernetes, &all("loads", View::Rows), 8).await;
    copy.until_keys(&["shop/a"]).await;
    assert_eq!(
        Row::decode(copy.entries[&b"shop/a"[..]].clone())
            .unwrap()
            .cells
            .len(),
        2,
        "NAME and AGE"
    );
    playground.put("loads.metrics.example.com", config_map("b", "1"));
    copy.until_keys(&["shop/a", "shop/b"]).await;
    assert_eq!(playground.requests().watches, 0);
}

#[tokio::test]
async fn a_namespace_that_is_deleted_takes_its_keys_along() {
    let (playground, kubernetes) = started(Spec::empty()).await;
    playground.put("namespaces", json!({"metadata": {"name": "shop"}}));
    playground.put("configmaps", config_map("a", "1"));
    let selection = Selection {
        namespace: "shop".into(),
        ..all("configmaps", View::Rows)
    };
    let mut copy = Copy::open(&kubernetes, &selection, 8).await;
    copy.until_keys(&["shop/a"]).await;
    playground.delete("namespaces", "", "shop");
    copy.until_keys(&[]).await;
}

#[tokio::test]
async fn an_object_made_again_at_once_is_another() {
    let (playground, kubernetes) = started(Spec::empty()).await;
    playground.put("configmaps", config_map("a", "1"));
    let mut copy = Copy::open(&kubernetes, &all("configmaps", View::Objects), 8).await;
    copy.until_keys(&["shop/a"]).await;
    let before = copy.object("shop/a")["metadata"]["uid"].clone();
    playground.delete("configmaps", "shop", "a");
    playground.put("configmaps", config_map("a", "1"));
    copy.until(|event| matches!(event, Event::Delete(..))).await;
    copy.until_keys(&["shop/a"]).await;
    assert_ne!(copy.object("shop/a")["metadata"]["uid"], before);
}

#[tokio::test]
async fn a_large_object_passes() {
    let (playground, kubernetes) = started(Spec::empty()).await;
    let mut copy = Copy::open(&kubernetes, &all("configmaps", View::Objects), 8).await;
    copy.until(|event| matches!(event, Event::Watching)).await;
    let value = "é\"".repeat(500_000);
    playground.put("configmaps", config_map("large", &value));
    copy.until_keys(&["shop/large"]).await;
    assert_eq!(copy.object("shop/large")["data"]["value"], value);
}

#[tokio::test]
async fn selectors_select_and_are_judged_by_the_server() {
    let (playground, kubernetes) = started(Spec::empty()).await;
    let labelled = |name: &str, app: &str| json!({"metadata": {"name": name, "namespace": "shop", "labels": {"app": app}}});
    playground.put("pods", labelled("a", "web"));
    playground.put("pods", labelled("b", "api"));
    let selection = Selection {
        labels: " app==web ".into(),
        ..all("pods", View::Rows)
    };
    assert_eq!(
        kubernetes.resolve(&selection).await.unwrap().labels,
        "app=web"
    );
    let mut copy = Copy::open(&kubernetes, &selection, 8).await;
    copy.until_keys(&["shop/a"]).await;
    // What leaves the selection is deleted, what enters it is added.
    playground.put("pods", labelled("b", "web"));
    playground.put("pods", labelled("a", "api"));
    copy.until_keys(&["shop/b"]).await;
    let wrong = Selection {
        labels: "a==b==".into(),
        ..selection
    };
    let Err(UpstreamError::Refused(refusal)) = kubernetes.resolve(&wrong).await else {
        panic!("not refused")
    };
    assert_eq!(
        refusal.message,
        "Unable to find \"/v1, Resource=pods\" that match label selector \"a==b==\", field selector \"\": \
         found '==', expected: ',' or 'end of string'"
    );
    let mut copy = Copy::open(
        &kubernetes,
        &Selection {
            fields: "foo=1".into(),
            ..all("pods", View::Rows)
        },
        8,
    )
    .await;
    let told = copy.until(|event| !matches!(event, Event::Listing)).await;
    let Event::Refused(Refusal {
        code: 400, message, ..
    }) = told
    else {
        panic!("{told:?}");
    };
    assert!(message.ends_with("field label not supported: foo"));
}

#[tokio::test]
async fn equal_collections_are_equal_selections() {
    let (_playground, kubernetes) = started(Spec::empty()).await;
    let resolve = async |selection: Selection| kubernetes.resolve(&selection).await.unwrap();
    let nodes = resolve(Selection {
        namespace: "shop".into(),
        managed_fields: true,
        ..all("no", View::Rows)
    })
    .await;
    assert_eq!(nodes, resolve(all("nodes", View::Rows)).await);
    let maps = resolve(Selection {
        secret_values: true,
        ..all("cm", View::Objects)
    })
    .await;
    assert_eq!(maps, resolve(all("configmaps.v1.", View::Objects)).await);
    let secrets = resolve(Selection {
        secret_values: true,
        ..all("secrets", View::Objects)
    })
    .await;
    assert_ne!(secrets, resolve(all("secrets", View::Objects)).await);
}

#[tokio::test]
async fn servers_without_aggregated_discovery_are_understood() {
    let (_new, aggregated) = started(Spec::empty()).await;
    let (_old, legacy) = started(Spec {
        legacy_discovery: true,
        ..Spec::empty()
    })
    .await;
    let mut catalogs = Vec::new();
    for kubernetes in [aggregated, legacy] {
        let mut copy = Copy::open(&kubernetes, &all("", View::Resources), 8).await;
        copy.until(listed).await;
        catalogs.push(copy.entries);
    }
    assert!(catalogs[0].contains_key(&b"ingresses.v1.networking.k8s.io"[..]));
    assert_eq!(catalogs[0], catalogs[1]);
}

#[tokio::test]
async fn the_resources_view_follows_what_is_installed() {
    let (playground, kubernetes) = started(Spec::empty()).await;
    let mut copy = Copy::open(&kubernetes, &all("", View::Resources), 8).await;
    copy.until(listed).await;
    playground.install(Kind::custom("carts", "Cart", "shop.example.com"));
    copy.until(listed).await;
    assert!(copy.entries.contains_key(&b"carts.v1.shop.example.com"[..]));
}

#[tokio::test]
async fn no_secret_leaves() {
    let (playground, kubernetes) = started(Spec::empty()).await;
    let canary = "Y2FuYXJ5";
    let secret = |name: &str, labels: Value| {
        let applied = format!("{{\"data\":{{\"p\":\"{canary}\"}}}}");
        json!({
            "metadata": {"name": name, "namespace": "shop", "labels": labels,
                "annotations": {"kubectl.kubernetes.io/last-applied-configuration": applied}},
            "type": "Opaque", "data": {"p": canary}, "stringData": {"q": canary},
        })
    };
    playground.put("secrets", secret("a", json!({})));
    playground.put("secrets", secret("b", json!({"mqtt-resource": "true"})));
    let holds = |copy: &Copy, key: &str| {
        copy.entries[key.as_bytes()]
            .windows(canary.len())
            .any(|w| w == canary.as_bytes())
    };
    for (view, secret_values, leaves) in [
        (View::Rows, true, false),
        (View::Objects, false, false),
        (View::Objects, true, true),
    ] {
        let mut copy = Copy::open(
            &kubernetes,
            &Selection {
                secret_values,
                ..all("secrets", view)
            },
            8,
        )
        .await;
        copy.until_keys(&["shop/a", "shop/b"]).await;
        assert!(!holds(&copy, "shop/a"), "{view:?}");
        assert_eq!(holds(&copy, "shop/b"), leaves, "{view:?}");
        // A watch is no way around, and a label that is taken off closes the gate.
        playground.put("secrets", secret("c", json!({"mqtt-resource": "true"})));
        copy.until_keys(&["shop/a", "shop/b", "shop/c"]).await;
        assert_eq!(holds(&copy, "shop/c"), leaves, "{view:?}");
        playground.put("secrets", secret("c", json!({})));
        copy.until(|event| matches!(event, Event::Put(..))).await;
        assert!(!holds(&copy, "shop/c"), "{view:?}");
        playground.delete("secrets", "shop", "c");
    }
}

#[tokio::test]
async fn which_cluster_it_is() {
    let (_playground, kubernetes) = started(Spec::empty()).await;
    let identity = kubernetes.identify().await.unwrap();
    assert_eq!(identity.kubernetes_version, "v1.36.3");
    assert_eq!(identity.cluster_uid.len(), 36);
    // The same machine's clock, told to the second.
    assert!((i128::from(kubernetes.now_ms()) - i128::from(now())).abs() < 2_000);
}
