//! The README's table of keys is the map's.

use super::{Context, help};

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
const BEGIN: &str = "<!-- keys: out of plugin/src/tui/keys/map.rs -->\n";
const END: &str = "<!-- /keys -->\n";

/// What can be done with what is selected, and from everywhere; `?` has the rest.
const SHOWN: &[Context] = &[Context::Table, Context::Object, Context::Everywhere];

fn table() -> String {
    let cell = |text: &str| text.replace('|', "\\|");
    let mut out = String::from("| key | |\n|---|---|\n");
    for (keys, words) in help(SHOWN) {
        let keys: Vec<_> = keys.split(' ').map(|key| format!("`{key}`")).collect();
        out += &format!("| {} | {} |\n", cell(&keys.join(" ")), cell(words));
    }
    out
}

#[test]
fn the_readme_has_the_keys() {
    let readme = std::fs::read_to_string(README).unwrap();
    let (before, rest) = readme.split_once(BEGIN).unwrap();
    let (known, after) = rest.split_once(END).unwrap();
    if std::env::var("SNAPSHOTS").is_ok_and(|it| it == "overwrite") {
        std::fs::write(README, [before, BEGIN, &table(), END, after].concat()).unwrap();
    } else {
        assert_eq!(known, table(), "SNAPSHOTS=overwrite writes it anew");
    }
}
