//! What a controlplane says of itself at `/readyz` and `/metrics`.

use super::intake;
use super::mirror::Report;
use super::share::{Held, Holding};
use crate::informer::{Informer, LinkState};
use std::fmt::Write;
use tokio::sync::watch;

/// What the endpoints read.
#[derive(Clone)]
pub(super) struct Probed {
    pub(super) informers: Vec<Informer>,
    pub(super) share: Option<Held>,
    pub(super) mirrors: Vec<watch::Receiver<Report>>,
    pub(super) intakes: Vec<watch::Receiver<intake::Report>>,
}

impl crate::cli::Probed for Probed {
    /// Whether all that it writes to takes what comes. A cluster that is away makes nothing unready.
    fn ready(&self) -> (bool, String) {
        match self.trouble() {
            None => (true, "ready".to_owned()),
            Some(why) => (false, why),
        }
    }

    fn metrics(&self) -> String {
        self.exposition()
    }
}

impl Probed {
    /// Why something of what comes is not written; none if all is well.
    fn trouble(&self) -> Option<String> {
        if let Some(why) = self.informers.iter().find_map(link_trouble) {
            return Some(why);
        }
        let mirrors = self.mirrors.iter().map(|mirror| mirror.borrow().clone());
        let mut mirrors = mirrors.filter_map(|mirror| mirror_trouble(&mirror));
        let mut intakes = self
            .intakes
            .iter()
            .filter_map(|it| intake_trouble(&it.borrow()));
        let shared = || share_trouble(&self.share.as_ref()?.borrow());
        mirrors.next().or_else(|| intakes.next()).or_else(shared)
    }

    /// The Prometheus text format; names and units as its naming practices want them.
    fn exposition(&self) -> String {
        let is_up = self.informers.iter().all(|it| link_trouble(it).is_none());
        let mut out = String::new();
        let up = [(String::new(), f64::from(u8::from(is_up)))];
        metric(
            &mut out,
            "broker_up",
            "gauge",
            "1 while connected to the broker.",
            &up,
        );
        if let Some(held) = &self.share {
            of_share(&mut out, &held.borrow());
        }
        let mirrors: Vec<_> = self
            .mirrors
            .iter()
            .map(|mirror| mirror.borrow().clone())
            .collect();
        of_mirrors(&mut out, &mirrors);
        let intakes: Vec<_> = self.intakes.iter().map(|it| it.borrow().clone()).collect();
        of_intakes(&mut out, &intakes);
        out
    }
}

fn link_trouble(informer: &Informer) -> Option<String> {
    match &*informer.link_state().borrow() {
        LinkState::Up => None,
        LinkState::Connecting => Some("connecting to the broker".to_owned()),
        LinkState::Down(failure) => Some(failure.message.clone()),
    }
}

fn share_trouble(holding: &Holding) -> Option<String> {
    let why = holding.trouble.as_ref()?;
    holding
        .is_lapsed()
        .then(|| format!("the other controlplanes are not heard of: {why}"))
}

fn of_share(out: &mut String, holding: &Holding) {
    let figures = [
        (
            "share_up",
            "1 while it is heard of by the other controlplanes.",
            usize::from(!holding.is_lapsed()),
        ),
        (
            "share_members",
            "Controlplanes that share the clusters.",
            holding.members,
        ),
        (
            "share_clusters",
            "Clusters that are this one's.",
            holding.clusters.len(),
        ),
    ];
    for (name, help, value) in figures {
        metric(out, name, "gauge", help, &[(String::new(), value as f64)]);
    }
}

fn mirror_trouble(mirror: &Report) -> Option<String> {
    match (&mirror.trouble, mirror.listed) {
        (Some(why), _) => Some(format!("{} are not mirrored: {why}", mirror.word)),
        (None, false) => Some(format!("listing the copies of {} on the hub", mirror.word)),
        (None, true) => None,
    }
}

fn intake_trouble(intake: &intake::Report) -> Option<String> {
    let since = intake.away?.elapsed().as_secs();
    Some(format!(
        "the database takes nothing for {since} s: {}",
        intake.trouble
    ))
}

fn of_intakes(out: &mut String, intakes: &[intake::Report]) {
    type Figure = fn(&intake::Report) -> f64;
    let figures: [(&str, &str, &str, Figure); 8] = [
        (
            "store_up",
            "gauge",
            "1 while the database takes what comes.",
            |intake| f64::from(u8::from(intake.away.is_none())),
        ),
        ("store_clusters", "gauge", "Clusters followed.", |intake| {
            intake.clusters as f64
        }),
        (
            "store_clusters_synced",
            "gauge",
            "Clusters that the database has.",
            |intake| intake.whole as f64,
        ),
        (
            "store_clusters_behind",
            "gauge",
            "Clusters with something that is not written yet.",
            |intake| intake.behind as f64,
        ),
        (
            "store_clusters_refused",
            "gauge",
            "Clusters whose stream the store refuses.",
            |intake| intake.refused as f64,
        ),
        (
            "store_batches_total",
            "counter",
            "Batches written.",
            |intake| intake.batches as f64,
        ),
        (
            "store_changes_total",
            "counter",
            "Changes in them.",
            |intake| intake.changes as f64,
        ),
        (
            "store_failed_total",
            "counter",
            "Batches that the database did not take.",
            |intake| intake.failed as f64,
        ),
    ];
    for (name, kind, help, figure) in figures {
        let labels = |of: &intake::Report| {
            format!("resource=\"{}\",view=\"{}\"", escaped(&of.word), of.view)
        };
        let samples: Vec<_> = intakes.iter().map(|of| (labels(of), figure(of))).collect();
        metric(out, name, kind, help, &samples);
    }
}

fn of_mirrors(out: &mut String, mirrors: &[Report]) {
    type Figure = fn(&Report) -> f64;
    let figures: [(&str, &str, &str, Figure); 11] = [
        (
            "mirror_up",
            "gauge",
            "1 while the hub takes copies.",
            |mirror| f64::from(u8::from(mirror_trouble(mirror).is_none())),
        ),
        ("mirror_clusters", "gauge", "Clusters followed.", |mirror| {
            mirror.clusters as f64
        }),
        (
            "mirror_clusters_synced",
            "gauge",
            "Clusters of which all objects are known.",
            |mirror| mirror.whole as f64,
        ),
        ("mirror_copies", "gauge", "Copies on the hub.", |mirror| {
            mirror.copies as f64
        }),
        (
            "mirror_waiting",
            "gauge",
            "Objects that wait to be looked at, refused ones included.",
            |mirror| mirror.waiting as f64,
        ),
        (
            "mirror_refused",
            "gauge",
            "Objects without a current copy because something refuses them.",
            |mirror| mirror.refused as f64,
        ),
        (
            "mirror_applied_total",
            "counter",
            "Copies made or changed.",
            |mirror| mirror.applied as f64,
        ),
        (
            "mirror_deleted_total",
            "counter",
            "Copies deleted.",
            |mirror| mirror.deleted as f64,
        ),
        (
            "mirror_repaired_total",
            "counter",
            "Copies that somebody else had changed or deleted.",
            |mirror| mirror.repaired as f64,
        ),
        (
            "mirror_failed_total",
            "counter",
            "Tries that the hub did not take.",
            |mirror| mirror.failed as f64,
        ),
        (
            "mirror_listed",
            "gauge",
            "1 once the copies on the hub are known.",
            |mirror| f64::from(u8::from(mirror.listed)),
        ),
    ];
    for (name, kind, help, figure) in figures {
        let samples: Vec<_> = mirrors
            .iter()
            .map(|mirror| {
                (
                    format!("resource=\"{}\"", escaped(&mirror.word)),
                    figure(mirror),
                )
            })
            .collect();
        metric(out, name, kind, help, &samples);
    }
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

fn metric(out: &mut String, name: &str, kind: &str, help: &str, samples: &[(String, f64)]) {
    if samples.is_empty() {
        return;
    }
    // Writing to a String cannot fail.
    let _ = writeln!(out, "# HELP mqinformer_controlplane_{name} {help}");
    let _ = writeln!(out, "# TYPE mqinformer_controlplane_{name} {kind}");
    for (labels, value) in samples {
        let labels = match labels.as_str() {
            "" => String::new(),
            labels => format!("{{{labels}}}"),
        };
        let _ = writeln!(out, "mqinformer_controlplane_{name}{labels} {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_samples_and_no_word_leaves_its_quotes() {
        let report = |word: &str| Report {
            word: word.to_owned(),
            copies: 3,
            ..Report::default()
        };
        let mut out = String::new();
        of_mirrors(&mut out, &[report("secrets"), report("a\"b\\")]);
        assert!(out.contains("mqinformer_controlplane_mirror_copies{resource=\"secrets\"} 3\n"));
        assert!(
            out.contains("mirror_copies{resource=\"a\\\"b\\\\\"} 3\n"),
            "{out}"
        );
        for sample in out.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = sample.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok(), "{sample}");
            let name = name.split('{').next().unwrap();
            assert!(out.contains(&format!("# TYPE {name} ")), "{name}");
        }
    }

    #[test]
    fn a_mirror_is_well_when_the_hub_is() {
        let listing = Report::default();
        assert!(mirror_trouble(&listing).is_some());
        let well = Report {
            listed: true,
            refused: 3,
            ..listing
        };
        assert_eq!(
            mirror_trouble(&well),
            None,
            "one object is no matter of all"
        );
        let away = Report {
            trouble: Some("away".into()),
            ..well
        };
        assert!(mirror_trouble(&away).is_some());
    }
}
