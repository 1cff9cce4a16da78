//! Which objects are described, and how their descriptions become one text.
//!
//! `k8s.io/kubectl/pkg/cmd/describe/describe.go`: an object by its name; if there is none, all whose names begin so; or
//! all of a type, or those that a selector selects. The events of one object are shown, and those of several are not,
//! unless `--show-events` says otherwise.

use super::{Context, Related, describe};
use crate::get::Namespaces;
use crate::get::messages::Refusal;
use crate::get::plan::{InvalidPlan, Plan, Target};
use crate::print::sanitize;
use crate::table::Resource;
use mqtt_informer::protocol::message::{Selection, View};
use mqtt_informer::protocol::names::ClusterName;
use serde_json::Value;

/// What was asked for, apart from the clusters.
#[derive(Clone, Debug)]
pub struct Request {
    plan: Plan,
    show_events: Option<bool>,
    /// A type and a name, each a word: the name may be the beginning of others.
    may_be_prefix: bool,
}

/// A cluster's answer to one target: what it has of a resource.
#[derive(Clone, Debug)]
pub struct Found {
    /// The resource.
    pub resource: Resource,
    /// Its objects, in the order of their keys.
    pub objects: Vec<Value>,
}

/// What follows from the answers of a cluster.
#[derive(Clone, Debug)]
pub enum Choice {
    /// These are described.
    These(Chosen),
    /// There is none of this name; perhaps there are some whose names begin so.
    Prefix(Refusal),
}

/// What is described of a cluster.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    /// The objects, and what they are.
    pub objects: Vec<(Resource, Value)>,
    /// What is not there, or may not be seen.
    pub refusals: Vec<Refusal>,
    /// The events of each are shown.
    pub with_events: bool,
    /// They were found by the beginning of their names: kubectl separates them in another way.
    by_prefix: bool,
}

impl Request {
    /// Reads the words.
    ///
    /// # Errors
    /// As kubectl words them.
    pub fn new(
        words: &[String],
        namespaces: Namespaces,
        labels: &str,
        show_events: Option<bool>,
    ) -> Result<Self, InvalidPlan> {
        let plan = Plan {
            namespaces,
            labels: labels.to_owned(),
            ..Plan::default()
        };
        Ok(Self {
            plan: plan.with_words(words)?,
            show_events,
            may_be_prefix: words.len() == 2,
        })
    }

    /// What is asked for, one stream each.
    pub fn targets(&self) -> &[Target] {
        &self.plan.targets
    }

    /// The namespaces in which it is.
    pub fn namespaces(&self) -> &Namespaces {
        &self.plan.namespaces
    }

    /// The stream of a target in a cluster.
    pub fn selection(&self, target: &Target, cluster: &ClusterName) -> Selection {
        Selection {
            view: View::Objects,
            ..self.plan.selection(target, cluster)
        }
    }

    /// The stream of everything whose name might begin as the one that was not found.
    pub fn prefix_selection(&self, cluster: &ClusterName) -> Option<Selection> {
        let target = self.plan.targets.first()?;
        Some(self.selection(
            &Target {
                name: None,
                ..target.clone()
            },
            cluster,
        ))
    }

    /// What to make of a cluster's answers, one for each target.
    pub fn choose(&self, answers: Vec<Result<Found, Refusal>>) -> Choice {
        let mut chosen = Chosen::default();
        for (target, answer) in self.plan.targets.iter().zip(answers) {
            match answer.and_then(|found| self.named(target, found)) {
                Ok(found) => {
                    let resource = found.resource;
                    chosen.objects.extend(
                        found
                            .objects
                            .into_iter()
                            .map(|object| (resource.clone(), object)),
                    );
                }
                Err(refusal) => chosen.refusals.push(refusal),
            }
        }
        if let Some(refusal) = chosen.refusals.iter().find(|refusal| refusal.is_no_type()) {
            // kubectl looks at all types before it looks at any object.
            return Choice::These(Chosen {
                refusals: vec![refusal.clone()],
                ..Chosen::default()
            });
        }
        if let [refusal] = &chosen.refusals[..]
            && refusal.reason == "NotFound"
            && self.may_be_prefix
        {
            return match self.plan.targets.len() {
                1 => Choice::Prefix(refusal.clone()),
                _ => {
                    let several = Refusal::local("you may only specify a single resource type");
                    Choice::These(Chosen {
                        refusals: vec![several],
                        ..Chosen::default()
                    })
                }
            };
        }
        let one = chosen.refusals.is_empty() && chosen.objects.len() < 2;
        chosen.with_events = self.show_events.unwrap_or(one);
        Choice::These(chosen)
    }

    /// Those whose names begin as was asked; `refusal` says that there is none of just this name.
    pub fn choose_by_prefix(&self, answer: Result<Found, Refusal>, refusal: Refusal) -> Chosen {
        let prefix = self
            .plan
            .targets
            .first()
            .and_then(|target| target.name.as_deref())
            .unwrap_or_default();
        let begins = |object: &Value| {
            object
                .pointer("/metadata/name")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .starts_with(prefix)
        };
        let mut chosen = Chosen {
            by_prefix: true,
            with_events: self.show_events.unwrap_or(false),
            ..Chosen::default()
        };
        match answer {
            Ok(Found { resource, objects }) => {
                let objects = objects.into_iter().filter(begins);
                chosen.objects = objects.map(|object| (resource.clone(), object)).collect();
                if chosen.objects.is_empty() {
                    chosen.refusals.push(refusal);
                }
            }
            Err(refusal) => chosen.refusals.push(refusal),
        }
        chosen
    }

    /// A name that was asked for has to exist, and to be in one namespace.
    fn named(&self, target: &Target, found: Found) -> Result<Found, Refusal> {
        let Some(name) = &target.name else {
            return Ok(found);
        };
        if self.plan.namespaces.is_all() && found.resource.namespaced {
            return Err(Refusal::local(
                "a resource cannot be retrieved by name across all namespaces",
            ));
        }
        match found.objects.is_empty() {
            true => Err(Refusal::not_found(&found.resource.qualified(), name)),
            false => Ok(found),
        }
    }
}

impl Chosen {
    /// The descriptions as one text, and what went wrong in all. With a cluster, each says that it is from there.
    pub fn text(
        self,
        related: &Related,
        context: &Context,
        cluster: Option<&ClusterName>,
    ) -> (String, Vec<Refusal>) {
        let (mut text, mut refusals) = (String::new(), self.refusals);
        for (resource, object) in &self.objects {
            match describe(resource, object, related, context) {
                Ok(description) => {
                    let separator = if text.is_empty() || (self.by_prefix && cluster.is_none()) {
                        ""
                    } else {
                        "\n\n"
                    };
                    text += separator;
                    if let Some(cluster) = cluster {
                        text += &format!("Cluster:  {}\n", sanitize::word(cluster.as_str()));
                    }
                    text += &description;
                    if self.by_prefix && cluster.is_none() {
                        text.push('\n');
                    }
                }
                Err(refusal) if refusals.contains(&refusal) => {}
                Err(refusal) => refusals.push(refusal),
            }
        }
        (text, refusals)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Clock;
    use super::*;
    use jiff::tz::TimeZone;
    use serde_json::json;

    fn request(words: &str, show_events: Option<bool>) -> Request {
        let words: Vec<_> = words.split(' ').map(str::to_owned).collect();
        Request::new(&words, Namespaces::One("shop".into()), "", show_events).unwrap()
    }

    fn things(names: &[&str]) -> Found {
        let resource = Resource {
            group: "example.com".into(),
            version: "v1".into(),
            plural: "things".into(),
            kind: "Thing".into(),
            namespaced: true,
            columns: Vec::new(),
        };
        let object = |name: &&str| json!({"metadata": {"name": name}});
        Found {
            resource,
            objects: names.iter().map(object).collect(),
        }
    }

    fn text(chosen: Chosen, cluster: Option<&str>) -> String {
        let context = Context {
            clock: Clock {
                now_ms: 0,
                zone: TimeZone::UTC,
            },
            with_events: chosen.with_events,
        };
        let cluster = cluster.map(|name| ClusterName::new(name).unwrap());
        let (text, refusals) = chosen.text(&Related::default(), &context, cluster.as_ref());
        let lines = text
            .lines()
            .filter(|line| line.is_empty() || line.contains("luster:") || line.contains("Name: "));
        let lines: Vec<_> = lines
            .map(|line| line.split_whitespace().next_back().unwrap_or("-"))
            .collect();
        let refusals: Vec<_> = refusals
            .into_iter()
            .map(|refusal| refusal.message)
            .collect();
        format!(
            "{} {}{}",
            lines.join(" "),
            refusals.join(" "),
            if text.ends_with("\n\n") { "$" } else { "" }
        )
    }

    fn these(choice: Choice) -> Chosen {
        match choice {
            Choice::These(chosen) => chosen,
            Choice::Prefix(refusal) => panic!("{refusal:?}"),
        }
    }

    #[test]
    fn several_are_separated_and_have_no_events() {
        let request = request("things", None);
        let chosen = these(request.choose(vec![Ok(things(&["a", "b"]))]));
        assert!(!chosen.with_events);
        assert_eq!(text(chosen.clone(), None), "a - - b ");
        assert_eq!(text(chosen, Some("east")), "east a - - east b ");
        assert!(these(request.choose(vec![Ok(things(&["a"]))])).with_events);
    }

    #[test]
    fn events_are_shown_or_not_as_it_was_said() {
        let of = |show, names: &[&str]| {
            these(request("things", show).choose(vec![Ok(things(names))])).with_events
        };
        assert!(of(Some(true), &["a", "b"]));
        assert!(!of(Some(false), &["a"]));
    }

    #[test]
    fn a_name_may_be_the_beginning_of_others() {
        let asked = request("things web", None);
        let Choice::Prefix(refusal) = asked.choose(vec![Ok(things(&[]))]) else {
            panic!()
        };
        let chosen =
            asked.choose_by_prefix(Ok(things(&["api", "web-1", "web-2"])), refusal.clone());
        assert_eq!(text(chosen, None), "web-1 - web-2 - $");
        let chosen = asked.choose_by_prefix(Ok(things(&["api"])), refusal);
        assert_eq!(text(chosen, None), " things.example.com \"web\" not found");
        let exact = these(asked.choose(vec![Ok(things(&["web"]))]));
        assert_eq!(text(exact, None), "web ");
    }

    #[test]
    fn pairs_and_several_names_are_no_beginnings() {
        let chosen = these(request("things/web", None).choose(vec![Ok(things(&[]))]));
        assert_eq!(text(chosen, None), " things.example.com \"web\" not found");
        let chosen =
            these(request("things a b", None).choose(vec![Ok(things(&["a"])), Ok(things(&[]))]));
        assert!(!chosen.with_events, "something is missing");
        assert_eq!(text(chosen, None), "a things.example.com \"b\" not found");
        let chosen = these(
            request("things,others a", None).choose(vec![Ok(things(&["a"])), Ok(things(&[]))]),
        );
        assert_eq!(
            text(chosen, None),
            " you may only specify a single resource type"
        );
    }

    #[test]
    fn a_type_that_is_unknown_forbids_the_rest() {
        let unknown = Refusal {
            reason: "NotFound".into(),
            message: "the server doesn't have a resource type \"x\"".into(),
        };
        let chosen =
            these(request("things,x", None).choose(vec![Ok(things(&["a"])), Err(unknown.clone())]));
        assert_eq!((chosen.objects.len(), chosen.refusals), (0, vec![unknown]));
    }
}
