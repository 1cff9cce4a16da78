//! Which labels of its cluster an agent may choose: those that decide nothing.
//!
//! A label puts a cluster into a set, and so lets it have the work of who uses that set. That is for people on the hub.

/// Domains whose labels mean something to a hub; those below them, too.
const RESERVED: [&str; 2] = ["open-cluster-management.io", "mqinformer.io"];

/// The longest name of a label, and the longest value.
const LONGEST: usize = 63;

/// Whether a cluster may have this label because its agent says so: one of a valid form that no hub goes by.
pub fn may_choose(key: &str, value: &str) -> bool {
    let (domain, name) = match key.split_once('/') {
        Some((domain, name)) => (Some(domain), name),
        None => (None, key),
    };
    let below = |domain: &str, above: &str| {
        let rest = domain.strip_suffix(above);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let free = |domain: &str| is_domain(domain) && !RESERVED.iter().any(|it| below(domain, it));
    domain.is_none_or(free) && is_word(name) && (value.is_empty() || is_word(value))
}

fn is_word(text: &str) -> bool {
    let ends = |c: char| c.is_ascii_alphanumeric();
    text.len() <= LONGEST
        && text.starts_with(ends)
        && text.ends_with(ends)
        && text.chars().all(|c| ends(c) || "-_.".contains(c))
}

fn is_domain(text: &str) -> bool {
    let part = |part: &str| {
        let ends = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let inner = part.chars().all(|c| ends(c) || c == '-');
        part.starts_with(ends) && part.ends_with(ends) && inner
    };
    text.len() <= 253 && text.split('.').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_chooses_no_set_and_no_form() {
        for (key, value) in [
            ("env", "test"),
            ("env", ""),
            ("topology.kubernetes.io/region", "eu-1"),
            ("notopen-cluster-management.io/x", "y"),
        ] {
            assert!(may_choose(key, value), "{key}={value}");
        }
        for (key, value) in [
            ("cluster.open-cluster-management.io/clusterset", "prod"),
            ("open-cluster-management.io/cluster-name", "a"),
            ("feature.open-cluster-management.io/addon-x", "available"),
            ("mqinformer.io/held", ""),
            ("x.mqinformer.io/y", ""),
            ("", "v"),
            ("/a", "v"),
            ("a/b/c", "v"),
            ("Domain.io/a", "v"),
            ("-a", "v"),
            ("a b", "v"),
            ("a", "v w"),
            ("a", "-"),
            (&"a".repeat(64), "v"),
            ("a", &"v".repeat(64)),
        ] {
            assert!(!may_choose(key, value), "{key}={value}");
        }
    }
}
