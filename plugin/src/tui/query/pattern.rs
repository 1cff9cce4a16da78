//! What is typed to filter lists and logs: a regular expression, turned round by `!` before it.

use super::regex;
use regex::Regex;

/// See the module.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Regex,
    inverse: bool,
}

impl Pattern {
    /// Reads what was typed; none if that is nothing, which everything passes.
    ///
    /// # Errors
    /// A line that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Option<Self>, String> {
        let (text, inverse) = match text.strip_prefix('!') {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        match text {
            "" => Ok(None),
            text => Ok(Some(Self {
                regex: regex(text)?,
                inverse,
            })),
        }
    }

    /// Whether what consists of these texts passes.
    pub fn takes<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> bool {
        let mut texts = texts.into_iter();
        texts.any(|text| self.regex.is_match(text)) != self.inverse
    }
}
