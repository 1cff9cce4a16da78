//! The options of a list or of a watch: the query. Pure.
//!
//! Follows `metav1.ListOptions`, its conversion from a query (the first of several values counts), and
//! `ValidateListOptions` of apimachinery.

use super::status::Refusal;
use crate::protocol::selector::{FieldSelector, InvalidSelector, LabelSelector};
use crate::store::Cursor;
use std::time::Duration;

/// What of the object a Table's row has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Include {
    /// Nothing.
    None,
    /// Its metadata.
    #[default]
    Metadata,
    /// All of it.
    Object,
}

/// The options of a list, or of a watch.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    pub(super) watch: bool,
    pub(super) labels: LabelSelector,
    pub(super) fields: FieldSelector,
    /// Where to begin.
    pub(super) version: Version,
    pub(super) limit: Option<u64>,
    pub(super) next: Option<Cursor>,
    pub(super) bookmarks: bool,
    /// KEP-3157: the objects as they are, as events, then a bookmark that says so.
    pub(super) initial_events: Option<bool>,
    pub(super) timeout: Option<Duration>,
    pub(super) include: Include,
}

/// Which moment is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Version {
    /// Nothing is said: the newest.
    #[default]
    Newest,
    /// `0`: any moment.
    Any,
    /// That one, or a later one.
    NotOlderThan(u64),
    /// That one.
    Exact(u64),
}

/// The parameters as they came.
#[derive(Debug, Default)]
struct Raw {
    watch: String,
    label_selector: String,
    field_selector: String,
    resource_version: String,
    resource_version_match: String,
    limit: String,
    next: String,
    allow_watch_bookmarks: String,
    send_initial_events: Option<String>,
    timeout_seconds: String,
    include_object: String,
}

impl Options {
    /// Reads the options of a query.
    pub(super) fn read(query: &str) -> Result<Self, Refusal> {
        let raw = raw(query);
        let mut options = Self {
            watch: boolean(&raw.watch),
            labels: selector("labelSelector", LabelSelector::parse(&raw.label_selector))?,
            fields: selector("fieldSelector", FieldSelector::parse(&raw.field_selector))?,
            bookmarks: boolean(&raw.allow_watch_bookmarks),
            initial_events: raw.send_initial_events.as_deref().map(boolean),
            include: include(&raw.include_object)?,
            limit: number("limit", &raw.limit)?.filter(|limit| *limit > 0),
            timeout: number("timeoutSeconds", &raw.timeout_seconds)?
                .filter(|seconds| *seconds > 0)
                .map(Duration::from_secs),
            ..Self::default()
        };
        let causes = match options.watch {
            true => forbidden_of_watches(&raw),
            false => forbidden_of_lists(&raw),
        };
        if !causes.is_empty() {
            return Err(Refusal::invalid_options(&causes));
        }
        options.version = version(&raw)?;
        if !raw.next.is_empty() && !options.watch {
            if !matches!(options.version, Version::Newest | Version::Any) {
                return Err(Refusal::bad_request(
                    "specifying resource version is not allowed when using continue",
                ));
            }
            let read = raw.next.parse::<Cursor>();
            options.next = Some(read.map_err(|error| {
                Refusal::bad_request(format!("continue key is not valid: {error}"))
            })?);
        }
        Ok(options)
    }
}

fn raw(query: &str) -> Raw {
    let mut raw = Raw::default();
    let mut seen = Vec::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if seen.contains(&name) {
            continue;
        }
        let text = value.into_owned();
        match &*name {
            "watch" => raw.watch = or_true(text),
            "labelSelector" => raw.label_selector = text,
            "fieldSelector" => raw.field_selector = text,
            "resourceVersion" => raw.resource_version = text,
            "resourceVersionMatch" => raw.resource_version_match = text,
            "limit" => raw.limit = text,
            "continue" => raw.next = text,
            "allowWatchBookmarks" => raw.allow_watch_bookmarks = or_true(text),
            "sendInitialEvents" => raw.send_initial_events = Some(or_true(text)),
            "timeoutSeconds" => raw.timeout_seconds = text,
            "includeObject" => raw.include_object = text,
            _ => {}
        }
        seen.push(name);
    }
    raw
}

/// A parameter without a value is true: `?watch`.
fn or_true(text: String) -> String {
    match text.as_str() {
        "" => "true".to_owned(),
        _ => text,
    }
}

/// As apimachinery's conversion: all but `false` and `0` is true.
fn boolean(text: &str) -> bool {
    !(text.is_empty() || text == "0" || text.eq_ignore_ascii_case("false"))
}

fn number(name: &str, text: &str) -> Result<Option<u64>, Refusal> {
    match text {
        "" => Ok(None),
        // A negative limit is none.
        text if text
            .strip_prefix('-')
            .is_some_and(|it| it.parse::<u64>().is_ok()) =>
        {
            Ok(None)
        }
        text => text.parse().map(Some).map_err(|_| {
            Refusal::bad_request(format!(
                "{name}: strconv.ParseInt: parsing {text:?}: invalid syntax"
            ))
        }),
    }
}

fn selector<T>(what: &str, parsed: Result<T, InvalidSelector>) -> Result<T, Refusal> {
    parsed.map_err(|error| Refusal::bad_request(format!("unable to parse {what}: {error}")))
}

fn include(text: &str) -> Result<Include, Refusal> {
    match text {
        "" | "Metadata" => Ok(Include::Metadata),
        "None" => Ok(Include::None),
        "Object" => Ok(Include::Object),
        other => Err(Refusal::bad_request(format!(
            "unrecognized includeObject value: {other:?}"
        ))),
    }
}

fn version(raw: &Raw) -> Result<Version, Refusal> {
    let text = raw.resource_version.as_str();
    match (text, raw.resource_version_match.as_str()) {
        ("", _) => Ok(Version::Newest),
        ("0", _) => Ok(Version::Any),
        (text, how) => {
            let number = text.parse().map_err(|_| {
                Refusal::bad_request(format!(
                    "Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax"
                ))
            })?;
            match how {
                "Exact" => Ok(Version::Exact(number)),
                // A first page is of exactly that moment, unless it is said that a later one will do.
                "" if boolean_limit(&raw.limit) => Ok(Version::Exact(number)),
                _ => Ok(Version::NotOlderThan(number)),
            }
        }
    }
}

fn boolean_limit(limit: &str) -> bool {
    limit.parse::<u64>().is_ok_and(|limit| limit > 0)
}

type Cause = (&'static str, &'static str, String);

const FORBIDDEN: &str = "FieldValueForbidden";
const MATCH: &str = "resourceVersionMatch";
const EVENTS: &str = "sendInitialEvents";

fn forbidden_of_lists(raw: &Raw) -> Vec<Cause> {
    let mut causes = Vec::new();
    let how = raw.resource_version_match.as_str();
    let mut forbid = |field, why: &str| causes.push((field, FORBIDDEN, why.to_owned()));
    if !how.is_empty() {
        if raw.resource_version.is_empty() {
            forbid(
                MATCH,
                "resourceVersionMatch is forbidden unless resourceVersion is provided",
            );
        }
        if !raw.next.is_empty() {
            forbid(
                MATCH,
                "resourceVersionMatch is forbidden when continue is provided",
            );
        }
        if how == "Exact" && raw.resource_version == "0" {
            forbid(
                MATCH,
                "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"",
            );
        }
    }
    if raw.send_initial_events.is_some() {
        forbid(EVENTS, "sendInitialEvents is forbidden for list");
    }
    if !matches!(how, "" | "Exact" | "NotOlderThan") {
        causes.push(unsupported(
            how,
            "supported values: \"\", \"Exact\", \"NotOlderThan\"",
        ));
    }
    causes
}

fn forbidden_of_watches(raw: &Raw) -> Vec<Cause> {
    let mut causes = Vec::new();
    let how = raw.resource_version_match.as_str();
    let mut forbid = |field, why: &str| causes.push((field, FORBIDDEN, why.to_owned()));
    if raw.send_initial_events.is_some() && how != "NotOlderThan" {
        forbid(
            MATCH,
            "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        );
    }
    if !how.is_empty() {
        if raw.send_initial_events.is_none() {
            forbid(
                MATCH,
                "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
            );
        }
        if !raw.next.is_empty() {
            forbid(
                MATCH,
                "resourceVersionMatch is forbidden when continue is provided",
            );
        }
    }
    if !matches!(how, "" | "NotOlderThan") {
        causes.push(unsupported(how, "supported values: \"NotOlderThan\""));
    }
    causes
}

fn unsupported(value: &str, supported: &str) -> Cause {
    let message = format!("Unsupported value: {value:?}: {supported}");
    (MATCH, "FieldValueNotSupported", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(query: &str) -> String {
        let status = Options::read(query).unwrap_err().json();
        format!("{} {}", status["code"], status["message"].as_str().unwrap())
    }

    #[test]
    fn what_clients_say() {
        let kubectl = Options::read("limit=500").unwrap();
        assert_eq!(
            (kubectl.limit, kubectl.version),
            (Some(500), Version::Newest)
        );
        let reflector = Options::read(
            "allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&sendInitialEvents=true&timeoutSeconds=371&watch=true",
        )
        .unwrap();
        assert!(reflector.watch && reflector.bookmarks);
        assert_eq!(reflector.initial_events, Some(true));
        assert_eq!(reflector.timeout, Some(Duration::from_secs(371)));
        let get =
            Options::read("includeObject=Object&labelSelector=app%3Dweb%2Ctier+in+%28a%2Cb%29")
                .unwrap();
        assert_eq!(get.include, Include::Object);
        assert_eq!(get.labels.to_string(), "app=web,tier in (a,b)");
        for (query, watch) in [
            ("watch", true),
            ("watch=1", true),
            ("watch=yes", true),
            ("watch=0", false),
            ("watch=False", false),
            ("watch=true&watch=false", true),
            ("", false),
        ] {
            assert_eq!(Options::read(query).unwrap().watch, watch, "{query}");
        }
    }

    #[test]
    fn which_moment() {
        for (query, version) in [
            ("", Version::Newest),
            ("resourceVersion=0", Version::Any),
            ("resourceVersion=7", Version::NotOlderThan(7)),
            ("resourceVersion=7&limit=5", Version::Exact(7)),
            (
                "resourceVersion=7&limit=5&resourceVersionMatch=NotOlderThan",
                Version::NotOlderThan(7),
            ),
            (
                "resourceVersion=7&resourceVersionMatch=Exact",
                Version::Exact(7),
            ),
            (
                "resourceVersion=0&resourceVersionMatch=NotOlderThan",
                Version::Any,
            ),
        ] {
            assert_eq!(Options::read(query).unwrap().version, version, "{query}");
        }
    }

    #[test]
    fn what_does_not_go_together_is_refused_in_the_api_server_s_words() {
        let invalid = "422 ListOptions.meta.k8s.io \"\" is invalid: ";
        for (query, expected) in [
            (
                "resourceVersionMatch=Exact",
                format!("{invalid}resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"),
            ),
            (
                "sendInitialEvents=true&watch=true",
                format!("{invalid}resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"),
            ),
            (
                "resourceVersion=1&watch=true&resourceVersionMatch=NotOlderThan",
                format!("{invalid}resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"),
            ),
            (
                "resourceVersion=1&resourceVersionMatch=Newer",
                format!("{invalid}resourceVersionMatch: Unsupported value: \"Newer\": supported values: \"\", \"Exact\", \"NotOlderThan\""),
            ),
            (
                "labelSelector=a%3D%3D%3D",
                "400 unable to parse labelSelector: unable to parse requirement: found '=', expected: identifier".to_owned(),
            ),
            ("limit=many", "400 limit: strconv.ParseInt: parsing \"many\": invalid syntax".to_owned()),
            (
                "resourceVersion=x",
                "400 Invalid value: \"x\": strconv.ParseUint: parsing \"x\": invalid syntax".to_owned(),
            ),
            ("includeObject=All", "400 unrecognized includeObject value: \"All\"".to_owned()),
        ] {
            assert_eq!(refused(query), expected, "{query}");
        }
        assert!(refused("continue=%21").starts_with("400 continue key is not valid"));
    }
}
