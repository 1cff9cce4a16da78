//! Durations as Go writes them: `90m`, `1h30m`, `1.5s`, `0`.

use std::time::Duration;

/// Reads a duration as `time.ParseDuration` does, but for what is below zero.
pub fn parse(text: &str) -> Option<Duration> {
    let text = text.strip_prefix('+').unwrap_or(text);
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(end);
        let unit_end = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_end);
        let seconds = number.parse::<f64>().ok()? * unit_seconds(unit)?;
        total = total.checked_add(Duration::try_from_secs_f64(seconds).ok()?)?;
        rest = next;
    }
    (!text.is_empty()).then_some(total)
}

fn unit_seconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 1e-9,
        "us" | "µs" | "μs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_go_reads_them() {
        for (text, seconds) in [
            ("0", Some(0.0)),
            ("360s", Some(360.0)),
            ("90m", Some(5400.0)),
            ("1h30m", Some(5400.0)),
            ("1.5s", Some(1.5)),
            ("5m0s", Some(300.0)),
            ("100ms", Some(0.1)),
            ("", None),
            ("5", None),
            ("-5s", None),
            ("5d", None),
            ("s", None),
            ("1..5s", None),
            ("99999999999999999999999h", None),
        ] {
            let got = parse(text).map(|it| it.as_secs_f64());
            assert_eq!(got, seconds, "{text}");
        }
    }
}
