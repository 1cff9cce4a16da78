//! Whether what a row says is well: by its columns, as people read them.

/// How an object is, from nothing to worry about to worst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// It has ended as it should, or wants nothing: a completed job, a replica set scaled to zero.
    Done,
    /// As it should be, or of no kind that can be unwell.
    #[default]
    Well,
    /// On its way, or partly there.
    Warn,
    /// Broken.
    Bad,
}

/// The columns that tell, and what they say of one row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signs<'a> {
    status: Option<&'a str>,
    ready: Option<&'a str>,
    desired: Option<&'a str>,
    kind: Option<&'a str>,
}

impl<'a> Signs<'a> {
    /// Takes the cell of a column, headed as the API server words it.
    pub fn take(&mut self, column: &str, cell: &'a str) {
        let sign = match column.to_ascii_uppercase().as_str() {
            "STATUS" => &mut self.status,
            "READY" => &mut self.ready,
            "DESIRED" => &mut self.desired,
            "TYPE" => &mut self.kind,
            _ => return,
        };
        sign.get_or_insert(cell);
    }

    /// How a row of this resource (its plural) is.
    pub fn health(&self, plural: &str) -> Health {
        let by_status = self.status.map(|status| of_status(plural, status));
        let by_ready = self.ready.map(|ready| self.of_ready(ready));
        match (by_status, by_ready) {
            // A completed pod is not ready, and need not be; what is broken is no less so for being ready.
            (Some(Health::Well) | None, Some(ready)) => ready,
            (Some(status), _) => status,
            (None, None) if plural == "events" && self.kind == Some("Warning") => Health::Warn,
            (None, None) => Health::Well,
        }
    }

    fn of_ready(&self, ready: &str) -> Health {
        let counts = match (ready.split_once('/'), self.desired) {
            (Some((ready, wanted)), _) => ready.parse::<u64>().ok().zip(wanted.parse().ok()),
            (None, Some(wanted)) => ready.parse().ok().zip(wanted.parse().ok()),
            (None, None) => None,
        };
        match counts {
            Some((_, 0)) => Health::Done,
            Some((0, _)) => Health::Bad,
            Some((ready, wanted)) if ready < wanted => Health::Warn,
            Some(_) => Health::Well,
            // Conditions of custom resources.
            None if ready == "False" => Health::Bad,
            None if ready == "Unknown" => Health::Warn,
            None => Health::Well,
        }
    }
}

/// By the word itself: most resources use the same ones.
fn of_status(plural: &str, status: &str) -> Health {
    // A pod that starts is not broken yet, although nothing of it is ready.
    let starting = [
        "Pending",
        "ContainerCreating",
        "PodInitializing",
        "Terminating",
        "Unknown",
    ];
    match status {
        "Running" | "Active" | "Bound" | "Available" | "Ready" | "Normal" | "True" => Health::Well,
        "Completed" | "Complete" | "Succeeded" => Health::Done,
        status if starting.contains(&status) => Health::Warn,
        "Released" | "Suspended" | "SuccessCriteriaMet" | "FailureTarget" => Health::Warn,
        status if plural == "nodes" => of_node(status),
        status if plural == "pods" => of_pod(status),
        "Failed" | "Lost" | "Error" | "False" => Health::Bad,
        _ => Health::Well,
    }
}

/// `Ready,SchedulingDisabled`, `NotReady`.
fn of_node(status: &str) -> Health {
    match status.split(',').next() {
        Some("Ready") if status.contains(',') => Health::Warn,
        Some("Ready") => Health::Well,
        _ => Health::Bad,
    }
}

/// A pod's other words are reasons: `Init:1/2` is progress, `CrashLoopBackOff` and whatever a kubelet comes up with
/// are not.
fn of_pod(status: &str) -> Health {
    let progress = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    match status.strip_prefix("Init:") {
        Some(rest) if progress(rest) => Health::Warn,
        _ if matches!(status, "NotReady" | "SchedulingGated") => Health::Warn,
        _ => Health::Bad,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_judged_by_what_their_columns_say() {
        use Health::{Bad, Done, Warn, Well};
        for (plural, columns, want) in [
            ("pods", "Ready=1/1 Status=Running", Well),
            ("pods", "Ready=1/2 Status=Running", Warn),
            ("pods", "Ready=0/1 Status=Running", Bad),
            ("pods", "Ready=0/1 Status=Pending", Warn),
            ("pods", "Ready=0/1 Status=ContainerCreating", Warn),
            ("pods", "Ready=0/1 Status=Init:1/2", Warn),
            ("pods", "Ready=0/1 Status=Init:CrashLoopBackOff", Bad),
            ("pods", "Ready=0/1 Status=CrashLoopBackOff", Bad),
            ("pods", "Ready=0/1 Status=ImagePullBackOff", Bad),
            ("pods", "Ready=0/1 Status=Completed", Done),
            ("pods", "Ready=1/1 Status=Terminating", Warn),
            ("nodes", "Status=Ready", Well),
            ("nodes", "Status=Ready,SchedulingDisabled", Warn),
            ("nodes", "Status=NotReady", Bad),
            ("deployments", "Ready=3/3", Well),
            ("deployments", "Ready=1/3", Warn),
            ("deployments", "Ready=0/3", Bad),
            ("deployments", "Ready=0/0", Done),
            ("replicasets", "Desired=0 Current=0 Ready=0", Done),
            ("replicasets", "Desired=2 Current=2 Ready=1", Warn),
            ("daemonsets", "Desired=2 Current=2 Ready=2", Well),
            ("jobs", "Status=Failed", Bad),
            ("jobs", "Status=Complete", Done),
            ("persistentvolumeclaims", "Status=Pending", Warn),
            ("persistentvolumeclaims", "Status=Lost", Bad),
            ("certificates", "Ready=False", Bad),
            ("certificates", "Ready=True", Well),
            ("events", "Type=Warning", Warn),
            ("services", "Type=ClusterIP", Well),
            ("configmaps", "Data=3", Well),
        ] {
            let mut signs = Signs::default();
            for pair in columns.split(' ') {
                let (column, cell) = pair.split_once('=').unwrap();
                signs.take(column, cell);
            }
            assert_eq!(signs.health(plural), want, "{plural} {columns}");
        }
    }
}
