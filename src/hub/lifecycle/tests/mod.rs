mod doubts;

use super::claims::VERSION_CLAIM;
use super::*;
use crate::ocm::cluster::{AVAILABLE, JOINED, TAINT_UNAVAILABLE, TAINT_UNREACHABLE};
use crate::ocm::conditions::is_true;
use crate::ocm::{Time, cluster::HUB_ACCEPTED};
use serde_json::json;

const START: i64 = 1_000_000;

/// A hub and one cluster, whose plans are carried out.
#[derive(Clone, Debug)]
struct Scene {
    cluster: Option<ManagedCluster>,
    contact: Option<Contact>,
    auto: Patterns,
    impossible: Option<&'static str>,
    leftovers: Leftovers,
    listening: i64,
    now: i64,
    farewells: Vec<Farewell>,
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

impl Scene {
    fn new(auto: &[&str]) -> Self {
        Self {
            cluster: None,
            contact: None,
            auto: Patterns::new(auto.iter().map(|it| (*it).to_owned())),
            impossible: None,
            leftovers: Leftovers::default(),
            listening: START,
            now: START,
            farewells: Vec::new(),
        }
    }

    fn arrives(&mut self) {
        self.contact = Some(Contact {
            online: true,
            proven: true,
            heard: Some(at(self.now)),
            uid: "uid-1".to_owned(),
            kubernetes: Some("v1.36.0".to_owned()),
            capacity: [("cpu".to_owned(), json!("4"))].into(),
            ..Contact::default()
        });
    }

    fn plan(&self) -> Plan {
        plan(&World {
            name: "cluster1",
            cluster: self.cluster.as_ref(),
            impossible: self.impossible,
            contact: self.contact.as_ref(),
            auto_accept: &self.auto,
            leftovers: self.leftovers,
            listening: at(self.listening),
            now: at(self.now),
        })
    }

    /// Carries out one plan.
    fn once(&mut self) -> Plan {
        let plan = self.plan();
        for action in plan.actions.clone() {
            self.act(action);
        }
        plan
    }

    /// Carries out plans until there is nothing to do.
    fn settle(&mut self) -> Plan {
        for _ in 0..10 {
            let plan = self.once();
            if plan.actions.is_empty() {
                return plan;
            }
        }
        panic!("it never settles: {:?}", self.plan());
    }

    fn act(&mut self, action: Action) {
        if let Action::Create { accepted } = action {
            let made =
                json!({"metadata": {"name": "cluster1"}, "spec": {"hubAcceptsClient": accepted}});
            self.cluster = Some(serde_json::from_value(made).unwrap());
            return;
        }
        let cluster = self.cluster.as_mut().unwrap();
        match action {
            Action::Create { .. } => {}
            Action::AddFinalizer => cluster.metadata.finalizers = Some(vec![FINALIZER.to_owned()]),
            Action::Accept => cluster.spec.hub_accepts_client = true,
            Action::MakeNamespace => self.leftovers.namespace = Home::Ours,
            Action::Taint(taints) => cluster.spec.taints = taints,
            Action::Status(status) => cluster.status = *status,
            Action::Farewell(step) => {
                self.farewells.push(step);
                match step {
                    Farewell::DeleteNamespace => self.leftovers.namespace = Home::Nowhere,
                    Farewell::LetGo => self.cluster = None,
                    Farewell::DeleteWorks { abandon: true, .. } => self.leftovers.works = 0,
                    _ => {}
                }
            }
        }
    }

    fn accept(&mut self, yes: bool) {
        self.cluster.as_mut().unwrap().spec.hub_accepts_client = yes;
    }

    fn condition(&self, kind: &str) -> Option<(String, String)> {
        let conditions = &self.cluster.as_ref().unwrap().status.conditions;
        find(conditions, kind).map(|it| (it.status.clone(), it.reason.clone()))
    }

    fn taints(&self) -> Vec<&str> {
        let taints = &self.cluster.as_ref().unwrap().spec.taints;
        taints.iter().map(|it| it.key.as_str()).collect()
    }

    fn joined() -> Self {
        let mut scene = Self::new(&["cluster*"]);
        scene.arrives();
        scene.settle();
        scene
    }
}

fn pair(status: &str, reason: &str) -> Option<(String, String)> {
    Some((status.to_owned(), reason.to_owned()))
}

#[test]
fn presence_makes_a_cluster_that_waits_to_be_accepted() {
    let mut scene = Scene::new(&[]);
    assert!(scene.settle().actions.is_empty());
    assert!(scene.cluster.is_none());
    scene.arrives();
    assert!(!scene.settle().serves_work);
    assert_eq!(scene.condition(HUB_ACCEPTED), None);
    assert_eq!(scene.condition(JOINED), None);
    assert_eq!(scene.leftovers.namespace, Home::Nowhere);
    scene.accept(true);
    assert!(scene.settle().serves_work);
    assert_eq!(
        scene.condition(HUB_ACCEPTED),
        pair("True", "HubClusterAdminAccepted")
    );
    assert_eq!(
        scene.condition(JOINED),
        pair("True", "ManagedClusterJoined")
    );
    assert_eq!(
        scene.condition(AVAILABLE),
        pair("True", "ManagedClusterAvailable")
    );
    assert_eq!(scene.leftovers.namespace, Home::Ours);
    assert!(scene.taints().is_empty());
    let status = &scene.cluster.as_ref().unwrap().status;
    assert_eq!(status.version.kubernetes.as_deref(), Some("v1.36.0"));
    assert_eq!(status.capacity["cpu"], "4");
}

#[test]
fn a_pattern_accepts_but_not_against_a_person_s_word() {
    let mut scene = Scene::joined();
    assert!(scene.cluster.as_ref().unwrap().spec.hub_accepts_client);
    scene.accept(false);
    assert!(!scene.settle().serves_work);
    assert!(!scene.cluster.as_ref().unwrap().spec.hub_accepts_client);
    assert_eq!(
        scene.condition(HUB_ACCEPTED),
        pair("False", "HubClusterAdminDenied")
    );
    assert_eq!(
        scene.leftovers.namespace,
        Home::Ours,
        "a flag deletes nothing"
    );
}

#[test]
fn going_offline_is_told_at_once_and_moves_nothing_for_five_leases() {
    let mut scene = Scene::joined();
    scene.contact.as_mut().unwrap().online = false;
    scene.now += 10;
    let plan = scene.settle();
    assert_eq!(
        scene.condition(AVAILABLE),
        pair("Unknown", "ManagedClusterLeaseUpdateStopped")
    );
    assert!(scene.taints().is_empty());
    assert_eq!(plan.recheck, Some(at(START + 300)));
    scene.now = START + 300;
    scene.settle();
    assert_eq!(scene.taints(), [TAINT_UNREACHABLE]);
    let since = find(
        &scene.cluster.as_ref().unwrap().status.conditions,
        AVAILABLE,
    )
    .unwrap()
    .last_transition_time
    .clone();
    assert_eq!(since, Time(at(START + 10)), "since it went");
    scene.now += 365 * 86_400;
    scene.arrives();
    scene.settle();
    assert_eq!(
        scene.condition(AVAILABLE),
        pair("True", "ManagedClusterAvailable")
    );
    assert!(scene.taints().is_empty());
}

#[test]
fn an_api_server_in_trouble_is_no_silence() {
    let mut scene = Scene::joined();
    scene.contact.as_mut().unwrap().trouble = Some("503".to_owned());
    scene.settle();
    assert_eq!(
        scene.condition(AVAILABLE),
        pair("False", "ManagedClusterKubeAPIServerUnavailable")
    );
    assert_eq!(scene.taints(), [TAINT_UNAVAILABLE]);
}

#[test]
fn taints_of_others_are_left() {
    let mut scene = Scene::joined();
    let theirs = json!({"key": "gpu", "effect": "NoSelect"});
    scene.cluster.as_mut().unwrap().spec.taints = vec![serde_json::from_value(theirs).unwrap()];
    scene.now += 1000;
    scene.settle();
    assert_eq!(scene.taints(), ["gpu", TAINT_UNREACHABLE]);
    scene.arrives();
    scene.settle();
    assert_eq!(scene.taints(), ["gpu"]);
}

/// A hub that has just started has heard nobody yet.
#[test]
fn a_new_hub_waits_before_it_calls_anybody_silent() {
    let mut scene = Scene::joined();
    scene.contact = None;
    scene.now += 1_000_000;
    scene.listening = scene.now;
    let before = scene.cluster.clone();
    let plan = scene.settle();
    assert_eq!(scene.cluster, before);
    assert_eq!(plan.recheck, Some(at(scene.now + 300)));
    scene.now += 300;
    scene.settle();
    assert_eq!(scene.taints(), [TAINT_UNREACHABLE]);
    // The next one does not take that back before somebody is heard.
    scene.listening = scene.now;
    scene.settle();
    assert_eq!(scene.taints(), [TAINT_UNREACHABLE]);
}

#[test]
fn another_cluster_of_the_name_gets_no_work() {
    let mut scene = Scene::joined();
    scene.contact.as_mut().unwrap().uid = "uid-2".to_owned();
    assert!(!scene.settle().serves_work);
    assert_eq!(scene.condition(JOINED), pair("False", "AnotherCluster"));
    assert_eq!(
        scene.cluster.as_ref().unwrap().claim(ID_CLAIM),
        Some("uid-1")
    );
}

/// As placements read them: whose version is in the status is chosen by a claim.
#[test]
fn a_cluster_claims_its_id_and_version_beside_what_it_claims_itself() {
    let mut scene = Scene::joined();
    let claims = |scene: &mut Scene, own: &[(&str, &str)]| {
        let own = own.iter().map(|(name, value)| ClusterClaim {
            name: (*name).to_owned(),
            value: (*value).to_owned(),
        });
        scene.contact.as_mut().unwrap().claims = own.collect();
        scene.settle();
        let all = scene.cluster.as_ref().unwrap().status.cluster_claims.iter();
        let all = all.map(|it| format!("{}={}", it.name, it.value));
        all.collect::<Vec<_>>().join(" ")
    };
    let version = |it: &str| format!("id.k8s.io=uid-1 {VERSION_CLAIM}={it}");
    assert_eq!(claims(&mut scene, &[]), version("v1.36.0"));
    // It is upgraded.
    let contact = scene.contact.as_mut().unwrap();
    contact.kubernetes = Some("v1.37.0".to_owned());
    assert_eq!(
        claims(&mut scene, &[("zone", "a"), (ID_CLAIM, "theirs")]),
        format!("{} zone=a", version("v1.37.0"))
    );
    assert_eq!(
        claims(&mut scene, &[(VERSION_CLAIM, "v1.37.0+k3s1")]),
        version("v1.37.0+k3s1"),
        "the cluster's own word, once"
    );
}

fn leaving() -> Scene {
    let mut scene = Scene::joined();
    scene.leftovers.works = 2;
    scene.cluster.as_mut().unwrap().metadata.deletion_timestamp = Some(Time(at(START)));
    scene
}

#[test]
fn a_cluster_goes_step_by_step() {
    let mut scene = leaving();
    assert!(scene.once().serves_work, "the deletes have to reach it");
    assert_eq!(
        scene.condition(farewell::LEAVING),
        pair("True", "DeletingWorks")
    );
    scene.once();
    scene.leftovers.works = 0;
    scene.once();
    scene.once();
    scene.contact.as_mut().unwrap().detached = true;
    scene.once();
    assert!(!scene.once().serves_work);
    assert!(scene.cluster.is_none());
    let draining = Farewell::DeleteWorks {
        left: 2,
        abandon: false,
    };
    assert_eq!(
        scene.farewells,
        [
            draining,
            draining,
            Farewell::TellAgent,
            Farewell::TellAgent,
            Farewell::DeleteNamespace,
            Farewell::LetGo
        ]
    );
}

#[test]
fn nobody_is_let_go_before_it_has_confirmed() {
    let mut scene = leaving();
    scene.contact.as_mut().unwrap().online = false;
    for _ in 0..5 {
        scene.once();
        scene.now += 1_000_000;
    }
    assert!(scene.cluster.is_some());
    let conditions = &scene.cluster.as_ref().unwrap().status.conditions;
    let message = &find(conditions, farewell::LEAVING).unwrap().message;
    assert!(message.contains(farewell::ABANDON), "{message}");
}

/// Its works are of the cluster that was accepted, which still has what they put there.
#[test]
fn who_has_taken_the_name_of_one_that_goes_gets_none_of_its_work() {
    for taken_before in [true, false] {
        let mut scene = leaving();
        let deleted = scene
            .cluster
            .as_mut()
            .unwrap()
            .metadata
            .deletion_timestamp
            .take();
        let other = |scene: &mut Scene| {
            let contact = scene.contact.as_mut().unwrap();
            (contact.uid, contact.detached) = ("uid-2".to_owned(), true);
        };
        if taken_before {
            other(&mut scene);
            scene.settle();
            assert_eq!(scene.condition(JOINED), pair("False", "AnotherCluster"));
        }
        scene.cluster.as_mut().unwrap().metadata.deletion_timestamp = deleted;
        other(&mut scene);
        assert!(!scene.once().serves_work, "the other one is told nothing");
        let draining = Farewell::DeleteWorks {
            left: 2,
            abandon: false,
        };
        assert_eq!(scene.farewells, [draining]);
        let conditions = &scene.cluster.as_ref().unwrap().status.conditions;
        let message = &find(conditions, farewell::LEAVING).unwrap().message;
        assert!(message.contains("another cluster"), "{message}");
        scene.leftovers.works = 0;
        assert!(!scene.once().serves_work);
        assert_eq!(
            scene.farewells[1],
            Farewell::TellAgent,
            "not what another one said"
        );
        // It is back.
        scene.arrives();
        assert!(scene.once().serves_work);
        scene.contact.as_mut().unwrap().detached = true;
        scene.once();
        scene.once();
        assert!(scene.cluster.is_none());
    }
}

#[test]
fn who_is_abandoned_is_not_waited_for() {
    let mut scene = leaving();
    scene.contact = None;
    let annotations = [(farewell::ABANDON.to_owned(), "true".to_owned())].into();
    scene.cluster.as_mut().unwrap().metadata.annotations = Some(annotations);
    for _ in 0..3 {
        scene.once();
    }
    assert!(scene.cluster.is_none());
}

#[test]
fn who_never_joined_leaves_at_once() {
    let mut scene = Scene::new(&[]);
    scene.arrives();
    scene.settle();
    scene.cluster.as_mut().unwrap().metadata.deletion_timestamp = Some(Time(at(START)));
    scene.once();
    assert_eq!(scene.farewells, [Farewell::LetGo]);
    assert!(!is_true(&[], JOINED));
}
