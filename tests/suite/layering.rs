//! Arrows point one way: which modules of the library each module may name.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module of the library, and those that it may name besides itself.
const LAYERS: &[(&str, &[&str])] = &[
    ("protocol", &[]),
    ("golang", &[]),
    ("jsonpath", &["golang"]),
    ("ocm", &[]),
    (
        "hub",
        &[
            "cli",
            "informer",
            "kubernetes",
            "link",
            "ocm",
            "protocol",
            "replica",
            "source",
        ],
    ),
    (
        "agent",
        &[
            "cli",
            "informer",
            "jsonpath",
            "kubernetes",
            "ocm",
            "protocol",
            "replica",
            "source",
            "syncer",
        ],
    ),
    ("replica", &["protocol"]),
    ("link", &[]),
    ("store", &["protocol"]),
    ("clock", &["replica"]),
    ("source", &["clock", "protocol", "replica", "link"]),
    ("informer", &["clock", "protocol", "replica", "link"]),
    ("kubernetes", &["clock", "protocol", "source"]),
    (
        "playground",
        &["kubernetes", "link", "protocol", "replica", "source"],
    ),
    ("cli", &["link", "protocol"]),
    ("broker", &["cli", "link"]),
    (
        "syncer",
        &["cli", "kubernetes", "link", "protocol", "replica", "source"],
    ),
    (
        "controlplane",
        &[
            "cli",
            "clock",
            "informer",
            "kubernetes",
            "link",
            "protocol",
            "replica",
            "source",
            "store",
        ],
    ),
];

/// Pure modules, and what they must not name: IO, clocks, threads of control that are not theirs.
const PURE: &[&str] = &[
    "src/protocol",
    "src/replica",
    "src/golang",
    "src/jsonpath",
    "src/ocm",
    "src/hub/placement",
    "src/hub/rollout",
    "src/hub/lifecycle",
    "src/hub/sets",
    "src/agent/plan",
    "src/controlplane/share/hashing.rs",
    "src/controlplane/share/standing.rs",
    "plugin/src/table",
    "plugin/src/print",
    "plugin/src/get",
    "plugin/src/describe",
    "plugin/src/complete",
    "plugin/src/events",
    "plugin/src/logs",
    "plugin/src/filter",
    "plugin/src/diff",
];
const IMPURE: &[&str] = &[
    "tokio",
    "std::net",
    "std::fs",
    "std::io::std",
    "Instant::now",
    "SystemTime::now",
    "std::env",
    "rumqttc",
    "kube::",
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The code of a file: without comments, and without what is compiled for tests only.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let code = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default();
    code.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

/// The modules of the library that a piece of code names by `crate::`.
fn named(code: &str) -> BTreeSet<String> {
    let word = |rest: &str| {
        rest.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
    };
    let mut names = BTreeSet::new();
    for (_, rest) in code
        .match_indices("crate::")
        .map(|(at, hit)| code.split_at(at + hit.len()))
    {
        match rest.strip_prefix('{') {
            Some(group) => names.extend(
                group
                    .split('}')
                    .next()
                    .unwrap_or_default()
                    .split(',')
                    .map(|part| word(part.trim())),
            ),
            None => _ = names.insert(word(rest)),
        }
    }
    names
        .into_iter()
        .filter(|name| LAYERS.iter().any(|(layer, _)| layer == name))
        .collect()
}

#[test]
fn arrows_point_one_way() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    for (layer, allowed) in LAYERS {
        let folder = root.join("src").join(layer);
        let files = if folder.is_dir() {
            sources(&folder)
        } else {
            vec![folder.with_extension("rs")]
        };
        assert!(!files.is_empty(), "no such layer: {layer}");
        for file in files {
            let forbidden = named(&code(&file))
                .into_iter()
                .filter(|name| name != layer && !allowed.contains(&name.as_str()));
            wrong.extend(forbidden.map(|name| {
                format!(
                    "{} names {name}",
                    file.strip_prefix(root).unwrap().display()
                )
            }));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_module_is_a_layer() {
    let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    for line in lib.lines().filter_map(|line| line.strip_prefix("pub mod ")) {
        let module = line.trim_end_matches(';');
        assert!(
            LAYERS.iter().any(|(layer, _)| *layer == module),
            "{module} has no place in the layers"
        );
    }
}

#[test]
fn pure_modules_do_no_io_and_know_no_clock() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    for folder in PURE
        .iter()
        .map(|folder| root.join(folder))
        .filter(|path| path.exists())
    {
        let files = match folder.is_dir() {
            true => sources(&folder),
            false => vec![folder],
        };
        for file in files
            .into_iter()
            .filter(|file| !file.to_string_lossy().contains("/simulator/"))
        {
            let code = code(&file);
            let hits = IMPURE.iter().filter(|word| code.contains(**word));
            wrong.extend(hits.map(|word| {
                format!(
                    "{} names {word}",
                    file.strip_prefix(root).unwrap().display()
                )
            }));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
