use super::*;

/// What becomes of an object.
fn edited(group: &str, plural: &str, object: Value) -> Value {
    let Value::Object(mut object) = object else {
        panic!("no object")
    };
    (treatment(group, plural).unwrap().edit)(&mut object);
    Value::Object(object)
}

fn notes(copy: &Value) -> Value {
    copy["metadata"]["annotations"].clone()
}

#[test]
fn a_deployment_is_paused_and_selects_nothing() {
    let copy = edited(
        "apps",
        "deployments",
        json!({"spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {}}}}),
    );
    assert_eq!(
        copy["spec"],
        json!({"replicas": 3, "paused": true, "selector": {"matchLabels": {"app": "web", INERT: "true"}},
            "template": {"metadata": {"labels": {"app": "web", INERT: "true"}}, "spec": {}}})
    );
}

#[test]
fn what_makes_pods_makes_none_and_says_how_many_it_had() {
    for (group, plural, selector, inert) in [
        (
            "apps",
            "replicasets",
            json!({"matchLabels": {"a": "b"}}),
            "/matchLabels",
        ),
        (
            "apps",
            "statefulsets",
            json!({"matchLabels": {"a": "b"}}),
            "/matchLabels",
        ),
        ("", "replicationcontrollers", json!({"a": "b"}), ""),
    ] {
        let copy = edited(
            group,
            plural,
            json!({"spec": {"replicas": 3, "selector": selector}}),
        );
        assert_eq!(copy["spec"]["replicas"], 0);
        assert_eq!(
            notes(&copy),
            json!({"mqinformer.io/original-replicas": "3"})
        );
        let labels = copy["spec"]["selector"].pointer(inert).unwrap();
        assert_eq!(*labels, json!({"a": "b", INERT: "true"}), "{plural}");
        assert_eq!(
            copy["spec"]["template"]["metadata"]["labels"][INERT],
            "true"
        );
    }
    let daemons = edited(
        "apps",
        "daemonsets",
        json!({"spec": {"template": {"spec": {}}}}),
    );
    assert_eq!(
        daemons["spec"]["template"]["spec"]["nodeSelector"][INERT],
        "true"
    );
    for plural in ["jobs", "cronjobs"] {
        let copy = edited("batch", plural, json!({"spec": {"suspend": false}}));
        assert_eq!(copy["spec"]["suspend"], true);
        assert_eq!(notes(&copy)["mqinformer.io/original-suspend"], "false");
    }
}

#[test]
fn a_job_leaves_to_the_hub_what_is_made_of_its_uid() {
    let labels = json!({"app": "x", "controller-uid": "u", "batch.kubernetes.io/controller-uid": "u",
        "job-name": "j", "batch.kubernetes.io/job-name": "j"});
    let copy = edited(
        "batch",
        "jobs",
        json!({"spec": {"selector": {"matchLabels": {"controller-uid": "u"}}, "ttlSecondsAfterFinished": 9,
            "template": {"metadata": {"labels": labels}}}}),
    );
    assert_eq!(
        copy["spec"],
        json!({"suspend": true, "template": {"metadata": {"labels": {"app": "x"}}}})
    );
}

#[test]
fn a_pod_waits_for_ever_and_nothing_is_made_for_it() {
    let copy = edited(
        "",
        "pods",
        json!({
            "metadata": {"annotations": {"kubernetes.io/config.mirror": "x", "a": "b"}},
            "spec": {"nodeName": "n1", "serviceAccountName": "s", "serviceAccount": "s", "priority": 5,
                "priorityClassName": "high", "runtimeClassName": "r", "overhead": {}, "resourceClaims": [{}],
                "ephemeralContainers": [{}], "schedulerName": "default-scheduler",
                "volumes": [{"name": "v", "ephemeral": {"volumeClaimTemplate": {}}}, {"name": "c", "configMap": {}}],
                "containers": [{"name": "c", "resources": {"claims": [{"name": "x"}], "limits": {"cpu": "1"}}}]},
            "status": {"phase": "Running", "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}],
                "hostIP": "1.2.3.4", "hostIPs": [{"ip": "1.2.3.4"}]},
        }),
    );
    assert_eq!(
        copy["spec"],
        json!({"schedulingGates": [{"name": NOBODY}], "schedulerName": NOBODY, "automountServiceAccountToken": false,
            "volumes": [{"name": "v", "emptyDir": {}}, {"name": "c", "configMap": {}}],
            "containers": [{"name": "c", "resources": {"limits": {"cpu": "1"}}}]})
    );
    assert_eq!(copy["status"], json!({"phase": "Running"}));
    let notes = notes(&copy);
    assert_eq!(notes["mqinformer.io/original-nodeName"], "n1");
    assert_eq!(notes["mqinformer.io/original-podIP"], "10.0.0.1");
    assert_eq!(
        (
            notes["a"].as_str(),
            notes["kubernetes.io/config.mirror"].as_str()
        ),
        (Some("b"), None)
    );
}

#[test]
fn a_service_takes_nothing_from_the_hubs_network() {
    let copy = edited(
        "",
        "services",
        json!({
            "metadata": {"annotations": {"external-dns.alpha.kubernetes.io/hostname": "x", "mqinformer.io/name": "web"}},
            "spec": {"type": "LoadBalancer", "clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1"],
                "selector": {"app": "web"}, "ipFamilies": ["IPv4"], "externalTrafficPolicy": "Local",
                "loadBalancerIP": "1.1.1.1", "externalIPs": ["2.2.2.2"], "sessionAffinity": "None",
                "ports": [{"port": 80, "nodePort": 30080}]},
        }),
    );
    assert_eq!(
        copy["spec"],
        json!({"type": "ClusterIP", "clusterIP": "None", "ports": [{"port": 80}]})
    );
    let notes = notes(&copy);
    assert_eq!(notes["mqinformer.io/original-type"], "LoadBalancer");
    assert_eq!(notes["mqinformer.io/original-clusterIP"], "10.0.0.1");
    assert_eq!(notes["mqinformer.io/name"], "web");
    assert!(notes["external-dns.alpha.kubernetes.io/hostname"].is_null());
    assert!(
        notes[ANNOTATIONS]
            .as_str()
            .unwrap()
            .contains("external-dns")
    );
}

#[test]
fn a_token_is_no_token_of_the_hub() {
    let copy = edited(
        "",
        "secrets",
        json!({"type": "kubernetes.io/service-account-token",
            "metadata": {"annotations": {"kubernetes.io/service-account.name": "x"}}}),
    );
    assert_eq!(copy["type"], "Opaque");
    assert_eq!(
        notes(&copy),
        json!({"mqinformer.io/original-type": "kubernetes.io/service-account-token"})
    );
}

#[test]
fn roles_are_neither_gathered_nor_added_to_others() {
    let copy = edited(
        "rbac.authorization.k8s.io",
        "clusterroles",
        json!({"aggregationRule": {"clusterRoleSelectors": []}, "rules": [],
            "metadata": {"labels": {"rbac.authorization.k8s.io/aggregate-to-admin": "true", "a": "b"}}}),
    );
    assert_eq!(copy["metadata"]["labels"], json!({"a": "b"}));
    assert!(copy["aggregationRule"].is_null());
}

#[test]
fn what_would_act_on_the_hub_is_refused_and_so_is_the_unknown() {
    for (group, plural) in [
        ("", "nodes"),
        ("", "namespaces"),
        ("", "persistentvolumes"),
        ("", "persistentvolumeclaims"),
        ("", "endpoints"),
        ("", "events"),
        ("", "resourcequotas"),
        ("rbac.authorization.k8s.io", "clusterrolebindings"),
        ("rbac.authorization.k8s.io", "rolebindings"),
        ("autoscaling", "horizontalpodautoscalers"),
        ("apiextensions.k8s.io", "customresourcedefinitions"),
        (
            "admissionregistration.k8s.io",
            "validatingwebhookconfigurations",
        ),
        ("certificates.k8s.io", "certificatesigningrequests"),
        ("cert-manager.io", "certificates"),
        ("evil.example.com", "secrets"),
    ] {
        assert!(treatment(group, plural).is_err(), "{plural}.{group}");
    }
}

#[test]
fn hostile_shapes_are_edited_without_a_panic() {
    let kinds = [
        ("", "pods"),
        ("", "services"),
        ("", "secrets"),
        ("", "serviceaccounts"),
        ("apps", "deployments"),
        ("apps", "daemonsets"),
        ("apps", "statefulsets"),
        ("", "replicationcontrollers"),
        ("batch", "jobs"),
        ("batch", "cronjobs"),
        ("networking.k8s.io", "ingresses"),
        ("rbac.authorization.k8s.io", "clusterroles"),
        ("storage.k8s.io", "storageclasses"),
        ("scheduling.k8s.io", "priorityclasses"),
    ];
    for (group, plural) in kinds {
        for inner in [
            json!(null),
            json!(1),
            json!([]),
            json!("x"),
            json!({}),
            json!([[1]]),
        ] {
            for field in ["spec", "metadata", "status", "type", "data"] {
                edited(group, plural, json!({field: inner}));
                edited(
                    group,
                    plural,
                    json!({"spec": {"template": inner, "selector": inner, "ports": inner, "volumes": inner, "containers": inner}}),
                );
            }
        }
    }
}
