//! `events`, without broker and terminal: events of one cluster as `kubectl events` prints them, of many in one table.
//!
//! A port of `k8s.io/kubectl/pkg/cmd/events` (events.go, event_printer.go) of 0.36.
//!
//! **Architecture invariant:** pure. No IO, no clock but the one given, no async.

mod event;
mod ordered;
mod printer;

pub use event::Event;
pub use printer::{EventForm, EventPrinter};

/// What is wrong with the words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEvents {
    /// `--for web`
    #[error("--for must be in resource/name form")]
    NoPair,
    /// `--for a/b/c`
    #[error("arguments in resource/name form may not have more than one slash")]
    Slashes,
    /// `--types x`
    #[error("valid --types are Normal or Warning")]
    Types,
}

/// Reads `--for`: a type as typed, and a name.
pub fn involved(text: &str) -> Result<(String, String), InvalidEvents> {
    let words: Vec<_> = text.split('/').collect();
    match words.as_slice() {
        [kind, name] => Ok((kind.to_lowercase(), (*name).to_owned())),
        [_] | [] => Err(InvalidEvents::NoPair),
        _ => Err(InvalidEvents::Slashes),
    }
}

/// Checks `--types`.
pub fn types(types: &[String]) -> Result<(), InvalidEvents> {
    let known = |it: &String| {
        ["Normal", "Warning"]
            .iter()
            .any(|t| it.eq_ignore_ascii_case(t))
    };
    match types.iter().all(known) {
        true => Ok(()),
        false => Err(InvalidEvents::Types),
    }
}

/// Sorts by time, as kubectl does: also what is of one time.
pub fn sort(events: &mut [Event]) {
    crate::print::gosort::sort(events, |one, other| one.time() < other.time());
}

/// The field selector of the events about an object.
pub fn fields(kind: &str, api_version: &str, name: &str) -> String {
    format!(
        "involvedObject.kind={kind},involvedObject.apiVersion={api_version},involvedObject.name={name}"
    )
}

/// Nothing was found, in kubectl's words.
pub fn none_found(namespace: Option<&str>) -> String {
    match namespace {
        Some(namespace) => format!(
            "No events found in {} namespace.",
            crate::print::sanitize::word(namespace)
        ),
        None => "No events found.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_checked_as_kubectl_does() {
        assert_eq!(involved("Pod/web"), Ok(("pod".into(), "web".into())));
        assert_eq!(involved("web"), Err(InvalidEvents::NoPair));
        assert_eq!(involved("a/b/c"), Err(InvalidEvents::Slashes));
        assert_eq!(types(&["normal".into(), "WARNING".into()]), Ok(()));
        assert_eq!(types(&["x".into()]), Err(InvalidEvents::Types));
    }
}
