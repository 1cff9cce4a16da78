//! Help, and what is said to words that mean nothing.

use snapbox::cmd::{Command, OutputAssert};
use snapbox::{file, str};

/// The plugin without anything of the environment that would change what it says.
pub(crate) fn plugin(words: &[&str]) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    Command::new(env!("CARGO_BIN_EXE_kubectl-mqinformer"))
        .env_clear()
        .env("PATH", path)
        .args(words)
}

fn run(words: &[&str]) -> OutputAssert {
    plugin(words).assert()
}

/// One line `error: ...`, exit code 1, nothing on stdout.
#[track_caller]
fn refuses(words: &[&str], why: &str) {
    let output = run(words).code(1).stdout_eq("").get_output().clone();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.starts_with("error: ") && said.lines().count() == 1,
        "{said:?}"
    );
    assert!(said.contains(why), "{why:?} is not in {said:?}");
    assert!(!said.contains('\u{1b}'), "{said:?}");
}

#[test]
fn help_is_for_people() {
    run(&["--help"])
        .success()
        .stdout_eq(file!["help/plugin.txt"]);
    run(&["get", "--help"])
        .success()
        .stdout_eq(file!["help/get.txt"]);
    run(&["diff", "--help"])
        .success()
        .stdout_eq(file!["help/diff.txt"]);
    run(&["clusters", "--help"])
        .success()
        .stdout_eq(file!["help/clusters.txt"]);
    run(&["demo", "--help"])
        .success()
        .stdout_eq(file!["help/demo.txt"]);
    run(&["version", "--help"])
        .success()
        .stdout_eq(file!["help/version.txt"]);
    run(&["config", "--help"])
        .success()
        .stdout_eq(file!["help/config.txt"]);
}

#[test]
fn versions() {
    run(&["version"]).success().stdout_eq(str![[r#"
kubectl-mqinformer v[..]

"#]]);
    run(&["version", "-o", "json"])
        .success()
        .stdout_eq(str![[r#"
{
    "version": "v[..]"
}

"#]]);
}

#[test]
fn words_that_mean_nothing() {
    refuses(&["nosuchverb"], "unrecognized subcommand 'nosuchverb'");
    refuses(
        &["get", "pods", "--nosuchflag"],
        "see `kubectl mqinformer get --help`",
    );
    refuses(&["get", "pods", "--all-namespace"], "'--all-namespaces'");
    refuses(
        &["get", "pods", "-o", "nosuchform"],
        "possible values: wide, json, yaml, name",
    );
    refuses(
        &["get", "pods", "--timeout", "soon"],
        "\"soon\" is no duration",
    );
    refuses(
        &["get", "pods", "--nosuch\u{1b}[31m"],
        "unexpected argument",
    );
    refuses(&["get", "pods", "--cluster", "evil\u{1b}[31m"], "--cluster");
    refuses(&["get", "pods", "--cluster", "a\u{202e}b"], "U+202E");
    refuses(&["get", "pods", "--cluster", "a,!"], "--cluster");
    refuses(&["clusters", "forget", "a\u{7}b"], "U+0007");
}

#[test]
fn words_that_kubectl_refuses_are_refused_in_its_words() {
    refuses(
        &["get", "pods", "web", "-l", "a=b"],
        "name cannot be provided when a selector is specified",
    );
    refuses(
        &["get", "pods", "svc/web"],
        "there is no need to specify a resource type as a separate argument",
    );
    refuses(&["get", "a/b/c"], "may not have more than one slash");
    refuses(
        &["get", "pods,svc", "-w"],
        "you may only specify a single resource type",
    );
    refuses(
        &["get", "pods", "--show-labels", "-o", "json"],
        "--show-labels option cannot be used with json printer",
    );
    run(&["get"]).code(1).stdout_eq("").stderr_eq(str![[r#"
You must specify the type of resource to get. Use "kubectl api-resources" for a complete list of supported resources.

error: Required resource not specified.
Use "kubectl explain <resource>" for a detailed description of that resource (e.g. kubectl explain pods).
See 'kubectl get -h' for help and examples

"#]]);
}

#[test]
fn brokers_that_cannot_be_used() {
    refuses(
        &["get", "pods", "--broker", "carrier-pigeon://h"],
        "carrier-pigeon",
    );
    refuses(&["get", "pods", "--broker", "not a url"], "not a url");
    refuses(
        &[
            "clusters",
            "--ca-crt",
            "/no/such/file",
            "--broker",
            "mqtts://127.0.0.1",
        ],
        "/no/such/file",
    );
    refuses(
        &["get", "pods", "--signal-topic", "/a/b/c/d"],
        "--signal-topic",
    );
    refuses(&["get", "pods", "--client-crt", "x"], "--client-key");
}
