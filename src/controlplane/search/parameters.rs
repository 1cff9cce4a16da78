//! The parameters: one table that requests are checked against and that the OpenAPI document is made of. Pure.

use super::problem::{Kind, Problem, meant};
use url::form_urlencoded;

/// A query may be so long, in bytes, and have so many parameters.
const MAX_QUERY: usize = 16 * 1024;
const MAX_PARAMETERS: usize = 64;

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    Search,
    Count,
    Watch,
    History,
}

/// What a parameter's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    /// Words between commas.
    Words,
    Number,
    Switch,
}

/// A parameter.
#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    /// Of which endpoints.
    pub(super) of: &'static [Endpoint],
    /// It may be given several times.
    pub(super) repeats: bool,
    pub(super) form: Form,
    pub(super) text: &'static str,
    pub(super) example: &'static str,
}

use Endpoint::{Count, History, Search, Watch};

const FILTERS: &[Endpoint] = &[Search, Count, Watch];

const fn filter(
    name: &'static str,
    form: Form,
    text: &'static str,
    example: &'static str,
) -> Parameter {
    Parameter {
        name,
        of: FILTERS,
        repeats: false,
        form,
        text,
        example,
    }
}

/// All of them.
pub(super) const TABLE: &[Parameter] = &[
    filter(
        "kind",
        Form::Words,
        "Which resources, as kubectl takes them: pods, po, Deployment, deployments.apps. Default: all that are kept.",
        "pods",
    ),
    filter(
        "cluster",
        Form::Words,
        "Which clusters: names, patterns with * and ?, and ! before either for all but those. Default: all.",
        "prod-*,!prod-old",
    ),
    filter(
        "namespace",
        Form::Words,
        "In which namespaces. Default: all.",
        "shop",
    ),
    filter(
        "labels",
        Form::Text,
        "A label selector.",
        "app=web,tier!=cache",
    ),
    filter(
        "owner",
        Form::Text,
        "What the object's controller (or first owner) is: Kind/name, or Kind/ for any name.",
        "ReplicaSet/web-5d4f",
    ),
    filter(
        "name",
        Form::Text,
        "Fuzzy: these characters in this order, in any case, with any between them.",
        "chk",
    ),
    Parameter {
        repeats: true,
        ..filter(
            "where",
            Form::Text,
            "A condition of a field; all have to hold. PATH=VALUE, != < <= > >=, ~ (contains, in any case), PATH alone \
             (is there), !PATH (is not). An absent field is unequal to everything. [*] in a path is any element. Numbers are \
             compared as numbers.",
            ".status.phase!=Running",
        )
    },
    Parameter {
        of: &[Search, Count],
        repeats: true,
        ..filter(
            "age",
            Form::Text,
            "How long ago it was created: <1h is younger, >2d is older. Not of a watch: ages move without a change.",
            "<1h",
        )
    },
    Parameter {
        of: &[Search],
        ..filter(
            "order",
            Form::Text,
            "By what: created, name, namespace, phase, or a field path; - before it for the other way round. Default: by \
             cluster, namespace and name.",
            "-created",
        )
    },
    Parameter {
        of: &[Search, History],
        ..filter(
            "limit",
            Form::Number,
            "At most so many, 1 to 500. Default: 100.",
            "100",
        )
    },
    Parameter {
        of: &[Search, History],
        ..filter(
            "continue",
            Form::Text,
            "The token of the page before: the same parameters, the next page.",
            "",
        )
    },
    Parameter {
        of: &[Search, Count, History],
        ..filter(
            "at",
            Form::Text,
            "As it was then: how long ago, or an RFC 3339 time.",
            "10m",
        )
    },
    Parameter {
        of: &[Search, Watch],
        ..filter(
            "fields",
            Form::Words,
            "Of each object, these fields instead of what is usually said of it.",
            ".metadata.name,.status.phase",
        )
    },
    Parameter {
        of: &[Search, Watch, History],
        ..filter("object", Form::Switch, "The whole object too.", "true")
    },
    Parameter {
        of: &[Search],
        ..filter(
            "row",
            Form::Switch,
            "What prints the object as kubectl does, too: the message mqinformer.v1.Row in base64, and each resource's Header.",
            "true",
        )
    },
    Parameter {
        of: &[Count],
        ..filter(
            "by",
            Form::Text,
            "One count for each: cluster, namespace, kind, phase, label:KEY, or a field path.",
            "cluster",
        )
    },
];

/// Parameters as given, checked against the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Given(Vec<(&'static str, String)>);

impl Given {
    /// Reads a query string.
    ///
    /// # Errors
    /// When it has what the endpoint does not know, or one of it too many.
    pub(super) fn parse(query: &str, of: Endpoint) -> Result<Self, Problem> {
        if query.len() > MAX_QUERY {
            return Err(Problem::new(
                Kind::Parameter,
                format!("the query is longer than {MAX_QUERY} bytes"),
            ));
        }
        let mut given: Vec<(&'static str, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let known = TABLE.iter().find(|it| it.name == name);
            let Some(parameter) = known.filter(|it| it.of.contains(&of)) else {
                return Err(unknown(&name, known.is_some(), of));
            };
            if value.chars().any(char::is_control) {
                return Err(Problem::parameter(
                    parameter.name,
                    "control characters are in no name and in no value",
                ));
            }
            if !parameter.repeats && given.iter().any(|(name, _)| *name == parameter.name) {
                return Err(Problem::parameter(parameter.name, "it can be given once"));
            }
            given.push((parameter.name, value.into_owned()));
            if given.len() > MAX_PARAMETERS {
                return Err(Problem::new(
                    Kind::Parameter,
                    format!("there are more than {MAX_PARAMETERS} parameters"),
                ));
            }
        }
        Ok(Self(given))
    }

    /// The value of one; an empty one is none.
    pub(super) fn one(&self, name: &'static str) -> Option<&str> {
        self.all(name).next()
    }

    /// All values of one.
    pub(super) fn all<'a>(&'a self, name: &'static str) -> impl Iterator<Item = &'a str> {
        let of = self
            .0
            .iter()
            .filter(move |(it, value)| *it == name && !value.is_empty());
        of.map(|(_, value)| value.as_str())
    }

    /// The words of one, in no order and none twice.
    pub(super) fn words(&self, name: &'static str) -> Vec<&str> {
        let words = self.one(name).unwrap_or_default().split(',');
        let mut words: Vec<_> = words
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .collect();
        words.sort_unstable();
        words.dedup();
        words
    }

    /// Whether a switch is on.
    pub(super) fn switch(&self, name: &'static str) -> Result<bool, Problem> {
        match self.one(name) {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(other) => Err(Problem::parameter(
                name,
                format!("{other:?} is neither true nor false"),
            )),
        }
    }

    /// What makes it another search than others: all but where its page begins and how long that is.
    pub(super) fn identity(&self) -> u32 {
        let mut of: Vec<_> = self
            .0
            .iter()
            .filter(|(name, _)| !matches!(*name, "continue" | "limit"))
            .collect();
        of.sort();
        let hash = xxhash_rust::xxh3::xxh3_64(format!("{of:?}").as_bytes());
        (hash & u64::from(u32::MAX)) as u32
    }
}

fn unknown(name: &str, elsewhere: bool, of: Endpoint) -> Problem {
    let here = || {
        TABLE
            .iter()
            .filter(|it| it.of.contains(&of))
            .map(|it| it.name)
    };
    let short: String = name.chars().take(64).collect();
    let detail = match elsewhere {
        true => format!(
            "the parameter {short:?} has no meaning here; there are {}",
            here().collect::<Vec<_>>().join(", ")
        ),
        false => match meant(name, here()) {
            none if none.is_empty() => {
                format!(
                    "unknown parameter {short:?}; there are {}",
                    here().collect::<Vec<_>>().join(", ")
                )
            }
            meant => format!("unknown parameter {short:?}{meant}"),
        },
    };
    Problem::new(Kind::Parameter, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn detail(query: &str, of: Endpoint) -> String {
        Given::parse(query, of).unwrap_err().detail
    }

    #[test]
    fn what_is_not_known_is_refused() {
        assert_eq!(
            detail("kinds=pods", Search),
            "unknown parameter \"kinds\"; did you mean \"kind\"?"
        );
        assert!(
            detail("zzz=1", Search).ends_with("fields, object, row"),
            "{}",
            detail("zzz=1", Search)
        );
        assert!(detail("order=name", Count).contains("has no meaning here"));
        assert!(detail("age=<1h", Watch).contains("has no meaning here"));
        assert!(detail("kind=a&kind=b", Search).contains("once"));
        assert!(detail("name=a%00b", Search).contains("control"));
        assert!(Given::parse("where=a&where=b", Search).is_ok());
        assert!(Given::parse(&"where=a&".repeat(65), Search).is_err());
        assert!(Given::parse(&"x".repeat(20_000), Search).is_err());
    }

    #[test]
    fn a_search_is_the_same_on_its_next_page() {
        let identity = |query: &str| Given::parse(query, Search).unwrap().identity();
        let first = identity("kind=pods&where=.a%3D1&limit=5");
        assert_eq!(first, identity("where=.a%3D1&kind=pods&limit=9&continue=x"));
        assert_ne!(first, identity("kind=pods&where=.a%3D2"));
    }

    proptest! {
        #[test]
        fn any_query_is_read_or_refused(query in ".{0,80}") {
            for of in [Search, Count, Watch, History] {
                let _ = Given::parse(&query, of);
            }
        }
    }
}
