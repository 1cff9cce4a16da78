//! What is searched for. Pure: the caller brings the time.

use super::parameters::{Endpoint, Given};
use super::path::FieldPath;
use super::problem::{Kind, Problem};
use super::token::Token;
use super::when::{Created, age, moment};
use crate::informer::Clusters;
use crate::protocol::selector::{LabelSelector, check_label};
use jiff::Timestamp;

/// How long a page is if nothing is said, and at most.
const LIMIT: usize = 100;
const MOST: usize = 500;
/// So many conditions at most.
const CONDITIONS: usize = 32;
/// Texts to look for are no longer.
const LONGEST: usize = 512;

/// A search, a count, or the watch of a search.
#[derive(Clone, Debug)]
pub(super) struct Query {
    /// Words for resources; none for all.
    pub(super) kinds: Vec<String>,
    pub(super) clusters: Clusters,
    /// None for all.
    pub(super) namespaces: Vec<String>,
    pub(super) labels: LabelSelector,
    pub(super) owner: Option<Owner>,
    pub(super) name: Option<String>,
    pub(super) conditions: Vec<Condition>,
    pub(super) created_after: Option<Timestamp>,
    pub(super) created_before: Option<Timestamp>,
    pub(super) order: Option<Order>,
    pub(super) limit: usize,
    pub(super) at: Option<Timestamp>,
    pub(super) page: Option<Token>,
    pub(super) fields: Vec<FieldPath>,
    pub(super) object: bool,
    pub(super) row: bool,
    pub(super) by: Option<By>,
    /// When it was asked first: what ages and "ago" are counted from, on all pages.
    pub(super) asked: Timestamp,
    pub(super) identity: u32,
}

/// Who owns an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) kind: Option<String>,
    pub(super) name: Option<String>,
}

/// A condition of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) path: FieldPath,
    pub(super) operator: Operator,
    pub(super) value: String,
}

/// What has to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Contains,
    Exists,
    Absent,
}

/// As they are written; the longer first, where one begins like another.
const OPERATORS: [(&str, Operator); 8] = [
    ("!=", Operator::NotEqual),
    ("==", Operator::Equal),
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Contains),
];

/// By what answers are ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) by: OrderBy,
    pub(super) descending: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum OrderBy {
    Created,
    Name,
    Namespace,
    Phase,
    Field(FieldPath),
}

/// What there is one count for each of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum By {
    Cluster,
    Namespace,
    Kind,
    Phase,
    Label(String),
    Field(FieldPath),
}

impl Query {
    /// Reads a query string.
    ///
    /// # Errors
    /// What is wrong with it first.
    pub(super) fn parse(query: &str, of: Endpoint, now: Timestamp) -> Result<Self, Problem> {
        let given = Given::parse(query, of)?;
        let identity = given.identity();
        let page = given
            .one("continue")
            .map(|text| Token::parse(text, identity, now));
        let page = page.transpose()?;
        let asked = page.as_ref().map_or(now, |page| page.asked);
        let (created_after, created_before) = created(&given, asked)?;
        let text = |name: &'static str| short(name, given.one(name));
        Ok(Self {
            kinds: given.words("kind").into_iter().map(str::to_owned).collect(),
            clusters: Clusters::new(given.words("cluster"))
                .map_err(|error| Problem::parameter("cluster", error))?,
            namespaces: given
                .words("namespace")
                .into_iter()
                .map(str::to_owned)
                .collect(),
            labels: LabelSelector::parse(given.one("labels").unwrap_or_default())
                .map_err(|error| Problem::parameter("labels", error))?,
            owner: text("owner")?.map(owner).transpose()?,
            name: text("name")?.map(str::to_owned),
            conditions: conditions(&given)?,
            created_after,
            created_before,
            order: text("order")?.map(order).transpose()?,
            limit: limit(&given)?,
            at: at(&given, asked)?,
            page,
            fields: fields(&given)?,
            object: given.switch("object")?,
            row: given.switch("row")?,
            by: text("by")?.map(by).transpose()?,
            asked,
            identity,
        })
    }

    /// The paths that it names, and in which parameter.
    pub(super) fn paths(&self) -> Vec<(&'static str, &FieldPath)> {
        let conditions = self.conditions.iter().map(|it| ("where", &it.path));
        let order = self.order.iter().filter_map(|order| match &order.by {
            OrderBy::Field(path) => Some(("order", path)),
            _ => None,
        });
        let by = self.by.iter().filter_map(|by| match by {
            By::Field(path) => Some(("by", path)),
            _ => None,
        });
        let fields = self.fields.iter().map(|path| ("fields", path));
        conditions.chain(order).chain(by).chain(fields).collect()
    }
}

fn short<'a>(name: &'static str, text: Option<&'a str>) -> Result<Option<&'a str>, Problem> {
    match text {
        Some(text) if text.len() > LONGEST => Err(Problem::parameter(
            name,
            format!("longer than {LONGEST} bytes"),
        )),
        text => Ok(text),
    }
}

/// A number of results.
pub(super) fn limit(given: &Given) -> Result<usize, Problem> {
    let Some(text) = given.one("limit") else {
        return Ok(LIMIT);
    };
    let number = text
        .parse()
        .ok()
        .filter(|number| (1..=MOST).contains(number));
    number.ok_or_else(|| {
        Problem::parameter(
            "limit",
            format!("{text:?} is no number from 1 to {MOST}; continue asks for more"),
        )
    })
}

/// A moment.
pub(super) fn at(given: &Given, asked: Timestamp) -> Result<Option<Timestamp>, Problem> {
    let at = given.one("at").map(|text| moment(text, asked));
    at.transpose().map_err(|why| Problem::parameter("at", why))
}

/// The narrowest bounds that ages give.
fn created(
    given: &Given,
    asked: Timestamp,
) -> Result<(Option<Timestamp>, Option<Timestamp>), Problem> {
    let (mut after, mut before) = (None, None);
    for text in given.all("age") {
        match age(text, asked).map_err(|why| Problem::parameter("age", why))? {
            Created::After(at) => after = after.max(Some(at)),
            Created::Before(at) => {
                before = Some(before.map_or(at, |known: Timestamp| known.min(at)));
            }
        }
    }
    Ok((after, before))
}

fn owner(text: &str) -> Result<Owner, Problem> {
    let part = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    match text.split_once('/') {
        Some((kind, name)) if !name.contains('/') && text != "/" => Ok(Owner {
            kind: part(kind),
            name: part(name),
        }),
        _ => Err(Problem::parameter(
            "owner",
            format!("{text:?} is no owner; write Kind/name, Kind/ or /name"),
        )),
    }
}

fn conditions(given: &Given) -> Result<Vec<Condition>, Problem> {
    let conditions: Result<Vec<_>, _> = given.all("where").map(condition).collect();
    let conditions = conditions.map_err(|why| Problem::parameter("where", why))?;
    match conditions.len() > CONDITIONS {
        true => Err(Problem::parameter(
            "where",
            format!("there are more than {CONDITIONS}"),
        )),
        false => Ok(conditions),
    }
}

/// Reads a condition: `.status.phase!=Running`, `.spec.nodeName`, `!.metadata.ownerReferences`.
fn condition(text: &str) -> Result<Condition, String> {
    let trimmed = text.trim();
    let absent = trimmed
        .strip_prefix('!')
        .filter(|rest| rest.starts_with(['.', '[']));
    if let Some(rest) = absent {
        return Ok(Condition {
            path: FieldPath::parse(rest)?,
            operator: Operator::Absent,
            value: String::new(),
        });
    }
    let (path, rest) = FieldPath::begin(trimmed)?;
    let rest = rest.trim_start();
    if rest.is_empty() {
        return Ok(Condition {
            path,
            operator: Operator::Exists,
            value: String::new(),
        });
    }
    let operator = OPERATORS
        .iter()
        .find(|(written, _)| rest.starts_with(written));
    let (written, operator) = operator.ok_or_else(|| {
        format!("{rest:?} is no operator; there are = != < <= > >= and ~ (contains)")
    })?;
    let value = rest[written.len()..].trim();
    if value.len() > LONGEST {
        return Err(format!("longer than {LONGEST} bytes"));
    }
    Ok(Condition {
        path,
        operator: *operator,
        value: value.to_owned(),
    })
}

fn order(text: &str) -> Result<Order, Problem> {
    let (descending, word) = match text.strip_prefix('-') {
        Some(word) => (true, word),
        None => (false, text),
    };
    let by = match word {
        "created" => OrderBy::Created,
        "name" => OrderBy::Name,
        "namespace" => OrderBy::Namespace,
        "phase" => OrderBy::Phase,
        path if path.starts_with(['.', '[']) => OrderBy::Field(single("order", path)?),
        _ => {
            let why = format!(
                "{word:?} is no order; there are created, name, namespace, phase, and paths such as .spec.replicas"
            );
            return Err(Problem::parameter("order", why));
        }
    };
    Ok(Order { by, descending })
}

fn by(text: &str) -> Result<By, Problem> {
    Ok(match text {
        "cluster" => By::Cluster,
        "namespace" => By::Namespace,
        "kind" => By::Kind,
        "phase" => By::Phase,
        path if path.starts_with(['.', '[']) => By::Field(single("by", path)?),
        other => match other.strip_prefix("label:") {
            Some(key) => {
                check_label(key, "").map_err(|error| Problem::parameter("by", error))?;
                By::Label(key.to_owned())
            }
            None => {
                let why = format!(
                    "{other:?} is nothing to count by; there are cluster, namespace, kind, phase, label:KEY, and paths such as .spec.nodeName"
                );
                return Err(Problem::parameter("by", why));
            }
        },
    })
}

/// A path to one value.
fn single(name: &'static str, text: &str) -> Result<FieldPath, Problem> {
    let path = FieldPath::parse(text).map_err(|why| Problem::parameter(name, why))?;
    match path.0.contains(&super::path::Step::Each) {
        true => Err(Problem::parameter(
            name,
            format!("{text:?} is of several values: it needs a number in place of the star"),
        )),
        false => Ok(path),
    }
}

fn fields(given: &Given) -> Result<Vec<FieldPath>, Problem> {
    let paths: Result<Vec<_>, _> = given
        .words("fields")
        .into_iter()
        .map(FieldPath::parse)
        .collect();
    let paths = paths.map_err(|why| Problem::parameter("fields", why))?;
    match paths.len() > CONDITIONS {
        true => Err(Problem::parameter(
            "fields",
            format!("there are more than {CONDITIONS}"),
        )),
        false => Ok(paths),
    }
}

impl Problem {
    /// A token of another search.
    pub(super) fn bad_continue() -> Self {
        Self::new(
            Kind::Continue,
            "continue key is not valid: it was not given out for this search; begin anew without it",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_000_000).unwrap()
    }

    fn parse(query: &str) -> Result<Query, Problem> {
        Query::parse(query, Endpoint::Search, now())
    }

    #[test]
    fn conditions_are_a_path_an_operator_and_a_value() {
        let check = |text: &str, path: &str, operator, value: &str| {
            let read = condition(text).unwrap();
            assert_eq!(
                (&*read.path.to_string(), read.operator, &*read.value),
                (path, operator, value),
                "{text}"
            );
        };
        check(
            ".status.phase!=Running",
            ".status.phase",
            Operator::NotEqual,
            "Running",
        );
        check(".a=b=c", ".a", Operator::Equal, "b=c");
        check(".a == x ", ".a", Operator::Equal, "x");
        check(".a>=5", ".a", Operator::AtLeast, "5");
        check(".a[*].b~%_'\\", ".a[*].b", Operator::Contains, "%_'\\");
        check(".a=", ".a", Operator::Equal, "");
        check(".a", ".a", Operator::Exists, "");
        check("!.a", ".a", Operator::Absent, "");
        for text in ["", "a=b", "=b", ".a b", ".a!b", "!", "!a", ".a &b"] {
            assert!(condition(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_search_is_read() {
        let query = parse(
            "kind=pods,po&cluster=prod-*,!prod-x&namespace=shop&labels=app%3Dweb&owner=Deployment/web&name=chk\
             &where=.status.phase!%3DRunning&where=.spec.a&age=<1h&age=>1m&order=-created&limit=7&at=10m&fields=.a,.b&object=true",
        )
        .unwrap();
        assert_eq!(query.kinds, ["po", "pods"]);
        assert_eq!(query.conditions.len(), 2);
        assert_eq!(query.owner.unwrap().name.as_deref(), Some("web"));
        assert_eq!(query.created_after.unwrap().as_second(), 1_000_000 - 3_600);
        assert_eq!(query.created_before.unwrap().as_second(), 1_000_000 - 60);
        assert_eq!(query.at.unwrap().as_second(), 1_000_000 - 600);
        assert!(query.order.unwrap().descending && query.object && query.limit == 7);
    }

    #[test]
    fn what_is_wrong_is_told_of_its_parameter() {
        for (query, start) in [
            ("limit=0", "limit: \"0\" is no number from 1 to 500"),
            ("limit=-1", "limit: "),
            ("order=foo", "order: \"foo\" is no order"),
            ("order=.a[*]", "order: \".a[*]\" is of several values"),
            (
                "where=status.phase=x",
                "where: \"status.phase=x\" is no field path: it begins with a dot",
            ),
            ("labels=a=(", "labels: "),
            ("owner=web", "owner: "),
            ("owner=/", "owner: "),
            ("age=1h", "age: "),
            ("at=tomorrow", "at: "),
            ("object=maybe", "object: "),
            ("cluster=!", "cluster: "),
            ("continue=x", "continue key is not valid"),
        ] {
            let detail = parse(query).unwrap_err().detail;
            assert!(detail.starts_with(start), "{query}: {detail}");
        }
        let of = |query: &str| Query::parse(query, Endpoint::Count, now());
        assert_eq!(
            of("by=label:a/b").unwrap().by,
            Some(By::Label("a/b".into()))
        );
        for query in ["by=label:", "by=x", "by=.a[*]", "by=label:a%20b"] {
            assert!(of(query).is_err(), "{query}");
        }
    }

    proptest! {
        #[test]
        fn any_query_is_read_or_refused(
            name in "(kind|cluster|where|age|order|limit|at|fields|owner|labels|continue|by|name)", value in ".{0,40}"
        ) {
            let encoded: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
            for of in [Endpoint::Search, Endpoint::Count, Endpoint::Watch] {
                let _ = Query::parse(&format!("{name}={encoded}"), of, now());
                let _ = Query::parse(&format!("{name}={value}"), of, now());
            }
            let _ = condition(&value);
        }
    }
}
