//! Rows, goals, verdicts; docs/benchmarks.md.

use crate::figure::{Sample, Unit};
use crate::machine;
use crate::paired::Pair;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// One measurement's result.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Section {
    pub(crate) title: String,
    /// How it was measured, a paragraph.
    pub(crate) method: String,
    pub(crate) rows: Vec<Row>,
    /// Why it, or its end, is missing.
    pub(crate) failure: Option<String>,
    /// Pods in the largest cluster.
    pub(crate) pods: u32,
    /// On what, one line each.
    pub(crate) machine: Vec<String>,
}

/// Ours beside something else.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    what: String,
    ours: String,
    baseline: String,
    ratio: String,
    goal: String,
    met: Option<bool>,
}

impl Row {
    /// Ours beside a baseline of that name, by their medians.
    pub(crate) fn pair(what: impl Into<String>, unit: Unit, pair: &Pair, baseline: &str) -> Self {
        let ratio = pair.ours.median() / pair.baseline.median();
        Self {
            what: what.into(),
            ours: unit.show_sample(&pair.ours),
            baseline: format!("{baseline}: {}", unit.show_sample(&pair.baseline)),
            ratio: shown(ratio),
            ..Self::default()
        }
        .judged(ratio, None)
    }

    /// Ours beside a baseline of that name, one number each.
    pub(crate) fn values(
        what: impl Into<String>,
        unit: Unit,
        ours: f64,
        (baseline, value): (&str, f64),
    ) -> Self {
        let one = |value| Sample::new(vec![value]);
        let pair = Pair {
            ours: one(ours),
            baseline: one(value),
        };
        Self::pair(what, unit, &pair, baseline)
    }

    /// A number that stands alone.
    pub(crate) fn alone(what: impl Into<String>, ours: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            ours: ours.into(),
            ..Self::default()
        }
    }

    /// What the ratio should be at most, and how that is written.
    pub(crate) fn at_most(self, limit: f64, written: &str) -> Self {
        let ratio = self.ratio.parse().unwrap_or(f64::NAN);
        self.judged(ratio, Some((limit, written)))
    }

    /// A goal that is met or not.
    pub(crate) fn met(mut self, goal: &str, met: bool) -> Self {
        goal.clone_into(&mut self.goal);
        self.met = Some(met);
        self
    }

    fn judged(self, ratio: f64, goal: Option<(f64, &str)>) -> Self {
        match goal {
            // Not a number meets nothing.
            Some((limit, written)) => self.met(&format!("≤ {written}"), ratio <= limit),
            None => self,
        }
    }

    fn verdict(&self) -> &'static str {
        match self.met {
            Some(true) => "met",
            Some(false) => "**missed**",
            None => "",
        }
    }
}

/// Four significant digits: enough that a goal is judged by what is shown.
fn shown(ratio: f64) -> String {
    match ratio.abs() {
        _ if !ratio.is_finite() => "-".to_owned(),
        large if large >= 10.0 => format!("{ratio:.1}"),
        middle if middle >= 0.1 => format!("{ratio:.3}"),
        _ => format!("{ratio:.5}"),
    }
}

/// `12,345`.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

impl Section {
    /// Goals that were met, and those that there are. What failed has missed one.
    fn score(&self) -> (usize, usize) {
        let judged = self.rows.iter().filter_map(|row| row.met);
        let (met, all) = judged.fold((0, 0), |(met, all), this| {
            (met + usize::from(this), all + 1)
        });
        (met, all + usize::from(self.failure.is_some()))
    }

    pub(crate) fn save(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// An earlier result; none if there is none that can be read.
    pub(crate) fn load(path: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }

    fn render(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "\n## {}\n\n{}\n", self.title, self.method)?;
        if !self.rows.is_empty() {
            writeln!(
                out,
                "| what | ours | baseline | ratio | goal | |\n|---|---|---|---|---|---|"
            )?;
        }
        for row in &self.rows {
            let Row {
                what,
                ours,
                baseline,
                ratio,
                goal,
                ..
            } = row;
            writeln!(
                out,
                "| {what} | {ours} | {baseline} | {ratio} | {goal} | {} |",
                row.verdict()
            )?;
        }
        if let Some(failure) = &self.failure {
            writeln!(out, "\n**Not measured to its end:** {failure}")?;
        }
        Ok(())
    }
}

/// The page: all sections, and the machine of each that was measured on another one than this.
pub(crate) fn page(sections: &[Section], real: bool) -> Result<String> {
    let here = machine::describe();
    let mut out = String::from(
        "# Benchmarks\n\nMeasured by `make bench`; nothing here is written by hand.\n",
    );
    if !real {
        writeln!(
            out,
            "\n**A trial: small, or not a release build. These figures say nothing.**"
        )?;
    }
    writeln!(
        out,
        "\nOurs and the baseline take turns (A B A B ...), on the same machine, API server and broker. A figure is the"
    )?;
    writeln!(
        out,
        "median, and in brackets the quartiles; a ratio is ours through the baseline.\n"
    )?;
    for line in &here {
        writeln!(out, "- {line}")?;
    }
    let scores = sections.iter().map(Section::score);
    let (met, all) = scores.fold((0, 0), |(met, all), one| (met + one.0, all + one.1));
    writeln!(out, "\n{met} of {all} goals are met.")?;
    for section in sections {
        section.render(&mut out)?;
        if section.machine != here {
            writeln!(
                out,
                "\nMeasured on: {}; {} pods.",
                section.machine.join("; "),
                section.pods
            )?;
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ours: f64, baseline: f64) -> Row {
        Row::values("get", Unit::Seconds, ours, ("kubectl", baseline))
    }

    #[test]
    fn a_goal_is_judged_by_the_ratio() {
        assert_eq!(row(1.0, 4.0).at_most(1.0 / 3.0, "1/3").verdict(), "met");
        assert_eq!(
            row(2.0, 4.0).at_most(1.0 / 3.0, "1/3").verdict(),
            "**missed**"
        );
        assert_eq!(row(1.0, 0.0).at_most(1.0, "1").verdict(), "**missed**");
        assert_eq!(row(1.0, 4.0).verdict(), "");
    }

    #[test]
    fn digits_are_grouped() {
        let numbers = [7, 123, 1_000, 100_001].map(grouped);
        assert_eq!(numbers, ["7", "123", "1,000", "100,001"]);
    }

    #[test]
    fn what_failed_is_shown_with_what_was_measured_before() {
        let section = Section {
            title: "Get".into(),
            rows: vec![row(1.0, 4.0).at_most(0.5, "1/2")],
            failure: Some("no mosquitto".into()),
            ..Section::default()
        };
        let page = page(&[section], false).unwrap();
        for part in [
            "| get | 1.00 s | kubectl: 4.00 s | 0.250 | ≤ 1/2 | met |",
            "no mosquitto",
            "1 of 2 goals",
            "A trial",
        ] {
            assert!(page.contains(part), "{part:?} is not in\n{page}");
        }
    }
}
