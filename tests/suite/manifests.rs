//! `samples/kubernetes` and the `Dockerfile`, against real API servers and the programs' own command lines.

mod deploy;
mod sample;

use crate::programs::plugin;
use bed::{Bed, Broker, BrokerSetup, Tls};
use clap::{ArgMatches, Args};
use mqtt_informer::agent::AgentArgs;
use mqtt_informer::hub::HubArgs;
use mqtt_informer::syncer::SyncerArgs;
use sample::{NAMESPACE, PASSWORD, Sample, texts};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const DOCKERFILE: &str = include_str!("../../Dockerfile");
const SYNCER: Sample = Sample {
    text: include_str!("../../samples/kubernetes/syncer.yaml"),
    role: "syncer",
    user: "cluster1",
};
const AGENT: Sample = Sample {
    text: include_str!("../../samples/kubernetes/agent.yaml"),
    role: "agent",
    user: "cluster1",
};
const HUB: Sample = Sample {
    text: include_str!("../../samples/kubernetes/hub.yaml"),
    role: "hub",
    user: "hub",
};
const ALL: [Sample; 3] = [SYNCER, AGENT, HUB];

/// A broker as the samples' comments describe one.
fn broker(users: &[&str]) -> Broker {
    let plain = BrokerSetup::plain().tls(Tls::Server);
    let setup = users
        .iter()
        .fold(plain, |setup, user| setup.user(user, PASSWORD));
    Bed::shared().unwrap().broker(&setup).unwrap()
}

fn parsed(sample: Sample, arguments: &[String]) -> ArgMatches {
    let command = clap::Command::new(sample.role);
    let command = match sample.role {
        "syncer" => SyncerArgs::augment_args(command),
        "agent" => AgentArgs::augment_args(command),
        _ => HubArgs::augment_args(command),
    };
    command.try_get_matches_from(arguments).unwrap()
}

#[test]
fn the_programs_take_the_samples_arguments() {
    for sample in ALL {
        let environment = sample.environment();
        let matches = parsed(sample, &sample.arguments());
        let value = |id: &str| matches.get_one::<String>(id).unwrap().as_str();
        assert_eq!(value("broker"), environment["BROKER"]);
        assert_eq!(
            value("client_id"),
            environment["POD_NAME"],
            "each replica its own"
        );
        if sample.role != "hub" {
            assert_eq!(value("cluster"), environment["CLUSTER"]);
        }

        // The probes ask where it listens.
        let listen = matches.get_one::<std::net::SocketAddr>("listen").unwrap();
        assert!(listen.ip().is_unspecified());
        let container = sample.container();
        assert_eq!(
            container["ports"],
            json!([{"name": "http", "containerPort": listen.port()}])
        );
        assert_eq!(
            container["livenessProbe"]["httpGet"],
            json!({"path": "/healthz", "port": "http"})
        );
        assert_eq!(
            container["readinessProbe"]["httpGet"],
            json!({"path": "/readyz", "port": "http"})
        );
    }
}

#[test]
fn commented_arguments_are_arguments_too() {
    for sample in ALL {
        parsed(sample, &sample.all_arguments());
    }
}

#[test]
fn the_samples_and_the_image_fit() {
    for sample in ALL {
        let container = sample.container();
        let image = container["image"].as_str().unwrap().to_owned();
        let version = env!("CARGO_PKG_VERSION");
        assert!(image.ends_with(&format!(":{version}")), "{image}");
        assert!(DOCKERFILE.contains(&format!("ARG VERSION={version}\n")));
        let user = &sample.pod_spec()["securityContext"]["runAsUser"];
        assert!(
            DOCKERFILE.contains(&format!("\nUSER {user}:{user}\n")),
            "{user}"
        );
        assert!(DOCKERFILE.contains("\nENTRYPOINT [\"/mqtt-informer\"]\n"));
        assert!(container["command"].is_null(), "the image says what runs");
    }
}

/// The rules of all roles of a sample.
fn rules(sample: Sample) -> Vec<Value> {
    let all = sample.documents().into_iter();
    let roles = all.filter(|it| it["kind"] == "ClusterRole" || it["kind"] == "Role");
    roles
        .flat_map(|it| it["rules"].as_array().unwrap().clone())
        .collect()
}

#[test]
fn no_rule_has_a_wildcard_or_is_about_secrets() {
    for rule in ALL.into_iter().flat_map(rules) {
        for field in ["apiGroups", "resources", "verbs"] {
            assert!(!texts(&rule[field]).contains(&"*".to_owned()), "{rule}");
        }
        let resources = texts(&rule["resources"]);
        assert!(!resources.contains(&"secrets".to_owned()), "{rule}");
    }
}

#[test]
fn what_people_can_see_through_an_agent_is_what_they_see_through_a_syncer() {
    let reads = |sample: Sample| sample.document("ClusterRole")["rules"].clone();
    assert_eq!(reads(AGENT), reads(SYNCER));
    for rule in reads(SYNCER).as_array().unwrap() {
        let verbs = texts(&rule["verbs"]);
        let reads = |verb: &String| ["get", "list", "watch"].contains(&verb.as_str());
        assert!(verbs.iter().all(reads), "{rule}");
    }
}

#[test]
fn real_api_servers_take_them_with_pod_security_restricted() {
    let bed = Bed::shared().unwrap();
    let cluster = bed.private_cluster("restricted").unwrap();
    for sample in ALL {
        sample.apply(&cluster);
        // A Deployment is only warned of; its pods are what is refused. No controller makes them here.
        sample.admitted(&cluster, |_| {}).unwrap();
        let worse = [
            (
                "seccompProfile",
                "/securityContext/seccompProfile",
                Value::Null,
            ),
            (
                "runAsNonRoot",
                "/securityContext/runAsNonRoot",
                json!(false),
            ),
            (
                "capabilities",
                "/containers/0/securityContext/capabilities",
                Value::Null,
            ),
        ];
        for (word, field, value) in worse {
            let change = |spec: &mut Value| *spec.pointer_mut(field).unwrap() = value;
            let refused = sample.admitted(&cluster, change).unwrap_err();
            assert!(
                refused.contains("violates PodSecurity \"restricted") && refused.contains(word),
                "{refused}"
            );
        }
    }

    // What people can list in a cluster is what the role lists, but for Secrets.
    let listable = cluster
        .kubectl_ok(&["api-resources", "--verbs=list", "-o", "name"])
        .unwrap();
    let listable: BTreeSet<_> = listable.lines().map(str::to_owned).collect();
    let role = SYNCER.document("ClusterRole");
    let named = role["rules"].as_array().unwrap().iter().flat_map(|rule| {
        let group = texts(&rule["apiGroups"]).remove(0);
        let name = move |resource: String| {
            if group.is_empty() {
                resource
            } else {
                format!("{resource}.{group}")
            }
        };
        texts(&rule["resources"]).into_iter().map(name)
    });
    let named: BTreeSet<_> = named.collect();
    let missing: Vec<_> = listable.difference(&named).collect();
    assert_eq!(missing, ["secrets"]);
    let unknown: Vec<_> = named.difference(&listable).collect();
    assert_eq!(unknown, ["nodes.metrics.k8s.io", "pods.metrics.k8s.io"]);
}

#[test]
fn the_container_serves_pods_with_its_service_account_and_no_secrets() {
    let bed = Bed::shared().unwrap();
    let cluster = bed.private_cluster("inside").unwrap();
    SYNCER.apply(&cluster);
    cluster.create_pods("default", "seen", 3).unwrap();
    let broker = broker(&[SYNCER.user]);
    let dir = tempfile::tempdir_in(bed.dir()).unwrap();
    let syncer = SYNCER.run(&cluster, &broker, dir.path());

    let login = broker.url().replace(
        "://",
        &format!("://{}:{}@", SYNCER.user, PASSWORD.replace(' ', "%20")),
    );
    let ca = broker.ca().display().to_string();
    let get = |what: &str| {
        plugin(
            &login,
            &["get", what, "-A", "--cluster", "cluster1", "--ca-crt", &ca],
        )
    };
    let pods = get("pods");
    assert_eq!(
        (pods.code(), pods.out.matches("seen-0000").count()),
        (0, 3),
        "{pods:?}"
    );
    let secrets = get("secrets");
    assert_eq!(secrets.code(), 1, "{secrets:?}");
    let account = format!("system:serviceaccount:{NAMESPACE}:{}", SYNCER.name());
    let words = format!(
        "Error from server (Forbidden): secrets is forbidden: User \"{account}\" cannot list"
    );
    assert!(secrets.err.starts_with(&words), "{secrets:?}");
    assert!(
        !syncer.err().contains("which cluster this is stays unknown"),
        "it may read the uid of kube-system: {}",
        syncer.err()
    );
}
