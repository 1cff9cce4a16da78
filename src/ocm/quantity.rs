//! Quantities, as far as scores go: about how much is `16Gi`?

use serde_json::Value;

/// About how much a quantity is, as `AsApproximateFloat64` of apimachinery has it; none if it is no quantity.
pub fn approximate(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => of_text(text),
        _ => None,
    }
}

fn of_text(text: &str) -> Option<f64> {
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '+' | '-');
    let end = text.find(|c| !is_number(c)).unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let found = number.parse::<f64>().ok()? * factor(suffix)?;
    found.is_finite().then_some(found)
}

fn factor(suffix: &str) -> Option<f64> {
    let binary = |power| Some(1024_f64.powi(power));
    let decimal = |power| Some(10_f64.powi(power));
    match suffix {
        "" => Some(1.0),
        "Ki" => binary(1),
        "Mi" => binary(2),
        "Gi" => binary(3),
        "Ti" => binary(4),
        "Pi" => binary(5),
        "Ei" => binary(6),
        "n" => decimal(-9),
        "u" => decimal(-6),
        "m" => decimal(-3),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        exponent => {
            let power = exponent.strip_prefix(['e', 'E'])?.parse::<i32>().ok()?;
            decimal(power)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn about_how_much() {
        for (text, want) in [
            (json!("2"), Some(2.0)),
            (json!(4), Some(4.0)),
            (json!("250m"), Some(0.25)),
            (json!("16Gi"), Some(17_179_869_184.0)),
            (json!("1.5k"), Some(1500.0)),
            (json!("2e3"), Some(2000.0)),
            (json!("1E"), Some(1e18)),
            (json!("Gi"), None),
            (json!("1Q"), None),
            (json!(""), None),
            (json!("1e999"), None),
            (json!(null), None),
        ] {
            assert_eq!(approximate(&text), want, "{text}");
        }
    }
}
