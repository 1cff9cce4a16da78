//! Two things in turns: A B A B ..., so that whatever the machine does besides meets both.

use crate::figure::Sample;
use crate::progress;
use anyhow::{Context, Result};
use std::time::{Duration, Instant};

/// What takes longer than this once is repeated [`FEW`] times only.
const LONG: Duration = Duration::from_secs(10);
const FEW: u32 = 3;

/// One figure of both.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) ours: Sample,
    pub(crate) baseline: Sample,
}

/// Runs ours and the baseline in turns and gives each of their `N` figures as samples. One turn before that is thrown
/// away: it fills caches, of both.
pub(crate) fn paired<const N: usize>(
    what: &str,
    repeats: u32,
    mut ours: impl FnMut() -> Result<[f64; N]>,
    mut baseline: impl FnMut() -> Result<[f64; N]>,
) -> Result<[Pair; N]> {
    progress(&format!("{what}: ours and baseline in turns"));
    let begin = Instant::now();
    ours().with_context(|| format!("{what}, ours"))?;
    let one = begin.elapsed();
    baseline().with_context(|| format!("{what}, baseline"))?;
    let slowest = one.max(begin.elapsed() - one);
    let repeats = if slowest < LONG {
        repeats
    } else {
        repeats.min(FEW)
    };
    let mut values: [(Vec<f64>, Vec<f64>); N] = std::array::from_fn(|_| Default::default());
    for turn in 1..=repeats {
        let (a, b) = (
            ours().with_context(|| format!("{what}, ours"))?,
            baseline().with_context(|| format!("{what}, baseline"))?,
        );
        for ((of_ours, of_baseline), (a, b)) in values.iter_mut().zip(a.into_iter().zip(b)) {
            of_ours.push(a);
            of_baseline.push(b);
        }
        progress(&format!("{what}: {turn} of {repeats}"));
    }
    Ok(values.map(|(ours, baseline)| Pair {
        ours: Sample::new(ours),
        baseline: Sample::new(baseline),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn they_take_turns_and_the_first_does_not_count() {
        let order = RefCell::new(String::new());
        let run = |name: char| {
            order.borrow_mut().push(name);
            Ok([order.borrow().len() as f64])
        };
        let [pair] = paired("test", 2, || run('a'), || run('b')).unwrap();
        assert_eq!(*order.borrow(), "ababab");
        assert_eq!((pair.ours.median(), pair.baseline.median()), (4.0, 5.0));
        assert_eq!(pair.ours.count(), 2);
    }

    #[test]
    fn a_failure_says_whose() {
        let fail = || anyhow::bail!("no cluster");
        let error = paired::<1>("get", 1, || Ok([1.0]), fail).unwrap_err();
        assert_eq!(format!("{error:#}"), "get, baseline: no cluster");
    }
}
