//! Durations as Kubernetes prints them, and what such a text says about the truth.
//!
//! Follows `k8s.io/apimachinery/pkg/util/duration`. A text like `12m` stands for a whole minute of durations: reading
//! it gives that interval, so that "does this instant explain that text" is a question with an answer.

use std::ops::Range;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;

/// Prints a duration of `ms` milliseconds as `HumanDuration` does.
pub fn human(ms: i64) -> String {
    // Go truncates towards zero, and so does Rust.
    let (seconds, minutes, hours) = (ms / SECOND, ms / MINUTE, ms / HOUR);
    let two = |big: i64, unit: char, small: i64, small_unit: char| match small {
        0 => format!("{big}{unit}"),
        _ => format!("{big}{unit}{small}{small_unit}"),
    };
    match () {
        () if seconds < -1 => "<invalid>".into(),
        () if seconds < 0 => "0s".into(),
        () if seconds < 120 => format!("{seconds}s"),
        () if minutes < 10 => two(minutes, 'm', seconds % 60, 's'),
        () if minutes < 180 => format!("{minutes}m"),
        () if hours < 8 => two(hours, 'h', minutes % 60, 'm'),
        () if hours < 48 => format!("{hours}h"),
        () if hours < 192 => two(hours / 24, 'd', hours % 24, 'h'),
        () if hours < 24 * 365 * 2 => format!("{}d", hours / 24),
        () if hours < 24 * 365 * 8 => two(hours / 24 / 365, 'y', hours / 24 % 365, 'd'),
        () => format!("{}y", hours / 24 / 365),
    }
}

/// The durations, in ms, that print as `text`; nothing if no duration does.
pub fn read(text: &str) -> Option<Range<i64>> {
    if text == "<invalid>" {
        return Some(i64::MIN / 2..-2 * SECOND + 1);
    }
    let mut start = 0i64;
    let mut rest = text;
    let mut unit_before = i64::MAX;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: i64 = rest.get(..digits)?.parse().ok()?;
        let unit = match rest.as_bytes().get(digits)? {
            b's' => SECOND,
            b'm' => MINUTE,
            b'h' => HOUR,
            b'd' => DAY,
            b'y' => YEAR,
            _ => return None,
        };
        if unit >= unit_before {
            return None;
        }
        unit_before = unit;
        start = start.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[digits + 1..];
    }
    (unit_before != i64::MAX).then(|| start..start.saturating_add(precision(start)))
}

/// Whether a duration of `ms` may have been printed as `text` up to `slack` ms earlier or later.
pub fn agrees(text: &str, ms: i64, slack: i64) -> bool {
    read(text).is_some_and(|range| range.start - slack <= ms && ms < range.end + slack)
}

/// How far apart two durations may be that print alike.
fn precision(ms: i64) -> i64 {
    match ms {
        _ if ms < 600_000 => SECOND,
        _ if ms < 28_800_000 => MINUTE,
        _ if ms < 691_200_000 => HOUR,
        _ if ms < 8 * YEAR => DAY,
        _ => YEAR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cases of apimachinery's own test.
    #[test]
    fn prints_as_apimachinery_does() {
        for (ms, text) in [
            (SECOND, "1s"),
            (70 * SECOND, "70s"),
            (190 * SECOND, "3m10s"),
            (70 * MINUTE, "70m"),
            (47 * HOUR, "47h"),
            (49 * HOUR, "2d1h"),
            ((8 * 24 + 2) * HOUR, "8d"),
            (367 * DAY, "367d"),
            ((365 * 2 * 24 + 25) * HOUR, "2y1d"),
            ((365 * 8 * 24 + 2) * HOUR, "8y"),
            (-2 * SECOND, "<invalid>"),
            (-2 * SECOND + 1, "0s"),
            (0, "0s"),
            (SECOND - 1, "0s"),
            (2 * MINUTE - 1, "119s"),
            (2 * MINUTE, "2m"),
            (2 * MINUTE + SECOND, "2m1s"),
            (10 * MINUTE - 1, "9m59s"),
            (10 * MINUTE, "10m"),
            (10 * MINUTE + SECOND, "10m"),
            (3 * HOUR - 1, "179m"),
            (3 * HOUR, "3h"),
            (3 * HOUR + MINUTE, "3h1m"),
            (8 * HOUR - 1, "7h59m"),
            (8 * HOUR, "8h"),
            (8 * HOUR + 59 * MINUTE, "8h"),
            (2 * DAY - 1, "47h"),
            (2 * DAY, "2d"),
            (2 * DAY + HOUR, "2d1h"),
            (8 * DAY - 1, "7d23h"),
            (8 * DAY, "8d"),
            (8 * DAY + 23 * HOUR, "8d"),
            (2 * YEAR - 1, "729d"),
            (2 * YEAR, "2y"),
            (2 * YEAR + 23 * HOUR, "2y"),
            (2 * YEAR + 23 * HOUR + 59 * MINUTE, "2y"),
            (2 * YEAR + DAY - 1, "2y"),
            (2 * YEAR + DAY, "2y1d"),
            (3 * YEAR, "3y"),
            (7 * YEAR, "7y"),
            (8 * YEAR - 1, "7y364d"),
            (8 * YEAR, "8y"),
            (8 * YEAR + 364 * DAY, "8y"),
            (9 * YEAR, "9y"),
        ] {
            assert_eq!(human(ms), text, "{ms} ms");
        }
        assert_eq!(human(i64::MIN), "<invalid>");
        assert!(human(i64::MAX).ends_with('y'));
    }

    #[test]
    fn what_is_printed_reads_as_an_interval_that_holds_it() {
        let mut ms = 0;
        while ms < 12 * YEAR {
            let range = read(&human(ms)).unwrap();
            assert!(range.contains(&ms), "{ms} {}", human(ms));
            for edge in [range.start, range.end - 1] {
                assert_eq!(human(edge), human(ms), "{ms}");
            }
            ms += 977 + ms / 300;
        }
        assert!(read("<invalid>").unwrap().contains(&-5000));
    }

    #[test]
    fn other_texts_are_no_durations() {
        for text in [
            "",
            "5",
            "m",
            "5x",
            "5m5",
            "1s1s",
            "1s1m",
            "-5m",
            "<none>",
            "<unknown>",
            "5 m",
            "٣m",
            "99999999999999999999y",
            "9223372036854775807y",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn an_instant_explains_a_text_within_the_slack() {
        assert!(agrees("12m", 12 * MINUTE + 59 * SECOND, 0));
        assert!(!agrees("12m", 13 * MINUTE, 0));
        assert!(agrees("12m", 13 * MINUTE, 2 * SECOND));
        assert!(!agrees("12m", 11 * MINUTE, 2 * SECOND));
        assert!(!agrees("soon", 0, i64::MAX / 4));
    }
}
