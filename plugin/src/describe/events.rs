//! The events of an object, below its description (`DescribeEvents` of kubectl's describe.go).

use super::Subject;
use super::clock::{Clock, instant};
use super::field::Field;
use super::related::Need;
use super::writer::{Writer, put};
use crate::print::gosort;

/// The events, if they are wanted. Those that may not be read are none, as for kubectl.
pub(super) fn describe(w: &mut Writer, subject: &Subject<'_>) {
    if !subject.context.with_events {
        return;
    }
    let events = subject
        .related
        .get(&Need::events(subject.kind, subject.object));
    table(w, events.unwrap_or_default(), &subject.context.clock);
}

/// A table of events, the latest last.
pub(super) fn table(w: &mut Writer, mut events: Vec<Field<'_>>, clock: &Clock) {
    if events.is_empty() {
        put!(w, 0, "Events:\t<none>\n");
        return;
    }
    let last = |event: &Field<'_>| instant(event.member("lastTimestamp"));
    gosort::sort(&mut events, |one, other| last(one) < last(other));
    put!(w, 0, "Events:\n  Type\tReason\tAge\tFrom\tMessage\n");
    put!(w, 1, "----\t------\t----\t----\t-------\n");
    for event in events {
        let text = |name| event.member(name).text();
        let source = match event.at("source.component").text() {
            "" => text("reportingComponent"),
            component => component,
        };
        let message = trimmed(text("message"));
        let path = event.at("involvedObject.fieldPath").text();
        let path = if path.is_empty() {
            String::new()
        } else {
            format!("{path}: ")
        };
        let age = age(event, clock);
        put!(
            w,
            1,
            "{}\t{}\t{age}\t{source}\t{path}{message}\n",
            text("type"),
            text("reason")
        );
    }
}

/// `5m`, or `5m (x3 over 2h)`.
fn age(event: Field<'_>, clock: &Clock) -> String {
    let first = match event.member("eventTime").some() {
        Some(time) => clock.since(time),
        None => clock.since(event.member("firstTimestamp")),
    };
    let (last, count) = match event.member("series").some() {
        Some(series) => (
            series.member("lastObservedTime"),
            series.member("count").int(),
        ),
        None if event.member("count").int() > 1 => {
            (event.member("lastTimestamp"), event.member("count").int())
        }
        None => return first,
    };
    format!("{} (x{count} over {first})", clock.since(last))
}

/// Without white space around it.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;
    use serde_json::{Value, json};

    fn check(events: &[Value], want: &str) {
        let clock = Clock {
            now_ms: 1_709_287_200_000,
            zone: TimeZone::UTC,
        };
        let mut w = Writer::new();
        table(&mut w, events.iter().map(Field::of).collect(), &clock);
        assert_eq!(w.finish(), want);
    }

    #[test]
    fn events_come_in_the_order_in_which_they_were_last_seen() {
        check(&[], "Events:  <none>\n");
        let events = [
            json!({"type": "Warning", "reason": "BackOff", "message": "again\n", "count": 3,
                   "source": {"component": "kubelet"}, "involvedObject": {"fieldPath": "spec.containers{a}"},
                   "firstTimestamp": "2024-03-01T08:00:00Z", "lastTimestamp": "2024-03-01T09:59:00Z"}),
            json!({"type": "Normal", "reason": "Started", "message": "up", "reportingComponent": "kubelet",
                   "firstTimestamp": "2024-03-01T08:00:00Z", "lastTimestamp": "2024-03-01T08:00:00Z", "count": 1}),
            json!({"type": "Normal", "reason": "Scaled", "message": "so", "reportingComponent": "x",
                   "eventTime": "2024-03-01T09:00:00.000000Z",
                   "series": {"count": 2, "lastObservedTime": "2024-03-01T09:30:00.000000Z"}}),
        ];
        check(
            &events,
            "Events:\n  Type     Reason   Age                 From     Message\n\
            \x20 ----     ------   ----                ----     -------\n\
            \x20 Normal   Scaled   30m (x2 over 60m)   x        so\n\
            \x20 Normal   Started  120m                kubelet  up\n\
            \x20 Warning  BackOff  60s (x3 over 120m)  kubelet  spec.containers{a}: again\n",
        );
    }
}
