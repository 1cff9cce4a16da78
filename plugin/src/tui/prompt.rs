//! A line that is typed: a command or a filter.

use tui_input::{Input, InputRequest};

/// What is typed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// `:`
    Command,
    /// `/`
    Filter,
}

/// What is being typed.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// For what.
    pub purpose: Purpose,
    input: Input,
    /// What was there before: it comes back if the prompt is left.
    pub before: String,
    /// How the line began when it was first completed, and which candidate it shows.
    tab: Option<(String, usize)>,
    /// Which of the lines that were typed before it shows, counted from the last.
    recalled: Option<usize>,
}

impl Prompt {
    /// One that begins with this text.
    pub fn new(purpose: Purpose, text: &str) -> Self {
        Self {
            purpose,
            input: Input::new(text.to_owned()),
            before: text.to_owned(),
            tab: None,
            recalled: None,
        }
    }

    /// What is typed so far.
    pub fn text(&self) -> &str {
        self.input.value()
    }

    /// How many columns of the screen lie before the cursor.
    pub fn cursor(&self) -> usize {
        self.input.visual_cursor()
    }

    /// Edits it.
    pub fn edit(&mut self, request: InputRequest) {
        self.tab = None;
        self.input.handle(request);
    }

    /// Types a text, of which only the first line counts.
    pub fn paste(&mut self, text: &str) {
        let line = text.lines().next().unwrap_or_default();
        for c in line.chars().filter(|c| !c.is_control()) {
            self.edit(InputRequest::InsertChar(c));
        }
    }

    /// Another text in place of it.
    pub fn set(&mut self, text: &str) {
        self.input = Input::new(text.to_owned());
    }

    /// Shows the next candidate for what was typed.
    pub fn complete(&mut self, candidates: impl Fn(&str) -> Vec<String>) {
        let (typed, at) = match self.tab.take() {
            Some((typed, at)) => (typed, at + 1),
            None => (self.text().to_owned(), 0),
        };
        let candidates = candidates(&typed);
        if let Some(candidate) = candidates.get(at % candidates.len().max(1)) {
            self.set(candidate);
            self.tab = Some((typed, at));
        }
    }

    /// What was typed before the first completion: candidates are for that.
    pub fn stem(&self) -> &str {
        self.tab.as_ref().map_or(self.text(), |(typed, _)| typed)
    }

    /// Shows a line that was typed before: further back, or nearer again.
    pub fn recall(&mut self, typed: &[String], back: bool) {
        let at = match (self.recalled, back) {
            (None, true) => Some(0),
            // What is being typed is the last line there is.
            (None, false) => return,
            (Some(0), false) => None,
            (Some(at), true) => Some((at + 1).min(typed.len().saturating_sub(1))),
            (Some(at), false) => Some(at - 1),
        };
        let line = at.and_then(|at| typed.iter().rev().nth(at));
        self.recalled = at.filter(|_| line.is_some());
        let text = line.cloned().unwrap_or_default();
        self.tab = None;
        self.set(&text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tab_goes_through_the_candidates_of_what_was_typed() {
        let mut prompt = Prompt::new(Purpose::Command, "p");
        let candidates = |typed: &str| {
            assert_eq!(typed, "p");
            vec!["pods".to_owned(), "pv".to_owned()]
        };
        for want in ["pods", "pv", "pods"] {
            prompt.complete(candidates);
            assert_eq!((prompt.text(), prompt.stem()), (want, "p"));
        }
        prompt.edit(InputRequest::InsertChar('x'));
        assert_eq!((prompt.text(), prompt.stem()), ("podsx", "podsx"));
    }

    #[test]
    fn earlier_lines_come_back() {
        let typed = ["pods".to_owned(), "nodes".to_owned()];
        let mut prompt = Prompt::new(Purpose::Command, "");
        for (back, want) in [
            (true, "nodes"),
            (true, "pods"),
            (true, "pods"),
            (false, "nodes"),
            (false, ""),
        ] {
            prompt.recall(&typed, back);
            assert_eq!(prompt.text(), want);
        }
        prompt.set("po");
        prompt.recall(&typed, false);
        assert_eq!(prompt.text(), "po", "nothing was typed after it");
    }

    #[test]
    fn what_is_pasted_is_one_line() {
        let mut prompt = Prompt::new(Purpose::Filter, "");
        prompt.paste("web\u{1b}-1\nrm -rf");
        assert_eq!(prompt.text(), "web-1");
    }
}
