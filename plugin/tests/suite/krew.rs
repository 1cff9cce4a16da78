//! krew-manifest.yaml is what krew takes: the rules of krew's own `ValidatePlugin` (internal/index/validation).

use regex::Regex;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Plugin {
    api_version: String,
    kind: String,
    metadata: BTreeMap<String, String>,
    spec: Spec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spec {
    version: String,
    homepage: String,
    short_description: String,
    description: String,
    #[serde(rename = "caveats")]
    _caveats: String,
    platforms: Vec<Platform>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Platform {
    selector: Selector,
    uri: String,
    sha256: String,
    bin: String,
    files: Vec<FileOperation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Selector {
    match_labels: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileOperation {
    from: String,
    to: String,
}

fn matches(pattern: &str, text: &str) -> bool {
    Regex::new(pattern).unwrap().is_match(text)
}

#[test]
fn the_manifest_is_what_krew_takes() {
    let manifest = include_str!("../../../krew-manifest.yaml");
    let plugin: Plugin = serde_yaml::from_str(manifest).unwrap();
    assert_eq!(
        plugin.api_version,
        "krew.googlecontainertools.github.com/v1alpha2"
    );
    assert_eq!(plugin.kind, "Plugin");
    assert!(matches(r"^[\w-]+$", &plugin.metadata["name"]));
    assert_eq!(
        plugin.spec.version,
        format!("v{}", env!("CARGO_PKG_VERSION"))
    );
    assert!(plugin.spec.homepage.starts_with("https://"));
    let short = &plugin.spec.short_description;
    // krew's list is one line each; its guide asks for 50 characters at most.
    assert!(
        !short.is_empty() && !short.contains(['\r', '\n']) && short.len() <= 50,
        "{short}"
    );
    assert!(plugin.spec.description.lines().all(|line| line.len() <= 80));
    assert!(!plugin.spec.platforms.is_empty());
    let mut seen = BTreeSet::new();
    for platform in &plugin.spec.platforms {
        let keys: Vec<_> = platform
            .selector
            .match_labels
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(keys, ["arch", "os"]);
        assert!(
            seen.insert(&platform.selector.match_labels),
            "a platform twice"
        );
        let (os, arch) = (
            &platform.selector.match_labels["os"],
            &platform.selector.match_labels["arch"],
        );
        let version = &plugin.spec.version;
        assert!(platform.uri.contains(&format!(
            "/{version}/kubectl-mqinformer-{version}-{os}-{arch}."
        )));
        assert!(matches("^[a-f0-9]{64}$", &platform.sha256));
        // krew finds the command by its file's name.
        assert_eq!(platform.bin, format!("kubectl-{}", plugin.metadata["name"]));
        assert!(platform.files.iter().any(|file| file.from == platform.bin));
        assert!(
            platform
                .files
                .iter()
                .all(|file| !file.from.is_empty() && !file.to.is_empty())
        );
    }
}
