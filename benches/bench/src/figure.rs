//! Numbers with a spread and a unit.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Measured values of one thing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sample {
    sorted: Vec<f64>,
}

impl Sample {
    pub(crate) fn new(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self { sorted: values }
    }

    pub(crate) fn count(&self) -> usize {
        self.sorted.len()
    }

    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The value below which a fraction `q` of the values lies, by linear interpolation; not a number if there is none.
    pub(crate) fn quantile(&self, q: f64) -> f64 {
        let Some(last) = self.sorted.len().checked_sub(1) else {
            return f64::NAN;
        };
        let place = q * last as f64;
        let (below, above) = (place.floor() as usize, place.ceil() as usize);
        let (low, high) = (self.sorted[below], self.sorted[above]);
        low + (high - low) * place.fract()
    }
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Seconds,
    Bytes,
    PerSecond,
    Count,
}

impl Unit {
    /// The number as people read it, with three digits.
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            _ if !value.is_finite() => "-".to_owned(),
            Self::Seconds => scaled(value, &[(1.0, "s"), (1e-3, "ms"), (1e-6, "µs")]),
            Self::Bytes => scaled(value, &[(1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")]),
            Self::PerSecond => format!("{} /s", digits(value)),
            Self::Count => digits(value),
        }
    }

    /// The median, and between which values the middle half lies.
    pub(crate) fn show_sample(self, sample: &Sample) -> String {
        let median = self.show(sample.median());
        if sample.count() < 2 {
            return median;
        }
        let (low, high) = (sample.quantile(0.25), sample.quantile(0.75));
        format!("{median} ({} – {})", self.show(low), self.show(high))
    }
}

fn scaled(value: f64, units: &[(f64, &str)]) -> String {
    let fits = units.iter().find(|(size, _)| value.abs() >= *size);
    let (size, name) = fits.or(units.last()).copied().unwrap_or((1.0, ""));
    format!("{} {name}", digits(value / size))
}

fn digits(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Seconds.
pub(crate) fn seconds(times: &[Duration]) -> Sample {
    Sample::new(times.iter().map(Duration::as_secs_f64).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_the_values() {
        let sample = Sample::new(vec![4.0, 1.0, 3.0, 2.0, 5.0]);
        assert_eq!(sample.median(), 3.0);
        assert_eq!(sample.quantile(0.25), 2.0);
        assert_eq!(sample.quantile(0.0), 1.0);
        assert_eq!(sample.quantile(1.0), 5.0);
        assert_eq!(Sample::new(vec![1.0, 2.0]).median(), 1.5);
        assert!(Sample::default().median().is_nan());
    }

    #[test]
    fn numbers_have_units_that_fit() {
        for (unit, value, shown) in [
            (Unit::Seconds, 7.2, "7.20 s"),
            (Unit::Seconds, 0.065, "65.0 ms"),
            (Unit::Seconds, 58e-6, "58.0 µs"),
            (Unit::Seconds, 1e-9, "0.00 µs"),
            (Unit::Bytes, 764e6, "764 MB"),
            (Unit::Bytes, 11_600.0, "11.6 kB"),
            (Unit::Bytes, 0.0, "0.00 B"),
            (Unit::PerSecond, 2500.0, "2500 /s"),
            (Unit::Count, f64::NAN, "-"),
        ] {
            assert_eq!(unit.show(value), shown);
        }
        let sample = Sample::new(vec![1.0, 2.0, 3.0]);
        assert_eq!(
            Unit::Seconds.show_sample(&sample),
            "2.00 s (1.50 s – 2.50 s)"
        );
    }
}
