//! How many of all: a number or a percentage, rounded up.

use super::IntOrString;

/// How many of `total` are meant; none, if it is neither a number nor a percentage.
///
/// Numbers are as they are, also those that are below zero or above `total`: what these mean differs from field to field.
pub fn of(said: &IntOrString, total: usize) -> Option<i64> {
    match said {
        IntOrString::Int(number) => Some(i64::from(*number)),
        IntOrString::String(text) => {
            let percent: f64 = text.strip_suffix('%')?.parse().ok()?;
            let share = (percent / 100.0 * total as f64).ceil();
            share.is_finite().then_some(share as i64)
        }
    }
}

/// The same where nothing, less than one and more than all mean `otherwise`.
pub fn within(said: Option<&IntOrString>, total: usize, otherwise: usize) -> Option<usize> {
    let Some(said) = said else {
        return Some(otherwise);
    };
    let wanted = usize::try_from(of(said, total)?).unwrap_or(0);
    Some(match wanted {
        0 => otherwise,
        wanted if wanted > total => otherwise,
        wanted => wanted,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_percentages() {
        let text = |it: &str| IntOrString::String(it.to_owned());
        for (said, total, want) in [
            (IntOrString::Int(3), 10, Some(3)),
            (IntOrString::Int(-1), 10, Some(10)),
            (IntOrString::Int(0), 10, Some(10)),
            (IntOrString::Int(11), 10, Some(10)),
            (text("20%"), 10, Some(2)),
            (text("25%"), 10, Some(3)),
            (text("100%"), 10, Some(10)),
            (text("3"), 10, None),
            (text("x%"), 10, None),
            (text("50%"), 0, Some(0)),
        ] {
            assert_eq!(within(Some(&said), total, total), want, "{said:?}");
        }
        assert_eq!(within(None, 10, 7), Some(7));
    }
}
