//! The live screen in a terminal: keys are typed, and what a terminal shows is read.

use bed::{Signal, Size, Terminal};
use std::process::Command;

fn open(words: &[&str], size: Size) -> Terminal {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-mqinformer"));
    command.args(words).env("XDG_CONFIG_HOME", "/nonexistent");
    for variable in [
        "BROKER",
        "RUST_LOG",
        "MQINFORMER_CONTEXT",
        "MQINFORMER_NAMESPACE",
    ] {
        command.env_remove(variable);
    }
    Terminal::start(&command, size).unwrap()
}

#[track_caller]
fn sees(terminal: &Terminal, what: &str, is_so: impl Fn(&str) -> bool) -> String {
    terminal.until(what, is_so).unwrap()
}

#[track_caller]
fn sees_text(terminal: &Terminal, text: &str) {
    sees(terminal, text, |shown| shown.contains(text));
}

/// The program has ended well, and the terminal is as it was.
#[track_caller]
fn ends(mut terminal: Terminal) {
    assert!(terminal.ended().unwrap().success());
    terminal.restored().unwrap();
}

#[test]
fn a_demo_is_looked_at_with_the_keys_of_k9s() {
    let mut screen = open(&["demo"], (30, 120));
    let first = sees(&screen, "rows of all clusters", |shown| {
        ["berlin", "denver", "nairobi", "osaka"]
            .iter()
            .all(|name| shown.contains(&format!("● {name}")))
            && shown.contains("Running")
    });
    assert!(first.contains("pods(all)["), "{first}");
    screen.keys(":deploy shop\r").unwrap();
    let deployments = sees(&screen, "deployments of a namespace", |shown| {
        shown.contains("deployments(shop)[") && shown.contains("checkout")
    });
    assert!(
        !deployments.contains("NAMESPACE"),
        "there is only one:\n{deployments}"
    );
    screen.keys("/^osaka.*cart").unwrap();
    sees(&screen, "the filter at work", |shown| {
        shown.contains("[1/") && !shown.contains("checkout")
    });
    screen.keys("\r\r").unwrap();
    sees_text(&screen, "of deployment/cart @osaka");
    sees_text(&screen, "cart-");
    screen.keys("\r").unwrap();
    sees_text(&screen, "of replicaset/cart-");
    sees_text(&screen, "Running");
    screen.keys("d").unwrap();
    sees_text(&screen, "Controlled By:");
    screen.keys("q?").unwrap();
    sees_text(&screen, "go into it: what it made");
    screen.keys("q:faults\r").unwrap();
    sees_text(&screen, "faults[");
    screen.keys("\u{3}").unwrap();
    ends(screen);
}

#[test]
fn a_broker_that_is_not_there_is_told_at_once_and_a_signal_ends_it() {
    let words = [
        "watch",
        "nodes",
        "--broker",
        "tcp://127.0.0.1:1",
        "--no-cache",
    ];
    let screen = open(&words, (20, 80));
    sees_text(&screen, "nodes");
    sees_text(&screen, "no broker");
    screen.signal(Signal::TERM).unwrap();
    ends(screen);
}
