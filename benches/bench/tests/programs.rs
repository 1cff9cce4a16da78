//! The harness's own words; `make test` needs the program built, too.
#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

fn bench(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(words)
        .output()
        .unwrap()
}

#[test]
fn it_names_its_measurements_and_refuses_others() {
    let listed = String::from_utf8(bench(&["list"]).stdout).unwrap();
    assert_eq!(listed.lines().count(), 10, "{listed}");
    let refused = bench(&["run", "nosuch"]);
    assert!(!refused.status.success());
    let words = String::from_utf8(refused.stderr).unwrap();
    for line in listed.lines() {
        let name = line.split_whitespace().next().unwrap();
        assert!(words.contains(name), "{words}");
    }
}
