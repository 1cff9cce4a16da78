//! Jobs and cron jobs.

use super::Subject;
use super::clock::between;
use super::events;
use super::field::Field;
use super::pod;
use super::selector;
use super::storage::truth;
use super::writer::Writer;

/// A list of indexes longer than this is cut after the next one.
const MOST_INDEXES: usize = 50;

pub(super) fn job(w: &mut Writer, subject: &Subject<'_>) {
    let (job, clock) = (subject.object, &subject.context.clock);
    let (spec, status) = (job.member("spec"), job.member("status"));
    w.field(0, "Name", job.name());
    w.field(0, "Namespace", job.namespace());
    w.field(0, "Selector", selector::text(spec.member("selector")));
    w.labels("Labels", job.at("metadata.labels"));
    w.annotations("Annotations", job.at("metadata.annotations"));
    pod::controlled_by(w, job);
    if let Some(parallelism) = spec.member("parallelism").some() {
        w.field(0, "Parallelism", parallelism.int());
    }
    w.field(
        0,
        "Completions",
        spec.member("completions").shown_or("<unset>"),
    );
    for (member, title) in [
        ("completionMode", "Completion Mode"),
        ("suspend", "Suspend"),
        ("backoffLimit", "Backoff Limit"),
        ("ttlSecondsAfterFinished", "TTL Seconds After Finished"),
    ] {
        if let Some(value) = spec.member(member).some() {
            w.field(0, title, value.shown());
        }
    }
    let (start, end) = (status.member("startTime"), status.member("completionTime"));
    for (time, title) in [(start, "Start Time"), (end, "Completed At")] {
        if time.exists() {
            w.field(0, title, clock.date(time));
        }
    }
    if let Some(duration) = between(start, end) {
        w.field(0, "Duration", duration);
    }
    if let Some(seconds) = spec.member("activeDeadlineSeconds").some() {
        w.field(
            0,
            "Active Deadline Seconds",
            format_args!("{}s", seconds.int()),
        );
    }
    let count = |name: &str| status.member(name).int();
    let ready = status.member("ready").some();
    let ready = ready.map_or(String::new(), |ready| format!(" ({} Ready)", ready.int()));
    let (active, succeeded, failed) = (count("active"), count("succeeded"), count("failed"));
    let counts = format!("{active} Active{ready} / {succeeded} Succeeded / {failed} Failed");
    w.field(0, "Pods Statuses", counts);
    if spec.member("completionMode").text() == "Indexed" {
        w.field(
            0,
            "Completed Indexes",
            indexes(status.member("completedIndexes").text()),
        );
    }
    pod::template(w, spec.member("template"), clock);
    events::describe(w, subject);
}

pub(super) fn cron_job(w: &mut Writer, subject: &Subject<'_>) {
    let (cron, clock) = (subject.object, &subject.context.clock);
    let (spec, status) = (cron.member("spec"), cron.member("status"));
    w.field(0, "Name", cron.name());
    w.field(0, "Namespace", cron.namespace());
    w.labels("Labels", cron.at("metadata.labels"));
    w.annotations("Annotations", cron.at("metadata.annotations"));
    w.field(0, "Schedule", spec.member("schedule").text());
    w.field(
        0,
        "Concurrency Policy",
        spec.member("concurrencyPolicy").text(),
    );
    let suspended = spec.member("suspend").some();
    w.field(
        0,
        "Suspend",
        suspended.map_or("<unset>", |suspended| truth(suspended.is_true())),
    );
    for (member, title) in [
        ("timeZone", "Time Zone"),
        ("successfulJobsHistoryLimit", "Successful Job History Limit"),
        ("failedJobsHistoryLimit", "Failed Job History Limit"),
    ] {
        w.field(0, title, spec.member(member).shown_or("<unset>"));
    }
    let deadline = spec.member("startingDeadlineSeconds").some();
    let deadline = deadline.map_or("<unset>".to_owned(), |seconds| {
        format!("{}s", seconds.int())
    });
    w.field(0, "Starting Deadline Seconds", deadline);
    job_template(w, subject, spec.at("jobTemplate.spec"));
    let last = status.member("lastScheduleTime").some();
    w.field(
        0,
        "Last Schedule Time",
        last.map_or("<unset>".to_owned(), |last| clock.date(last)),
    );
    let active = status
        .member("active")
        .items()
        .map(|job| job.member("name").text());
    let active = active.collect::<Vec<_>>().join(", ");
    let active = if status.member("active").is_empty() {
        "<none>"
    } else {
        &active
    };
    w.field(0, "Active Jobs", active);
    events::describe(w, subject);
}

fn job_template(w: &mut Writer, subject: &Subject<'_>, spec: Field<'_>) {
    let selector = spec.member("selector").some();
    w.field(
        0,
        "Selector",
        selector.map_or("<unset>".to_owned(), selector::text),
    );
    w.field(
        0,
        "Parallelism",
        spec.member("parallelism").shown_or("<unset>"),
    );
    w.field(
        0,
        "Completions",
        spec.member("completions").shown_or("<unset>"),
    );
    if let Some(seconds) = spec.member("activeDeadlineSeconds").some() {
        w.field(
            0,
            "Active Deadline Seconds",
            format_args!("{}s", seconds.int()),
        );
    }
    pod::template(w, spec.member("template"), &subject.context.clock);
}

/// The indexes that are done, not too many of them.
fn indexes(indexes: &str) -> String {
    if indexes.is_empty() {
        return "<none>".to_owned();
    }
    let rest = indexes.get(MOST_INDEXES..).unwrap_or_default();
    match rest.find(',') {
        Some(at) => format!("{}...", &indexes[..=MOST_INDEXES + at]),
        None => indexes.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_of_indexes_are_cut_after_a_comma() {
        let long: Vec<_> = (10..60).map(|n| n.to_string()).collect();
        let long = long.join(",");
        assert_eq!(indexes(&long), format!("{}...", &long[..51]));
        assert_eq!(
            (indexes(""), indexes("0-4,7")),
            ("<none>".into(), "0-4,7".into())
        );
    }
}
