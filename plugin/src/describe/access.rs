//! Who may do what: roles and bindings (`pkg/util/rbac` for the rules).

use super::field::{Field, bracketed};
use super::writer::{Writer, put};
use std::collections::BTreeMap;

/// One rule of a role, as a line has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Rule<'a> {
    verbs: Vec<&'a str>,
    /// One group and one resource; neither for a URL.
    resource: Option<(&'a str, &'a str)>,
    names: Vec<&'a str>,
    urls: Vec<&'a str>,
}

pub(super) fn role(w: &mut Writer, role: Field<'_>) {
    head(w, role);
    put!(w, 0, "PolicyRule:\n");
    put!(
        w,
        1,
        "Resources\tNon-Resource URLs\tResource Names\tVerbs\n"
    );
    put!(
        w,
        1,
        "---------\t-----------------\t--------------\t-----\n"
    );
    for rule in compact(role.member("rules")) {
        let [urls, names, verbs] =
            [&rule.urls, &rule.names, &rule.verbs].map(|words| bracketed(words));
        put!(
            w,
            1,
            "{}\t{urls}\t{names}\t{verbs}\n",
            rule.resource_and_group()
        );
    }
}

pub(super) fn binding(w: &mut Writer, binding: Field<'_>) {
    head(w, binding);
    put!(w, 0, "Role:\n");
    w.field(1, "Kind", binding.at("roleRef.kind").text());
    w.field(1, "Name", binding.at("roleRef.name").text());
    put!(w, 0, "Subjects:\n");
    put!(w, 1, "Kind\tName\tNamespace\n");
    put!(w, 1, "----\t----\t---------\n");
    for subject in binding.member("subjects").items() {
        let text = |name| subject.member(name).text();
        put!(
            w,
            1,
            "{}\t{}\t{}\n",
            text("kind"),
            text("name"),
            text("namespace")
        );
    }
}

impl Rule<'_> {
    /// `deployments.apps/scale`.
    fn resource_and_group(&self) -> String {
        let Some((group, resource)) = self.resource else {
            return String::new();
        };
        let (resource, part) = match resource.split_once('/') {
            Some((resource, part)) => (resource, format!("/{part}")),
            None => (resource, String::new()),
        };
        let dot = if group.is_empty() { "" } else { "." };
        format!("{resource}{dot}{group}{part}")
    }

    /// By what kubectl sorts rules: their text in Go.
    fn order(&self) -> String {
        let (group, resource) = match self.resource {
            Some((group, resource)) => (bracketed(&[group]), bracketed(&[resource])),
            None => (bracketed(&[]), bracketed(&[])),
        };
        let [verbs, names, urls] =
            [&self.verbs, &self.names, &self.urls].map(|words| bracketed(words));
        format!(
            "{verbs},APIGroups:{group},Resources:{resource},ResourceNames:{names},NonResourceURLs:{urls}"
        )
    }
}

/// A line for each resource and each URL. What differs in verbs only is one line for a resource, and for a URL it is
/// not.
fn compact<'a>(rules: Field<'a>) -> Vec<Rule<'a>> {
    let mut compacted: Vec<Rule<'a>> = Vec::new();
    let mut simple: BTreeMap<(&str, &str, Option<&str>), Rule<'a>> = BTreeMap::new();
    for rule in rules.items() {
        let texts = |name: &str| rule.member(name).texts();
        let (verbs, names) = (texts("verbs"), texts("resourceNames"));
        let names: Vec<_> = match names.is_empty() {
            true => vec![None],
            false => names.into_iter().map(Some).collect(),
        };
        for group in texts("apiGroups") {
            for resource in texts("resources") {
                for (verb, name) in verbs
                    .iter()
                    .flat_map(|verb| names.iter().map(move |name| (*verb, *name)))
                {
                    let new = || Rule {
                        resource: Some((group, resource)),
                        names: name.into_iter().collect(),
                        ..Rule::default()
                    };
                    let rule = simple.entry((group, resource, name)).or_insert_with(new);
                    if !rule.verbs.contains(&verb) {
                        rule.verbs.push(verb);
                    }
                }
            }
        }
        for url in texts("nonResourceURLs") {
            let one = |verb: &&'a str| Rule {
                verbs: vec![*verb],
                urls: vec![url],
                ..Rule::default()
            };
            compacted.extend(verbs.iter().map(one));
        }
    }
    compacted.extend(simple.into_values());
    compacted.sort_by_cached_key(Rule::order);
    compacted
}

fn head(w: &mut Writer, object: Field<'_>) {
    w.field(0, "Name", object.name());
    w.labels("Labels", object.at("metadata.labels"));
    w.annotations("Annotations", object.at("metadata.annotations"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rules_that_differ_in_verbs_are_one() {
        let value = json!([
            {"apiGroups": ["", "apps"], "resources": ["pods/log"], "verbs": ["get", "list"]},
            {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["watch", "get"]},
            {"apiGroups": [""], "resources": ["pods"], "resourceNames": ["a", "b"], "verbs": ["get"]},
            {"nonResourceURLs": ["/healthz"], "verbs": ["get", "post"]},
        ]);
        let shown = |rule: &Rule<'_>| {
            format!(
                "{} {:?} {:?} {:?}",
                rule.resource_and_group(),
                rule.urls,
                rule.names,
                rule.verbs
            )
        };
        let shown: Vec<_> = compact(Field::of(&value)).iter().map(shown).collect();
        assert_eq!(
            shown,
            [
                r#"pods/log [] [] ["get", "list", "watch"]"#,
                r#"pods.apps/log [] [] ["get", "list"]"#,
                r#" ["/healthz"] [] ["get"]"#,
                r#"pods [] ["a"] ["get"]"#,
                r#"pods [] ["b"] ["get"]"#,
                r#" ["/healthz"] [] ["post"]"#,
            ]
            .into_iter()
            .collect::<Vec<_>>()
        );
    }
}
