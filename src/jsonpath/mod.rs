//! kubectl's JSONPath: `{.items[*].metadata.name}`, `{range .items[*]}...{end}`, `{.a[?(@.b=="c")]}`.
//!
//! A port of `k8s.io/client-go/util/jsonpath`, whose dialect is nobody else's, and of what stands around it in kubectl
//! (`RelaxedJSONPathExpression` of customcolumn.go). Errors are theirs word for word; a [`SyntaxError`] also tells
//! where. The plugin prints with it, the agent reads status with it; tests against client-go's own are the plugin's.
//!
//! | module | what it is |
//! |---|---|
//! | `parser`, `unquote` | templates into nodes |
//! | `walk`, `compare` | what nodes find in an object |
//! | `item` | one thing that was found |
//!
//! **Architecture invariant:** pure; the same template finds the same in the same object.

mod compare;
mod item;
mod parser;
mod unquote;
mod walk;

pub use item::Item;
pub use parser::SyntaxError;

use parser::Node;
use serde_json::Value;
use std::borrow::Cow;
use walk::Walk;

/// A template that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    text: String,
    nodes: Vec<Node>,
    /// A field that nothing has is nothing; otherwise it is an error.
    allow_missing_keys: bool,
}

impl Template {
    /// Reads a template. What is missing in an object is no error unless [`Template::with_missing_keys`] says so.
    ///
    /// # Errors
    /// In client-go's words.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        Ok(Self {
            nodes: parser::parse(text)?,
            text: text.to_owned(),
            allow_missing_keys: true,
        })
    }

    /// Reads a path whose braces and first point may be left out.
    ///
    /// # Errors
    /// In kubectl's words; where the mistake is in the path as it was typed.
    pub fn parse_relaxed(path: &str) -> Result<Self, SyntaxError> {
        let full = relaxed(path)?;
        // Two characters were put before what is left of the path.
        let left = full.len().saturating_sub("{.}".len());
        let offset = path
            .len()
            .saturating_sub(left + usize::from(path.starts_with('{')));
        Self::parse(&full).map_err(|error| SyntaxError {
            at: (error.at + offset).saturating_sub(2).min(path.len()),
            ..error
        })
    }

    /// Whether a field that nothing has is nothing; otherwise it is an error.
    #[must_use]
    pub fn with_missing_keys(self, allowed: bool) -> Self {
        Self {
            allow_missing_keys: allowed,
            ..self
        }
    }

    /// As it was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What each piece of the template finds.
    ///
    /// # Errors
    /// In client-go's words.
    pub fn find<'a>(&'a self, object: &'a Value) -> Result<Vec<Vec<Item<'a>>>, String> {
        Walk::new(&self.nodes, self.allow_missing_keys).find(Item::Json(object), 0)
    }

    /// The first thing that is found.
    ///
    /// # Errors
    /// In client-go's words.
    pub fn first<'a>(&'a self, object: &'a Value) -> Result<Option<Item<'a>>, String> {
        let found = self.find(object)?;
        Ok(found.first().and_then(|found| found.first()).copied())
    }
}

/// A path as `--sort-by` and custom columns have it: braces and the first point may be left out.
///
/// # Errors
/// When there are braces within it.
pub fn relaxed(path: &str) -> Result<Cow<'_, str>, SyntaxError> {
    if path.is_empty() {
        return Ok(Cow::Borrowed(path));
    }
    let inside = path
        .strip_prefix('{')
        .and_then(|path| path.strip_suffix('}'));
    let inside = inside.unwrap_or(path);
    // A point alone is the path itself.
    let spec = inside
        .strip_prefix('.')
        .filter(|spec| !spec.is_empty())
        .unwrap_or(inside);
    match spec.find(['{', '}']) {
        None if !spec.is_empty() => Ok(Cow::Owned(format!("{{.{spec}}}"))),
        brace => Err(SyntaxError {
            message: "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or \
                      '{.name1.name2}'"
                .to_owned(),
            at: brace.map_or(0, |at| at + path.find(spec).unwrap_or(0)),
        }),
    }
}
