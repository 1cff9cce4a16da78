//! The options for several controlplanes.

use crate::cli::duration;
use std::time::Duration;

/// How several controlplanes share the clusters.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Several controlplanes")]
pub struct ShareArgs {
    /// Share the clusters with the other controlplanes of the group: each takes some, and those of one that dies.
    /// Default: with --store postgres://; without --store they find each other as Leases in the API server.
    #[arg(
        long,
        env = "SHARE",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = clap::builder::BoolishValueParser::new()
    )]
    pub share: Option<bool>,

    /// The group's name. Default: those share that have the same broker, topics, resources, selector and clusters.
    #[arg(long, env = "SHARE_NAME", value_name = "NAME", value_parser = name)]
    pub share_name: Option<String>,

    /// The namespace of the Leases.
    #[arg(
        long,
        env = "SHARE_NAMESPACE",
        value_name = "NAMESPACE",
        default_value = "mqtt-informer"
    )]
    pub share_namespace: String,

    /// How long one is waited for before the others take its clusters.
    #[arg(long, hide = true, value_name = "DURATION", default_value = "15s", value_parser = lease)]
    pub share_lease: Duration,
}

/// What may be a label's value.
fn name(text: &str) -> Result<String, String> {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let inner = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let mut chars = text.chars();
    let is_name = text.len() <= 63
        && edge(chars.next())
        && edge(text.chars().next_back())
        && chars.all(inner);
    match is_name {
        true => Ok(text.to_owned()),
        false => Err("use up to 63 letters, digits, '-', '_' and '.'".to_owned()),
    }
}

fn lease(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        lease if lease < Duration::from_secs(1) => Err("at least 1s".to_owned()),
        lease if lease > Duration::from_secs(3600) => Err("at most 1h".to_owned()),
        lease => Ok(lease),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_groups_name_is_a_labels_value() {
        for (text, good) in [
            ("a", true),
            ("team-1.x_y", true),
            ("", false),
            ("-a", false),
            ("a.", false),
            ("a b", false),
            ("ä", false),
        ] {
            assert_eq!(name(text).is_ok(), good, "{text}");
        }
        assert!(name(&"a".repeat(63)).is_ok() && name(&"a".repeat(64)).is_err());
    }
}
