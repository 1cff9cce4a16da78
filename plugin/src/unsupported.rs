//! Flags of kubectl's readers that have no meaning here, or a different one: what is said of each.

/// The verbs that kubectl has, too.
const READERS: [&str; 7] = [
    "get",
    "describe",
    "api-resources",
    "wait",
    "events",
    "logs",
    "diff",
];

/// Why a flag as kubectl's verb has it (`--raw`, `-f`) is not taken, and what to do instead; none for one that kubectl has
/// not.
pub(crate) fn why(verb: &str, flag: &str) -> Option<&'static str> {
    if !READERS.contains(&verb) {
        return None;
    }
    let flag = flag.split('=').next().unwrap_or_default();
    let reason = REASONS.iter().find(|(flags, _)| flags.contains(&flag));
    reason.map(|(_, why)| *why)
}

const REASONS: [(&[&str], &str); 8] = [
    (
        &["-f", "--filename", "-k", "--kustomize", "-R", "--recursive"],
        "objects are named by words here: TYPE NAME, or TYPE/NAME",
    ),
    (
        &["--raw"],
        "what crosses the broker is lists and watches of resources; -o json shows objects whole",
    ),
    (
        &["--subresource"],
        "objects come whole; -o jsonpath={.status} shows a part",
    ),
    (
        &["--server-print"],
        "tables are always the API server's own; -o custom-columns makes others",
    ),
    (
        &["--as", "--as-group", "--as-uid", "--as-user-extra"],
        "each cluster's syncer reads with its own service account; with --context, the kubeconfig's user has as: and as-groups:",
    ),
    (
        &[
            "-s",
            "--server",
            "--token",
            "--user",
            "--client-certificate",
            "--certificate-authority",
            "--insecure-skip-tls-verify",
            "--tls-server-name",
            "--disable-compression",
        ],
        "API servers are reached through the broker, or as a kubeconfig's context says (--context)",
    ),
    (
        &["-v", "--v", "--vmodule", "--log-flush-frequency"],
        "RUST_LOG=debug in the environment tells what happens",
    ),
    (
        &["--cache-dir"],
        "the cache lies under XDG_CACHE_HOME; --no-cache does without",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Cli;
    use clap::CommandFactory;
    use std::collections::BTreeSet;

    #[test]
    fn flags_are_found_with_and_without_a_value() {
        assert!(why("get", "--raw=/api").is_some_and(|why| why.contains("-o json")));
        assert_eq!(why("get", "-f"), why("get", "--filename"));
        assert_eq!(why("get", "--nosuch"), None);
        assert_eq!(why("config", "-f"), None);
    }

    #[test]
    fn no_flag_that_get_has_is_called_unsupported() {
        let cli = Cli::command();
        let get = cli.find_subcommand("get").unwrap();
        let args = || cli.get_arguments().chain(get.get_arguments());
        let longs = args().filter_map(|arg| arg.get_long().map(|long| format!("--{long}")));
        let shorts = args().filter_map(|arg| arg.get_short().map(|short| format!("-{short}")));
        let own: BTreeSet<_> = longs.chain(shorts).collect();
        let unsupported = REASONS.iter().flat_map(|(flags, _)| flags.iter());
        for flag in unsupported {
            assert!(!own.contains(*flag), "{flag}");
        }
    }
}
