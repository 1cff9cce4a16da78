//! How long ago, in the words that kubectl uses.
//!
//! The rules of `k8s.io/apimachinery/pkg/util/duration`. Durations are in milliseconds and may be negative: the clocks of
//! two machines differ, and up to two seconds of that are forgiven.

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// Two to three significant figures: `119s`, `2m`, `7h59m`, `2d1h`, `2y1d`. The AGE column.
pub fn human(ms: i64) -> String {
    // Go truncates towards zero, as `/` does here.
    let seconds = ms / SECOND;
    if seconds < -1 {
        return "<invalid>".to_owned();
    }
    if seconds < 0 {
        return "0s".to_owned();
    }
    if seconds < 60 * 2 {
        return format!("{seconds}s");
    }
    let minutes = ms / MINUTE;
    if minutes < 10 {
        return two(minutes, "m", seconds % 60, "s");
    }
    if minutes < 60 * 3 {
        return format!("{minutes}m");
    }
    let hours = ms / HOUR;
    let days = hours / 24;
    match hours {
        ..8 => two(hours, "h", minutes % 60, "m"),
        8..48 => format!("{hours}h"),
        48..192 => two(days, "d", hours % 24, "h"),
        192..17_520 => format!("{days}d"),
        17_520..70_080 => two(days / 365, "y", days % 365, "d"),
        _ => format!("{}y", days / 365),
    }
}

/// One figure: `59s`, `1m`, `23h`, `364d`, `1y`.
pub fn short(ms: i64) -> String {
    let seconds = ms / SECOND;
    let (minutes, hours) = (ms / MINUTE, ms / HOUR);
    if seconds < -1 {
        "<invalid>".to_owned()
    } else if seconds < 0 {
        "0s".to_owned()
    } else if seconds < 60 {
        format!("{seconds}s")
    } else if minutes < 60 {
        format!("{minutes}m")
    } else if hours < 24 {
        format!("{hours}h")
    } else if hours < 24 * 365 {
        format!("{}d", hours / 24)
    } else {
        format!("{}y", hours / 24 / 365)
    }
}

/// `1d2h`, or `1d` when the second figure is nothing.
fn two(first: i64, first_unit: &str, second: i64, second_unit: &str) -> String {
    if second == 0 {
        format!("{first}{first_unit}")
    } else {
        format!("{first}{first_unit}{second}{second_unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * HOUR;
    const YEAR: i64 = 365 * DAY;

    /// apimachinery's own cases (duration_test.go); its nanosecond is our millisecond.
    #[test]
    fn human_is_what_apimachinery_says() {
        for (ms, want) in [
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
            assert_eq!(human(ms), want, "{ms} ms");
        }
    }

    #[test]
    fn short_is_what_apimachinery_says() {
        for (ms, want) in [
            (-2 * SECOND, "<invalid>"),
            (-2 * SECOND + 1, "0s"),
            (0, "0s"),
            (SECOND - 1, "0s"),
            (SECOND, "1s"),
            (2 * SECOND - 1, "1s"),
            (MINUTE - 1, "59s"),
            (MINUTE, "1m"),
            (2 * MINUTE - 1, "1m"),
            (HOUR - 1, "59m"),
            (HOUR, "1h"),
            (2 * HOUR - 1, "1h"),
            (DAY - 1, "23h"),
            (DAY, "1d"),
            (2 * DAY - 1, "1d"),
            (YEAR - 1, "364d"),
            (YEAR, "1y"),
            (2 * YEAR - 1, "1y"),
            (2 * YEAR, "2y"),
        ] {
            assert_eq!(short(ms), want, "{ms} ms");
        }
    }

    #[test]
    fn extremes_do_not_overflow() {
        assert_eq!(human(i64::MIN), "<invalid>");
        assert!(human(i64::MAX).ends_with('y'));
    }
}
