//! Moments and ages as people write them. Pure: the caller brings the time.

use crate::cli::duration;
use jiff::Timestamp;
use std::time::Duration;

/// Reads a moment: an RFC 3339 time, or how long ago (`10m`, `2d`).
///
/// # Errors
/// One line that says what was expected; a moment that has not come yet is none.
pub fn moment(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let wrong = || {
        format!(
            "{text:?} is no moment; write how long ago (10m, 2d) or a time as 2026-01-31T12:00:00Z"
        )
    };
    let at = match text.parse::<Timestamp>() {
        Ok(at) => at,
        Err(_) => ago(text, now).map_err(|_| wrong())?,
    };
    match at > now {
        true => Err(format!("{text:?} has not come yet: history is of the past")),
        false => Ok(at),
    }
}

/// The moment that was so long ago.
fn ago(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let length = length(text)?;
    now.checked_sub(length).map_err(|error| error.to_string())
}

/// As Go writes durations; days and weeks too, which ages are printed in: `1d12h`.
fn length(text: &str) -> Result<Duration, String> {
    let (mut total, mut rest) = (Duration::ZERO, text);
    for (unit, seconds) in [('w', 7 * 24 * 3600), ('d', 24 * 3600)] {
        if let Some((number, after)) = rest.split_once(unit) {
            let number: u32 = number.parse().map_err(|_| "no number".to_owned())?;
            total += Duration::from_secs(seconds) * number.min(100_000);
            rest = after;
        }
    }
    match rest {
        "" if !text.is_empty() => Ok(total),
        rest => Ok(total + duration(rest)?),
    }
}

/// A bound for when an object was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Created {
    /// It is younger.
    After(Timestamp),
    /// It is older.
    Before(Timestamp),
}

/// Reads a condition of an age, `<1h` or `>2d`, as seen at a moment.
///
/// # Errors
/// One line that says what was expected.
pub(super) fn age(text: &str, now: Timestamp) -> Result<Created, String> {
    let wrong = || format!("{text:?} is no age; write <1h for younger objects, >2d for older ones");
    let bound = |rest: &str| {
        let rest = rest.strip_prefix('=').unwrap_or(rest);
        ago(rest.trim(), now).map_err(|_| wrong())
    };
    match (text.strip_prefix('<'), text.strip_prefix('>')) {
        (Some(rest), _) => Ok(Created::After(bound(rest)?)),
        (_, Some(rest)) => Ok(Created::Before(bound(rest)?)),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn a_moment_is_a_time_or_how_long_ago() {
        let now = at(10_000_000);
        for (text, expected) in [
            ("10m", 10_000_000 - 600),
            ("1m30s", 10_000_000 - 90),
            ("2d", 10_000_000 - 2 * 86_400),
            ("1w1d1h", 10_000_000 - 8 * 86_400 - 3_600),
            ("0", 10_000_000),
            ("1970-01-01T00:00:07Z", 7),
            ("1970-01-01T01:00:07+01:00", 7),
        ] {
            assert_eq!(moment(text, now), Ok(at(expected)), "{text}");
        }
        for text in [
            "",
            "10",
            "d",
            "-1h",
            "yesterday",
            "2999-01-01T00:00:00Z",
            "99999999999d",
            "1h2d",
        ] {
            assert!(moment(text, now).is_err(), "{text}");
        }
    }

    #[test]
    fn an_age_bounds_when_something_was_created() {
        let now = at(10_000);
        assert_eq!(age("<1h", now), Ok(Created::After(at(6_400))));
        assert_eq!(age(">=1h", now), Ok(Created::Before(at(6_400))));
        for text in ["", "1h", "=1h", "<", "<1x"] {
            assert!(age(text, now).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,24}", number in any::<u64>(), unit in "[smhdw]") {
            for text in [text, format!("{number}{unit}")] {
                let _ = moment(&text, at(10_000));
                let _ = age(&format!("<{text}"), at(10_000));
            }
        }
    }
}
