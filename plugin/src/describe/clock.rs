//! Instants as kubectl prints them: in the reader's time zone, or as the time since.

use super::field::Field;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use mqtt_informer::kubernetes::duration;

/// What Go prints of a time that was never set.
const NEVER: &str = "Mon, 01 Jan 0001 00:00:00 +0000";

/// Now, and where.
#[derive(Clone, Debug)]
pub struct Clock {
    /// The clock of the cluster's API server, ms since 1970.
    pub now_ms: i64,
    /// The reader's time zone.
    pub zone: TimeZone,
}

impl Clock {
    /// `Mon, 02 Jan 2006 15:04:05 -0700`.
    pub(super) fn date(&self, field: Field<'_>) -> String {
        match self.zoned(field, "%a, %d %b %Y %H:%M:%S %z") {
            Some(text) => text,
            None => NEVER.to_owned(),
        }
    }

    /// `2006-01-02 15:04:05 -0700 MST`.
    pub(super) fn date_and_zone(&self, field: Field<'_>) -> String {
        match self.zoned(field, "%Y-%m-%d %H:%M:%S %z %Z") {
            Some(text) => text,
            None => "0001-01-01 00:00:00 +0000 UTC".to_owned(),
        }
    }

    /// `5m`: how long ago.
    pub(super) fn since(&self, field: Field<'_>) -> String {
        match instant(field) {
            Some(at) => duration::human(self.now_ms.saturating_sub(at.as_millisecond())),
            None => "<unknown>".to_owned(),
        }
    }

    fn zoned(&self, field: Field<'_>, format: &str) -> Option<String> {
        let zoned = instant(field)?.to_zoned_datetime(self.zone.clone());
        Some(zoned.strftime(format).to_string())
    }
}

/// The time between two instants, if both were set.
pub(super) fn between(start: Field<'_>, end: Field<'_>) -> Option<String> {
    let ms = instant(end)?.as_millisecond() - instant(start)?.as_millisecond();
    Some(duration::human(ms))
}

/// The instant that a field holds, if it holds one.
pub(super) fn instant(field: Field<'_>) -> Option<Timestamp> {
    field.text().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn dates_are_the_reader_s_and_ages_the_server_s() {
        let value = json!({"at": "2024-03-01T10:00:00Z", "micro": "2024-03-01T10:00:00.654321Z"});
        let clock = |zone: TimeZone| Clock {
            now_ms: 1_709_287_500_000,
            zone,
        };
        let at = Field::of(&value).at("at");
        let utc = clock(TimeZone::UTC);
        assert_eq!(utc.date(at), "Fri, 01 Mar 2024 10:00:00 +0000");
        assert_eq!(utc.date_and_zone(at), "2024-03-01 10:00:00 +0000 UTC");
        let east = clock(TimeZone::fixed(jiff::tz::offset(1)));
        assert_eq!(
            east.date(Field::of(&value).at("micro")),
            "Fri, 01 Mar 2024 11:00:00 +0100"
        );
        assert_eq!(
            (utc.since(at), utc.since(Field::default())),
            ("5m".into(), "<unknown>".into())
        );
        assert_eq!(utc.date(Field::default()), NEVER);
    }
}
