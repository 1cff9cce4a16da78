//! What a copy is called on the hub.
//!
//! | of | namespace | name |
//! |---|---|---|
//! | an object in a namespace | the cluster | `<namespace>.<name>` |
//! | a cluster-scoped object | | `<cluster>.<name>` |
//!
//! A cluster's name that is no DNS label becomes one: lower case, `-` for what may not be in it, a hash. A name over the
//! limit of its kind is cut and gets a hash. Kinds whose names are labels, without dots (Services), have
//! `<namespace>-<name>-<hash>`. The cluster of a cluster-scoped copy has no dot and a namespace has none, so what stands
//! before the first dot is never part of what stands after it: two objects have two names, unless one of them was named
//! like the other one's hash. That is found out where copies are written ([`super::copies`]), never overwritten.
//!
//! Pure.

use crate::protocol::names::ClusterName;
use xxhash_rust::xxh3::xxh3_64;

/// The longest DNS label, and the longest value of a label.
pub(super) const LABEL: usize = 63;

/// Digits of a hash: 64 bits.
const HASH: usize = 16;

/// What names of a kind may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    /// How long, in bytes.
    pub(super) longest: usize,
    /// Whether there may be dots.
    pub(super) dots: bool,
}

/// What most kinds have.
pub(super) const SUBDOMAIN: Form = Form {
    longest: 253,
    dots: true,
};

/// The cluster as a DNS label: the namespace of its copies.
pub(super) fn of_cluster(cluster: &ClusterName) -> String {
    let name = cluster.as_str();
    if is_label(name) {
        return name.to_owned();
    }
    let plain = |c: char| match c.to_ascii_lowercase() {
        c @ ('a'..='z' | '0'..='9') => c,
        _ => '-',
    };
    let mapped: String = name.chars().map(plain).collect();
    let mapped = mapped.trim_matches('-');
    let head = cut(mapped, LABEL - HASH - 1).trim_matches('-');
    match head {
        "" => format!("c-{}", hash(&[name])),
        head => format!("{head}-{}", hash(&[name])),
    }
}

/// The copy's name. `namespace` is empty for what lives in none: its copies lie side by side with other clusters'.
pub(super) fn of_copy(cluster: &ClusterName, namespace: &str, name: &str, form: Form) -> String {
    let of_cluster = of_cluster(cluster);
    let before = match namespace {
        "" => of_cluster.as_str(),
        namespace => namespace,
    };
    let parts = [cluster.as_str(), namespace, name];
    if !form.dots {
        return dotless(before, name, &parts, form.longest);
    }
    let whole = format!("{before}.{name}");
    match whole.len() <= form.longest {
        true => whole,
        // Not behind a dot: what is cut there may end with one.
        false => {
            let head = cut(&whole, form.longest - HASH - 1);
            format!("{}-{}", head.trim_end_matches(['.', '-']), hash(&parts))
        }
    }
}

/// Begins with a letter, as names of Services have to.
fn dotless(before: &str, name: &str, parts: &[&str], longest: usize) -> String {
    let first = if before.starts_with(|c: char| c.is_ascii_digit()) {
        "n"
    } else {
        ""
    };
    let whole = format!("{first}{before}-{}", name.replace('.', "-"));
    let head = cut(&whole, longest - HASH - 1).trim_end_matches('-');
    format!("{head}-{}", hash(parts))
}

fn is_label(name: &str) -> bool {
    let inner = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (1..=LABEL).contains(&name.len())
        && name.bytes().all(inner)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

/// At most so many bytes, whole characters.
fn cut(text: &str, longest: usize) -> &str {
    let mut end = longest.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn hash(parts: &[&str]) -> String {
    // No name has a line break in it.
    format!("{:016x}", xxh3_64(parts.join("\n").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const SERVICE: Form = Form {
        longest: 63,
        dots: false,
    };

    fn cluster(name: &str) -> ClusterName {
        ClusterName::new(name).unwrap()
    }

    fn copy(of: &str, namespace: &str, name: &str) -> String {
        of_copy(&cluster(of), namespace, name, SUBDOMAIN)
    }

    #[test]
    fn copies_are_called_as_in_the_seed() {
        assert_eq!(of_cluster(&cluster("cluster1")), "cluster1");
        assert_eq!(copy("cluster1", "default", "db"), "default.db");
        assert_eq!(copy("cluster1", "", "admin"), "cluster1.admin");
        assert_eq!(copy("cluster1", "", "system:x"), "cluster1.system:x");
    }

    #[test]
    fn a_cluster_that_is_no_label_becomes_one() {
        for (name, head) in [
            ("Prod", "prod-"),
            (
                "arn:aws:eks:eu-1:1234:cluster/Prod",
                "arn-aws-eks-eu-1-1234-cluster-prod-",
            ),
            ("ns/host:6443/user", "ns-host-6443-user-"),
            ("a.b", "a-b-"),
            ("-x-", "x-"),
            ("東京", "c-"),
            ("İ", "c-"),
            ("...", "c-"),
        ] {
            let label = of_cluster(&cluster(name));
            assert!(
                label.starts_with(head) && is_label(&label),
                "{name}: {label}"
            );
            assert_eq!(label.len(), head.len() + HASH, "{name}: {label}");
        }
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let long = |end: &str| format!("{}{end}", "x".repeat(252));
        let (one, other) = (copy("c", "shop", &long("a")), copy("c", "shop", &long("b")));
        assert_eq!((one.len(), other.len()), (253, 253));
        assert!(one != other && one.starts_with("shop.xxx"));
        let dotted = copy("c", "shop", &"a.".repeat(126));
        assert!(!dotted.contains(".-") && !dotted.contains("-."), "{dotted}");
    }

    #[test]
    fn a_services_name_is_a_label_that_begins_with_a_letter() {
        let of = |namespace: &str, name: &str| of_copy(&cluster("c"), namespace, name, SERVICE);
        assert!(of("shop", "web").starts_with("shop-web-"));
        assert!(of("1shop", "web").starts_with("n1shop-web-"));
        assert_ne!(of("a-b", "c"), of("a", "b-c"), "a hash tells them apart");
        let long = of(&"n".repeat(63), &"x".repeat(63));
        assert!(is_label(&long) && long.len() == 63, "{long}");
    }

    proptest! {
        #[test]
        fn every_cluster_has_a_label_of_its_own(names in prop::collection::btree_set("[a-cA-C.:/ é-]{1,70}", 1..30)) {
            let names: Vec<_> = names.iter().filter_map(|name| ClusterName::new(name).ok()).collect();
            let labels: BTreeSet<_> = names.iter().map(of_cluster).collect();
            prop_assert_eq!(labels.len(), names.len());
            prop_assert!(labels.iter().all(|label| is_label(label)));
        }

        #[test]
        fn two_objects_have_two_names(
            objects in prop::collection::btree_set(("[ab.]{1,2}", "[ab-]{0,2}", "[ab.-]{1,3}"), 2..30)
        ) {
            for form in [SUBDOMAIN, SERVICE] {
                let mut places = BTreeSet::new();
                let mut count = 0;
                for (of, namespace, name) in &objects {
                    let Ok(of) = ClusterName::new(of) else { continue };
                    count += 1;
                    let folder = if namespace.is_empty() { String::new() } else { of_cluster(&of) };
                    places.insert((folder, of_copy(&of, namespace, name, form)));
                }
                prop_assert_eq!(places.len(), count);
            }
        }
    }
}
