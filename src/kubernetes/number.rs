//! JSON values in a table's cell, printed as kubectl prints them: Go's `fmt.Sprint`.

use serde_json::Value;

/// Prints a value that is neither a string nor null.
pub(super) fn sprint(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".into(),
        Value::Bool(bool) => bool.to_string(),
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => shortest(float),
            _ => number.to_string(),
        },
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(sprint).collect();
            format!("[{}]", values.join(" "))
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(key, _)| *key);
            let members: Vec<String> = members
                .iter()
                .map(|(key, value)| format!("{key}:{}", sprint(value)))
                .collect();
            format!("map[{}]", members.join(" "))
        }
    }
}

/// Go's `%v` of a float: the fewest digits that tell it from all others; an exponent below 1e-4 and from 1e+06 on.
fn shortest(float: f64) -> String {
    let scientific = format!("{float:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
        _ => format!("{float}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each right side was printed by Go: `fmt.Sprint(v)` after `json.Unmarshal`.
    #[test]
    fn prints_as_go_does() {
        for (json, text) in GO {
            assert_eq!(
                sprint(&serde_json::from_str(json).unwrap()),
                *text,
                "{json}"
            );
        }
    }

    const GO: &[(&str, &str)] = &[
        ("true", "true"),
        ("5", "5"),
        ("-7", "-7"),
        ("0.5", "0.5"),
        ("1.5e3", "1500"),
        ("1000000.5", "1.0000005e+06"),
        ("1e6", "1e+06"),
        ("123456789.25", "1.2345678925e+08"),
        ("1e20", "1e+20"),
        ("1e21", "1e+21"),
        ("1.5e22", "1.5e+22"),
        ("0.0001", "0.0001"),
        ("0.00001", "1e-05"),
        ("1.25e-7", "1.25e-07"),
        ("[1,\"a\",null]", "[1 a <nil>]"),
        ("{\"b\":1.5,\"a\":[true]}", "map[a:[true] b:1.5]"),
    ];
}
