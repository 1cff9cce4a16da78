//! Whether what is stored is whole and as of now, in words. Pure.
//!
//! A list that misses something is never shown as if it missed nothing: before the first sync there is no list, and one
//! of a cluster that is not heard any more says so in a `Warning` header, which kubectl prints.

use super::status::some;
use crate::controlplane::STALE_MS;
use crate::kubernetes::duration;

/// What is known of one cluster's copy of one resource, in ms since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Copy<'a> {
    pub(super) cluster: &'a str,
    /// When it was whole first.
    pub(super) synced: Option<i64>,
    /// When it was last proven to be what the cluster has.
    pub(super) proven: Option<i64>,
}

/// What has to be said about a list of one cluster. An error says why there is none.
pub(super) fn of_one(resource: &str, copy: Copy<'_>, now: i64) -> Result<Vec<String>, String> {
    let cluster = copy.cluster;
    if copy.synced.is_none() {
        return Err(format!(
            "{resource} of the cluster {cluster:?} are not all here yet: their first copy is on its way"
        ));
    }
    Ok(stale(copy, now)
        .map(|age| {
            let age = duration::human(age);
            format!("cluster {cluster:?} was last heard {age} ago: its {resource} are as of then")
        })
        .into_iter()
        .collect())
}

/// What has to be said about a list of several clusters. An error says why there is none.
pub(super) fn of_all(resource: &str, copies: &[Copy<'_>], now: i64) -> Result<Vec<String>, String> {
    let missing: Vec<&str> = copies
        .iter()
        .filter(|copy| copy.synced.is_none())
        .map(|copy| copy.cluster)
        .collect();
    if missing.len() == copies.len() {
        return Err(format!(
            "{resource} of no cluster are here yet: the first copies are on their way ({})",
            some(&missing)
        ));
    }
    let mut warnings = Vec::new();
    if !missing.is_empty() {
        warnings.push(format!(
            "{resource} of these clusters are not here yet: {}",
            some(&missing)
        ));
    }
    let stale: Vec<String> = copies
        .iter()
        .filter(|copy| copy.synced.is_some())
        .filter_map(|copy| {
            let age = duration::human(stale(*copy, now)?);
            Some(format!("{} ({age} ago)", copy.cluster))
        })
        .collect();
    if !stale.is_empty() {
        let stale: Vec<&str> = stale.iter().map(String::as_str).collect();
        warnings.push(format!(
            "{resource} of these clusters are as of when they were last heard: {}",
            some(&stale)
        ));
    }
    Ok(warnings)
}

/// How long a copy was not proven, if that is too long.
fn stale(copy: Copy<'_>, now: i64) -> Option<i64> {
    let age = now.saturating_sub(copy.proven.or(copy.synced)?);
    (age > STALE_MS).then_some(age)
}

/// A warning as a header has it; what a header cannot have is left out.
pub(super) fn header(warning: &str) -> String {
    let mut out = String::from("299 - \"");
    for c in warning.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if (' '..='~').contains(&c) => out.push(c),
            _ => out.push('?'),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy(cluster: &str, synced: Option<i64>, proven: Option<i64>) -> Copy<'_> {
        Copy {
            cluster,
            synced,
            proven,
        }
    }

    #[test]
    fn one_cluster_is_whole_stale_or_not_there() {
        let of = |synced, proven| of_one("pods", copy("c1", synced, proven), 300_000);
        assert_eq!(of(Some(0), Some(299_000)), Ok(vec![]));
        assert_eq!(
            of(Some(0), Some(120_000)),
            Ok(vec![
                "cluster \"c1\" was last heard 3m ago: its pods are as of then".into()
            ])
        );
        assert!(
            of(None, Some(299_000))
                .unwrap_err()
                .contains("not all here yet")
        );
    }

    #[test]
    fn of_many_clusters_those_are_named_that_miss_or_are_stale() {
        let copies = [
            copy("a", Some(0), Some(299_000)),
            copy("b", None, None),
            copy("c", Some(0), Some(0)),
        ];
        assert_eq!(
            of_all("pods", &copies, 300_000),
            Ok(vec![
                "pods of these clusters are not here yet: b".into(),
                "pods of these clusters are as of when they were last heard: c (5m ago)".into(),
            ])
        );
        assert!(of_all("pods", &copies[1..2], 0).is_err());
        assert_eq!(of_all("pods", &copies[..1], 300_000), Ok(vec![]));
    }

    #[test]
    fn a_header_holds_whatever_a_cluster_is_called() {
        assert_eq!(
            header("a \"b\" \\ \u{e9}\r\nX: y"),
            r#"299 - "a \"b\" \\ ???X: y""#
        );
    }
}
