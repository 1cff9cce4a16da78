//! `get works --watch`: the table, and then each line that becomes another one.

use super::{Asking, lines};
use crate::error::Failure;
use crate::get::member::Trouble;
use crate::get::messages;
use crate::terminal::Terminal;
use crate::tui::view::hub;
use std::collections::BTreeSet;
use std::mem::{Discriminant, discriminant};

/// Prints them until somebody ends it, or until it may last no longer. Once it has begun it lives through lost
/// connections and restarts, as any `get --watch` does.
pub(super) async fn follow(asking: &Asking<'_>, terminal: &mut Terminal) -> Result<(), Failure> {
    let (args, informer) = (asking.args, asking.attached.informer());
    let hub = &args.hub.hub;
    let subscription = informer.subscribe(hub, asking.selection());
    let (mut changes, mut state) = (subscription.store().changes(), subscription.store().state());
    let mut clusters = informer.clusters();
    let first = asking.read(terminal).await?;
    // Whoever is there has said so: what an agent said before it left is old.
    asking.reader.discovered().await;
    let rows = asking.rows(&first);
    asking.tell_missing(&asking.missing(&rows), &first, terminal)?;
    if rows.is_empty() && !asking.names.is_empty() {
        // Nothing will ever come of a name that is not there.
        return ended(!args.ignore_not_found);
    }
    let mut printed = Printed::default();
    if args.watch_only {
        printed.rows = Some(rows);
    }
    let (mut read, mut told, mut has_failed) = (Ok(first), Told::Whole, false);
    loop {
        let before = std::mem::replace(&mut told, Told::of(&read));
        let is_news = told != before;
        match read {
            Ok(read) => {
                terminal.out(&printed.next(asking.rows(&read), args.no_headers))?;
                match read.doubt {
                    Some(doubt) if is_news => terminal.err(&messages::stale(hub, doubt))?,
                    None if is_news => terminal.err(&messages::fresh_again(hub))?,
                    _ => {}
                }
            }
            Err(Trouble::TooSlow) => return ended(has_failed && !args.allow_partial),
            Err(trouble) => {
                if is_news {
                    terminal.err(&asking.reader.hub_line(hub, &trouble))?;
                }
                if matches!(trouble, Trouble::Refused(_)) {
                    return ended(true);
                }
            }
        }
        has_failed |= told != Told::Whole;
        tokio::select! {
            _ = changes.next() => {}
            Ok(()) = state.changed() => {}
            Ok(()) = clusters.changed() => {}
            () = asking.reader.ended() => return ended(has_failed && !args.allow_partial),
        }
        read = asking.reader.read(hub, asking.selection()).await;
    }
}

fn ended(has_failed: bool) -> Result<(), Failure> {
    match has_failed {
        true => Err(Failure::Told(1)),
        false => Ok(()),
    }
}

/// What was said last of how good the lines are: each once.
#[derive(PartialEq)]
enum Told {
    Whole,
    Stale,
    Trouble(Discriminant<Trouble>),
}

impl Told {
    fn of(read: &Result<super::Read, Trouble>) -> Self {
        match read {
            Ok(read) if read.doubt.is_none() => Self::Whole,
            Ok(_) => Self::Stale,
            Err(trouble) => Self::Trouble(discriminant(trouble)),
        }
    }
}

/// What is on the terminal already.
#[derive(Default)]
struct Printed {
    /// The lines; none before the first.
    rows: Option<Vec<Vec<String>>>,
    heads: bool,
}

impl Printed {
    /// What is to be printed now that these are the lines.
    fn next(&mut self, rows: Vec<Vec<String>>, no_headers: bool) -> String {
        let told = match &self.rows {
            None => rows.clone(),
            Some(known) => news(known, &rows),
        };
        let heads = !self.heads && !no_headers;
        self.heads |= !told.is_empty();
        let text = some_lines(&rows, told, heads);
        self.rows = Some(rows);
        text
    }
}

/// The rows that were not there, say something else, or went. How old a work is, is no news.
fn news(known: &[Vec<String>], rows: &[Vec<String>]) -> Vec<Vec<String>> {
    let said = |row: &[String]| -> Vec<String> {
        let cells = row.iter().zip(hub::WORKS);
        let told = cells.filter(|(_, head)| *head != "AGE");
        told.map(|(cell, _)| cell.clone()).collect()
    };
    let id = |row: &[String]| (row.first().cloned(), row.get(1).cloned());
    let before: BTreeSet<_> = known.iter().map(|row| said(row)).collect();
    let now: BTreeSet<_> = rows.iter().map(|row| id(row)).collect();
    let changed = rows.iter().filter(|row| !before.contains(&said(row)));
    let gone = known.iter().filter(|row| !now.contains(&id(row)));
    changed.chain(gone).cloned().collect()
}

/// These rows, as wide as the table that they are of, and under its heads if these are wanted.
fn some_lines(table: &[Vec<String>], rows: Vec<Vec<String>>, heads: bool) -> String {
    let (many, skipped) = (rows.len(), table.len() + 1);
    let all = table.iter().cloned().chain(rows).collect();
    let text = lines(all, false);
    let head = text
        .split_inclusive('\n')
        .take(usize::from(heads && many > 0));
    let rest = text.split_inclusive('\n').skip(skipped);
    head.chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADS: &str = "CLUSTER   NAME   APPLIED   AVAILABLE   MANIFESTS   AGE   REASON\n";

    fn a(applied: &str, age: &str) -> Vec<String> {
        ["a", "web", applied, "True", "1/1", age, ""]
            .map(str::to_owned)
            .to_vec()
    }

    fn b() -> Vec<String> {
        ["berlin", "db", "True", "True", "1/1", "5m", ""]
            .map(str::to_owned)
            .to_vec()
    }

    #[test]
    fn a_line_that_becomes_another_one_is_news() {
        let mut printed = Printed::default();
        let first = vec![a("False", "5m"), b()];
        assert_eq!(printed.next(first.clone(), false), lines(first, false));
        assert_eq!(printed.next(vec![a("False", "6m"), b()], false), "");
        assert_eq!(
            printed.next(vec![a("True", "6m"), b()], false),
            "a         web    True      True        1/1         6m\n"
        );
        assert_eq!(
            printed.next(vec![a("True", "6m")], false),
            "berlin    db     True      True        1/1         5m\n",
            "it went"
        );
    }

    #[test]
    fn heads_stand_above_the_first_line_only() {
        let mut printed = Printed {
            rows: Some(vec![a("False", "5m")]),
            heads: false,
        };
        assert_eq!(printed.next(vec![a("False", "5m")], false), "");
        let text = printed.next(vec![a("True", "5m")], false);
        assert!(
            text.starts_with(HEADS) && text.lines().count() == 2,
            "{text}"
        );
        let again = printed.next(vec![a("False", "5m")], false);
        assert_eq!(again.lines().count(), 1, "{again}");
        let mut bare = Printed::default();
        assert_eq!(bare.next(vec![a("True", "5m")], true).lines().count(), 1);
    }
}
