//! The bed, on itself: real parts come up, die, come back with their data, and leave nothing behind.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use bed::{Bed, BrokerSetup, Cluster, Process, Tls, User, wait_for};

/// Set in the process that is killed by `nothing_outlives_a_killed_owner`.
const VICTIM: &str = "BED_TEST_VICTIM";

#[test]
fn a_bare_cluster_survives_the_death_of_its_parts_with_its_data() {
    let bed = Bed::shared().unwrap();
    let cluster = bed.private_cluster("victim").unwrap();
    assert!(
        cluster
            .kubectl_ok(&["get", "ns"])
            .unwrap()
            .contains("default")
    );
    let namespace = cluster.namespace("kept").unwrap();

    let port = cluster.server().to_owned();
    cluster.etcd().kill_9().unwrap();
    assert!(cluster.etcd().pid().is_none());
    cluster.etcd().restart().unwrap();
    wait_for("answer after etcd came back", || {
        Ok(cluster
            .kubectl(&["get", "ns"])?
            .status
            .success()
            .then_some(()))
    })
    .unwrap();

    cluster.apiserver().kill_9().unwrap();
    let refused = cluster.kubectl(&["get", "ns"]).unwrap();
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("refused"),
        "{refused:?}"
    );
    cluster.apiserver().restart().unwrap();
    assert_eq!(cluster.server(), port);
    assert!(
        cluster
            .kubectl_ok(&["get", "ns"])
            .unwrap()
            .contains(&namespace)
    );
}

#[test]
fn a_frozen_api_server_is_silent_until_it_goes_on() {
    let cluster = Bed::shared().unwrap().private_cluster("frozen").unwrap();
    cluster.apiserver().stop().unwrap();
    let silent = cluster
        .kubectl(&["get", "ns", "--request-timeout=1s"])
        .unwrap();
    assert!(!silent.status.success());
    cluster.apiserver().cont().unwrap();
    cluster.kubectl_ok(&["get", "ns"]).unwrap();
}

#[test]
fn users_may_do_what_their_names_say() {
    let cluster = Bed::shared().unwrap().cluster("cluster1").unwrap();
    let may = |user, verb, resource| {
        let mut command = cluster.kubectl_command_as(user);
        command
            .args(["auth", "can-i", verb, resource, "-A"])
            .output()
            .unwrap()
            .status
            .success()
    };
    for (user, verb, resource, expected) in [
        (User::Admin, "get", "secrets", true),
        (User::ViewerWithoutSecrets, "list", "pods", true),
        (
            User::ViewerWithoutSecrets,
            "watch",
            "deployments.apps",
            true,
        ),
        (User::ViewerWithoutSecrets, "get", "secrets", false),
        (User::ViewerWithoutSecrets, "create", "pods", false),
        (User::Nobody, "list", "pods", false),
    ] {
        assert_eq!(
            may(user, verb, resource),
            expected,
            "{user:?} {verb} {resource}"
        );
    }
}

#[test]
fn a_seeded_cluster_has_life_in_it_and_some_without() {
    let cluster = Bed::shared().unwrap().cluster("cluster1").unwrap();
    cluster.controllers().unwrap();
    cluster.seed().unwrap();

    let pods = cluster
        .kubectl_ok(&["get", "pods", "-A", "--no-headers"])
        .unwrap();
    for (name, status) in [
        ("web-", "Running"),
        ("db-1", "Running"),
        ("complete-", "Completed"),
        ("stuck-", "Pending"),
        ("crashing ", "CrashLoopBackOff"),
        ("init-error ", "Init:ExitCode:2"),
        ("init-crashing ", "Init:CrashLoopBackOff"),
        ("evicted ", "Evicted"),
        ("signalled ", "Signal:9"),
        ("gated ", "SchedulingGated"),
        ("terminating ", "Terminating"),
        ("lost ", "Unknown"),
    ] {
        let found = pods
            .lines()
            .find(|line| line.contains(&format!(" {name}")))
            .unwrap_or_default();
        assert!(
            found.contains(status),
            "{name} is not {status}: {found}\n{pods}"
        );
    }
    let jobs = cluster
        .kubectl_ok(&["get", "jobs", "-A", "--no-headers"])
        .unwrap();
    for status in ["Complete", "Running", "Failed", "Suspended"] {
        assert!(jobs.contains(status), "no job is {status}:\n{jobs}");
    }
    let kinds = kinds(&cluster).unwrap();
    assert!(kinds.len() >= 35, "only {} kinds: {kinds:?}", kinds.len());
    // Again is harmless.
    cluster.seed().unwrap();
}

#[test]
fn watches_are_counted_by_the_api_server_itself() {
    let cluster = Bed::shared().unwrap().private_cluster("watched").unwrap();
    let before = cluster.watches("configmaps").unwrap();
    let mut watch = cluster
        .kubectl_command()
        .args(["get", "configmaps", "-w"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let count = |wanted: f64| {
        let expected = before + wanted;
        wait_for("change of the number of watches", || {
            Ok((cluster.watches("configmaps")? == expected).then_some(()))
        })
    };
    count(1.0).unwrap();
    watch.kill().unwrap();
    watch.wait().unwrap();
    count(0.0).unwrap();
}

#[test]
fn pods_are_created_by_the_hundred() {
    let cluster = Bed::shared().unwrap().cluster("cluster2").unwrap();
    let namespace = cluster.namespace("many").unwrap();
    cluster.create_pods(&namespace, "load", 300).unwrap();
    let names = cluster
        .kubectl_ok(&["-n", &namespace, "get", "pods", "-o", "name"])
        .unwrap();
    assert_eq!(names.lines().count(), 300);
    assert!(names.contains("pod/load-00000\n") && names.contains("pod/load-00299\n"));
    // They are pods like any other: all but the first have never been seen by the API server before.
    let get = |what: &str| {
        cluster
            .kubectl_ok(&["-n", &namespace, "get", "pod", "load-00123", "-o", what])
            .unwrap()
    };
    assert_eq!(
        get("jsonpath={.status.phase} {.spec.nodeName} {.status.qosClass}"),
        "Pending still Burstable"
    );
    cluster
        .kubectl_ok(&["-n", &namespace, "label", "pod", "load-00123", "seen=yes"])
        .unwrap();
    assert_eq!(get("jsonpath={.metadata.labels.seen}"), "yes");
    cluster
        .kubectl_ok(&["-n", &namespace, "delete", "pod", "load-00123", "--force"])
        .unwrap();
}

#[test]
fn brokers_of_every_kind_listen_and_come_back_on_their_port() {
    let bed = Bed::shared().unwrap();
    let setups = [
        (BrokerSetup::plain(), "tcp://"),
        (
            BrokerSetup::plain()
                .user("cluster1", "secret")
                .acl("user cluster1\ntopic readwrite #\n"),
            "tcp://",
        ),
        (BrokerSetup::plain().tls(Tls::Server), "mqtts://"),
        (
            BrokerSetup::plain()
                .tls(Tls::Mutual)
                .line("max_queued_messages 10"),
            "mqtts://",
        ),
        (BrokerSetup::plain().websockets(), "ws://"),
        (
            BrokerSetup::plain().configuration("listener 1883\nallow_anonymous true\n"),
            "tcp://",
        ),
    ];
    for (setup, scheme) in setups {
        let broker = bed.broker(&setup).unwrap();
        assert!(broker.url().starts_with(scheme), "{}", broker.url());
        broker.client("viewer").unwrap();
        broker.component().kill_9().unwrap();
        broker.component().restart().unwrap();
        let log = std::fs::read_to_string(broker.component().log()).unwrap();
        assert_eq!(
            log.matches(&format!("listen socket on port {}.", broker.port()))
                .count(),
            2,
            "{log}"
        );
    }
}

#[test]
fn nothing_outlives_a_killed_owner() {
    if std::env::var_os(VICTIM).is_some() {
        return be_killed().unwrap();
    }
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "nothing_outlives_a_killed_owner", "--nocapture"])
        .env(VICTIM, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(owner.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    // libtest writes the test's name in front of the first line, without a line's end.
    let told: Vec<String> = lines
        .filter_map(|line| Some(line.split_once("victim:")?.1.to_owned()))
        .take(4)
        .collect();
    let dir = std::path::PathBuf::from(&told[0]);
    let parts: Vec<Process> = told[1..]
        .iter()
        .map(|pid| Process::running("part", pid.parse().unwrap()).unwrap())
        .collect();
    assert!(dir.exists() && parts.iter().all(Process::is_alive));

    owner.kill().unwrap();
    owner.wait().unwrap();
    wait_for("end of the parts", || {
        Ok((!parts.iter().any(Process::is_alive)).then_some(()))
    })
    .unwrap();
    wait_for("end of the directory", || Ok((!dir.exists()).then_some(()))).unwrap();
}

fn be_killed() -> Result<()> {
    let bed = Bed::start()?;
    let cluster = bed.cluster("cluster1")?;
    let broker = bed.broker(&BrokerSetup::plain())?;
    let mut out = std::io::stdout();
    writeln!(out, "\nvictim:{}", bed.dir().display())?;
    for part in [cluster.etcd(), cluster.apiserver(), broker.component()] {
        writeln!(out, "victim:{}", part.pid().context("it does not run")?)?;
    }
    std::thread::sleep(Duration::from_secs(600));
    Ok(())
}

/// The resources that can be listed and of which there is at least one.
fn kinds(cluster: &Cluster) -> Result<Vec<String>> {
    let all = cluster.kubectl_ok(&["api-resources", "--verbs=list", "-o", "name"])?;
    let mut some = Vec::new();
    for name in all.lines() {
        if !cluster
            .kubectl_ok(&["get", name, "-A", "-o", "name"])?
            .is_empty()
        {
            some.push(name.to_owned());
        }
    }
    Ok(some)
}
