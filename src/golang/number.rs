//! Numbers as Go's standard library prints them.
//!
//! kubectl reads a JSON number as int64 where it fits, else as float64, and prints what it read.

use serde_json::Number;

/// As `encoding/json` prints it: plain digits between 1e-6 and 1e21, else with an exponent.
pub fn json(number: &Number) -> String {
    if let Some(integer) = number.as_i64() {
        return integer.to_string();
    }
    float_as_json(number.as_f64().unwrap_or_default())
}

/// As `sigs.k8s.io/yaml` prints it: it takes the JSON text, reads it as YAML (integers to uint64) and prints that.
pub fn yaml(number: &Number) -> String {
    if let Some(integer) = number.as_i64() {
        return integer.to_string();
    }
    let float = number.as_f64().unwrap_or_default();
    let text = float_as_json(float);
    if text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok() {
        return text;
    }
    self::float(float)
}

/// As `fmt.Sprint` prints it.
pub fn plain_text(number: &Number) -> String {
    match number.as_i64() {
        Some(integer) => integer.to_string(),
        None => float(number.as_f64().unwrap_or_default()),
    }
}

/// `%v` of a float, `strconv.FormatFloat(f, 'g', -1, 64)`: the fewest digits, with an exponent below 1e-4 and from 1e+06
/// on.
pub fn float(float: f64) -> String {
    if float == 0.0 {
        return if float.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    let (digits, exponent) = shortest(float);
    if (-4..6).contains(&exponent) {
        plain(float < 0.0, &digits, exponent)
    } else {
        scientific(float < 0.0, &digits, exponent, 2)
    }
}

fn float_as_json(float: f64) -> String {
    // An API server writes -0.0 as "-0", and kubectl reads that as the integer 0.
    if float == 0.0 {
        return "0".to_owned();
    }
    let (digits, exponent) = shortest(float);
    if (1e-6..1e21).contains(&float.abs()) {
        plain(float < 0.0, &digits, exponent)
    } else {
        scientific(float < 0.0, &digits, exponent, 1)
    }
}

/// The shortest digits that read back as the same number, and the decimal exponent of the first.
///
/// serde_json's, because they are Ryu's as Go's are: between two candidates equally near, the even one. Rust's own
/// formatting takes the upper one.
fn shortest(float: f64) -> (String, i32) {
    let text = Number::from_f64(float.abs())
        .map(|number| number.to_string())
        .unwrap_or_default();
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0');
    let leading = i32::try_from(all.len() - digits.len()).unwrap_or(0);
    let whole = i32::try_from(whole.len()).unwrap_or(0);
    let exponent = exponent.parse().unwrap_or(0) + whole - leading - 1;
    (digits.trim_end_matches('0').to_owned(), exponent)
}

fn plain(negative: bool, digits: &str, exponent: i32) -> String {
    let sign = if negative { "-" } else { "" };
    match usize::try_from(exponent + 1) {
        Ok(whole) if whole >= digits.len() => {
            format!("{sign}{digits}{}", "0".repeat(whole - digits.len()))
        }
        Ok(whole) if whole > 0 => format!("{sign}{}.{}", &digits[..whole], &digits[whole..]),
        _ => {
            let zeros = usize::try_from(-exponent - 1).unwrap_or(0);
            format!("{sign}0.{}{digits}", "0".repeat(zeros))
        }
    }
}

fn scientific(negative: bool, digits: &str, exponent: i32, least: usize) -> String {
    let sign = if negative { "-" } else { "" };
    let (first, rest) = digits.split_at(1.min(digits.len()));
    let point = if rest.is_empty() { "" } else { "." };
    let exponent_sign = if exponent < 0 { '-' } else { '+' };
    format!(
        "{sign}{first}{point}{rest}e{exponent_sign}{:0least$}",
        exponent.abs()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_fmt_prints_them() {
        for (text, want) in [
            ("3", "3"),
            ("1234567", "1234567"),
            ("1234567.0", "1.234567e+06"),
            ("18446744073709551615", "1.8446744073709552e+19"),
            ("0.5", "0.5"),
            ("-0.0", "-0"),
        ] {
            assert_eq!(
                plain_text(&serde_json::from_str(text).unwrap()),
                want,
                "{text}"
            );
        }
    }

    fn check(text: &str, want_json: &str, want_yaml: &str) {
        let number: Number = serde_json::from_str(text).unwrap();
        assert_eq!(json(&number), want_json, "{text} as JSON");
        assert_eq!(yaml(&number), want_yaml, "{text} as YAML");
    }

    #[test]
    fn as_go_prints_them() {
        check("0", "0", "0");
        check("-0", "0", "0");
        check("1.0", "1", "1");
        check("0.5", "0.5", "0.5");
        check("-2.50", "-2.5", "-2.5");
        check(
            "9223372036854775807",
            "9223372036854775807",
            "9223372036854775807",
        );
        check(
            "9223372036854775808",
            "9223372036854776000",
            "9223372036854776000",
        );
        check(
            "18446744073709551615",
            "18446744073709552000",
            "1.8446744073709552e+19",
        );
        check("1e20", "100000000000000000000", "1e+20");
        check("1e21", "1e+21", "1e+21");
        check("1234567.5", "1234567.5", "1.2345675e+06");
        check("0.000001", "0.000001", "1e-06");
        check("0.0001", "0.0001", "0.0001");
        check("1e-7", "1e-7", "1e-07");
        // A tie: 547.2 and 547.3 are equally near.
        check(
            "1229325187532547.25",
            "1229325187532547.2",
            "1.2293251875325472e+15",
        );
        check("5e-324", "5e-324", "5e-324");
    }
}
