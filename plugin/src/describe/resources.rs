//! What a pod asks for in all (`k8s.io/component-helpers/resource`).
//!
//! Containers run beside each other and are added. Init containers run one after the other, each beside the sidecars
//! that were started before it: of them, the most counts. A running pod may have been given something else than it asks
//! for; what is more counts.

use super::field::Field;
use super::quantity::Quantity;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Amounts by the resources' names.
pub(super) type Amounts = BTreeMap<String, Quantity>;

/// Requests, or limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    Requests,
    Limits,
}

impl Bound {
    fn member(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Limits => "limits",
        }
    }
}

/// What a pod asks for. `with_status`: also what it was given.
pub(super) fn of_pod(pod: Field<'_>, bound: Bound, with_status: bool) -> Amounts {
    let spec = pod.member("spec");
    let mut sum = Amounts::new();
    let effective = |container: Field<'_>, statuses: &str| match with_status {
        true => given(pod, container, statuses, bound),
        false => amounts(container.member("resources").member(bound.member())),
    };
    for container in spec.member("containers").items() {
        add(&mut sum, &effective(container, "containerStatuses"));
    }
    let (mut sidecars, mut most) = (Amounts::new(), Amounts::new());
    for container in spec.member("initContainers").items() {
        if container.member("restartPolicy").text() == "Always" {
            let asked = effective(container, "initContainerStatuses");
            add(&mut sum, &asked);
            add(&mut sidecars, &asked);
            maximum(&mut most, &sidecars);
        } else {
            let mut asked = amounts(container.member("resources").member(bound.member()));
            add(&mut asked, &sidecars);
            maximum(&mut most, &asked);
        }
    }
    maximum(&mut sum, &most);
    // What the pod says as a whole goes before what its containers say.
    let whole = amounts(spec.at("resources").member(bound.member()));
    let of_pods = |name: &String| {
        ["cpu", "memory"].contains(&name.as_str()) || name.starts_with("hugepages-")
    };
    sum.extend(whole.into_iter().filter(|(name, _)| of_pods(name)));
    for (name, amount) in amounts(spec.member("overhead")) {
        match (bound, sum.get_mut(&name)) {
            (_, Some(known)) if bound == Bound::Requests || !known.is_zero() => known.add(amount),
            (Bound::Requests, _) => {
                sum.insert(name, amount);
            }
            (Bound::Limits, _) => {}
        }
    }
    sum
}

/// Adds amounts to a sum.
pub(super) fn add(sum: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        match sum.get_mut(name) {
            Some(known) => known.add(*amount),
            None => {
                sum.insert(name.clone(), *amount);
            }
        }
    }
}

/// Amounts as an object has them.
pub(super) fn amounts(list: Field<'_>) -> Amounts {
    let members = list.members().into_iter();
    members
        .map(|(name, amount)| (name.to_owned(), Quantity::of(amount)))
        .collect()
}

fn maximum(most: &mut Amounts, other: &Amounts) {
    for (name, amount) in other {
        let is_more = most
            .get(name)
            .is_none_or(|known| amount.compare(*known) == Ordering::Greater);
        if is_more {
            most.insert(name.clone(), *amount);
        }
    }
}

/// What a container asks for or was given, whichever is more.
fn given(pod: Field<'_>, container: Field<'_>, statuses: &str, bound: Bound) -> Amounts {
    let asked = amounts(container.member("resources").member(bound.member()));
    let name = container.member("name").text();
    let status = pod
        .member("status")
        .member(statuses)
        .items()
        .rfind(|status| status.member("name").text() == name);
    let Some(status) = status.filter(|status| status.member("resources").exists()) else {
        return asked;
    };
    let mut most = match is_infeasible(pod) {
        true => Amounts::new(),
        false => asked,
    };
    maximum(
        &mut most,
        &amounts(status.member("resources").member(bound.member())),
    );
    if bound == Bound::Requests {
        maximum(&mut most, &amounts(status.member("allocatedResources")));
    }
    most
}

/// What it asks for now cannot be had on its node.
fn is_infeasible(pod: Field<'_>) -> bool {
    let mut conditions = pod.at("status.conditions").items();
    let pending =
        conditions.find(|condition| condition.member("type").text() == "PodResizePending");
    pending.is_some_and(|condition| condition.member("reason").text() == "Infeasible")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn check(pod: &Value, bound: Bound, want: &str) {
        let amounts = of_pod(Field::of(pod), bound, true);
        let shown: Vec<_> = amounts
            .iter()
            .map(|(name, amount)| format!("{name}={amount}"))
            .collect();
        assert_eq!(shown.join(" "), want, "{pod}");
    }

    fn container(name: &str, cpu: &str) -> Value {
        json!({"name": name, "resources": {"requests": {"cpu": cpu}, "limits": {"cpu": cpu}}})
    }

    #[test]
    fn containers_are_added_and_init_containers_are_not() {
        let mut pod = json!({"spec": {
            "containers": [container("a", "100m"), container("b", "200m")],
            "initContainers": [container("i", "250m"), container("j", "50m")],
        }});
        check(&pod, Bound::Requests, "cpu=300m");
        pod["spec"]["initContainers"][0]["resources"]["requests"]["cpu"] = "1".into();
        check(&pod, Bound::Requests, "cpu=1");
        check(&pod, Bound::Limits, "cpu=300m");
        pod["spec"]["overhead"] = json!({"cpu": "10m", "memory": "1Mi"});
        check(&pod, Bound::Requests, "cpu=1010m memory=1Mi");
        check(&pod, Bound::Limits, "cpu=310m");
        pod["spec"]["resources"] = json!({"requests": {"cpu": "2"}});
        check(&pod, Bound::Requests, "cpu=2010m memory=1Mi");
    }

    #[test]
    fn sidecars_run_beside_what_comes_after_them() {
        let mut sidecar = container("s", "100m");
        sidecar["restartPolicy"] = "Always".into();
        let pod = json!({"spec": {
            "containers": [container("a", "100m")],
            "initContainers": [sidecar, container("i", "150m")],
        }});
        check(&pod, Bound::Requests, "cpu=250m");
    }

    #[test]
    fn what_was_given_counts_if_it_is_more() {
        let status = json!({"name": "a", "resources": {"requests": {"cpu": "300m"}, "limits": {"cpu": "50m"}}});
        let mut pod = json!({
            "spec": {"containers": [container("a", "100m")]},
            "status": {"containerStatuses": [status]},
        });
        check(&pod, Bound::Requests, "cpu=300m");
        check(&pod, Bound::Limits, "cpu=100m");
        pod["status"]["conditions"] = json!([{"type": "PodResizePending", "reason": "Infeasible"}]);
        check(&pod, Bound::Limits, "cpu=50m");
    }
}
