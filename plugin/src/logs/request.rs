//! What a `logs` asks for.

use mqtt_informer::informer::log::LogSelection;
use regex::Regex;

/// Types whose objects are pods.
const PODS: [&str; 5] = ["pods", "pod", "po", "pods.v1", "pods.v1."];

/// Whose logs.
#[derive(Clone, Debug)]
pub enum Subject {
    /// Pods whose names contain a match; all, if there is none.
    Matching(Option<Regex>),
    /// The pod of this name.
    Pod(String),
    /// The pods that an object selects: `deploy/web`, `svc/web`.
    SelectedBy {
        /// The type, as typed.
        word: String,
        /// The object's name.
        name: String,
    },
}

/// Which containers of a pod.
#[derive(Clone, Debug, Default)]
pub enum Containers {
    /// The one that its annotation names, or the first.
    #[default]
    Default,
    /// All, those of its beginning and for debugging included.
    All,
    /// Those whose names match as a whole.
    Named(Regex),
}

/// What is read of each log, and which of its lines are shown.
#[derive(Clone, Debug)]
pub struct Request {
    /// Whose.
    pub subject: Subject,
    /// Which containers.
    pub containers: Containers,
    /// Which part; without names.
    pub part: LogSelection,
    /// Only lines that match one of these, if there are any.
    pub include: Vec<Regex>,
    /// No line that matches one of these.
    pub exclude: Vec<Regex>,
    /// How many logs may be open at once.
    pub most: usize,
}

/// What is wrong with the words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRequest {
    /// Neither words nor a selector.
    #[error(
        "say whose logs: a regular expression of pods' names, TYPE/NAME, or a selector (-l); '.' is for all pods"
    )]
    NoSubject,
    /// Words and a selector.
    #[error("only a selector (-l) or a POD name is allowed")]
    SubjectAndSelector,
    /// `a/b/c`, `/b`, `a/`.
    #[error("arguments in resource/name form must have a single resource and name")]
    Pair,
    /// A regular expression that is none.
    #[error("{what} {text:?}: {why}")]
    Regex {
        /// Which argument.
        what: &'static str,
        /// As typed.
        text: String,
        /// What is wrong with it, and where.
        why: String,
    },
    /// Two ways to say since when.
    #[error("at most one of `sinceTime` or `sinceSeconds` may be specified")]
    TwoTimes,
    /// No time.
    #[error("--since-time {0:?}: write it as 2026-11-25T10:00:00Z")]
    Time(String),
    /// A line count that is none.
    #[error("--tail must be greater than or equal to -1")]
    Tail,
}

/// Reads the words: none with a selector, `REGEX`, `TYPE/NAME`, and a container behind either.
pub fn subject(words: &[String], selector: &str) -> Result<Subject, InvalidRequest> {
    let word = match words.first() {
        None if selector.is_empty() => return Err(InvalidRequest::NoSubject),
        None => return Ok(Subject::Matching(None)),
        Some(_) if !selector.is_empty() => return Err(InvalidRequest::SubjectAndSelector),
        Some(word) => word,
    };
    match word.split_once('/') {
        None => Ok(Subject::Matching(Some(regex("POD", word)?))),
        Some((kind, name)) => {
            if kind.is_empty() || name.is_empty() || name.contains('/') || kind.contains(',') {
                return Err(InvalidRequest::Pair);
            }
            Ok(match PODS.contains(&kind.to_lowercase().as_str()) {
                true => Subject::Pod(name.to_owned()),
                false => Subject::SelectedBy {
                    word: kind.to_owned(),
                    name: name.to_owned(),
                },
            })
        }
    }
}

/// Reads `--container`: a name, or a regular expression of whole names.
pub fn containers(name: Option<&str>, all: bool) -> Result<Containers, InvalidRequest> {
    match name {
        Some(name) => {
            // It has to be one by itself before something is put around it.
            regex("--container", name)?;
            Ok(Containers::Named(regex(
                "--container",
                &format!("^(?:{name})$"),
            )?))
        }
        None if all => Ok(Containers::All),
        None => Ok(Containers::Default),
    }
}

/// Reads a regular expression.
pub fn regex(what: &'static str, text: &str) -> Result<Regex, InvalidRequest> {
    Regex::new(text).map_err(|error| {
        let why = error.to_string();
        // The place is drawn over several lines; the last one says what is wrong.
        let why = why.lines().last().unwrap_or_default();
        InvalidRequest::Regex {
            what,
            text: text.to_owned(),
            why: why.trim_start_matches("error: ").to_owned(),
        }
    })
}

/// How much of a log: `tail` -1 for all of it. `since` in seconds, `since_time` in RFC 3339.
pub fn part(
    tail: Option<i64>,
    since_s: Option<u64>,
    since_time: Option<&str>,
) -> Result<LogSelection, InvalidRequest> {
    if since_s.is_some() && since_time.is_some() {
        return Err(InvalidRequest::TwoTimes);
    }
    let tail = match tail {
        None | Some(-1) => None,
        Some(lines) => Some(u64::try_from(lines).map_err(|_| InvalidRequest::Tail)?),
    };
    let time = |text: &str| text.parse::<jiff::Timestamp>();
    let from_s = since_time
        .map(|text| time(text).map_err(|_| InvalidRequest::Time(text.to_owned())))
        .transpose()?
        .map(jiff::Timestamp::as_second);
    Ok(LogSelection {
        tail,
        since_s,
        from_s,
        ..LogSelection::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(words: &[&str], selector: &str) -> String {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        match subject(&words, selector) {
            Ok(Subject::Matching(None)) => "all".into(),
            Ok(Subject::Matching(Some(regex))) => format!("/{regex}/"),
            Ok(Subject::Pod(name)) => format!("pod {name}"),
            Ok(Subject::SelectedBy { word, name }) => format!("{word} {name}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn words_say_whose() {
        for (words, selector, want) in [
            (&["web"][..], "", "/web/"),
            (&["pod/web-0"], "", "pod web-0"),
            (&["Pods/web-0"], "", "pod web-0"),
            (&["deploy/web"], "", "deploy web"),
            (&[], "app=web", "all"),
            (
                &["web"],
                "app=web",
                "only a selector (-l) or a POD name is allowed",
            ),
            (
                &["a/b/c"],
                "",
                "arguments in resource/name form must have a single resource and name",
            ),
            (
                &["/b"],
                "",
                "arguments in resource/name form must have a single resource and name",
            ),
            (&["we("], "", "POD \"we(\": unclosed group"),
        ] {
            assert_eq!(said(words, selector), want);
        }
        assert!(said(&[], "").starts_with("say whose logs"));
    }

    #[test]
    fn a_container_is_named_as_a_whole() {
        let Ok(Containers::Named(regex)) = containers(Some("app|web"), false) else {
            panic!("named")
        };
        assert!(regex.is_match("app") && !regex.is_match("app-2"));
        assert!(containers(Some("a)(b"), false).is_err());
    }

    #[test]
    fn how_much() {
        let read = part(Some(5), None, Some("2026-11-25T10:00:00+01:00")).unwrap();
        assert_eq!((read.tail, read.from_s), (Some(5), Some(1_795_597_200)));
        assert_eq!(part(Some(-1), Some(60), None).unwrap().tail, None);
        assert_eq!(part(Some(-2), None, None), Err(InvalidRequest::Tail));
        assert_eq!(
            part(None, Some(1), Some("x")),
            Err(InvalidRequest::TwoTimes)
        );
        assert_eq!(
            part(None, None, Some("x")),
            Err(InvalidRequest::Time("x".into()))
        );
    }
}
