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
fn a_screen_needs_a_terminal() {
    refuses(&["tui", "--broker", "tcp://127.0.0.1:1"], "no terminal");
    refuses(
        &["watch", "pods", "--broker", "tcp://127.0.0.1:1"],
        "no terminal",
    );
}

#[test]
fn a_screen_is_live() {
    let home = tempfile::tempdir().unwrap();
    plugin(&["tui", "--offline", "--broker", "tcp://127.0.0.1:1"])
        .env("HOME", home.path())
        .assert()
        .code(1)
        .stderr_eq("error: --offline is for `get`: this is a live screen, and what is kept does not change\n");
}

#[test]
fn help_is_for_people() {
    run(&["--help"])
        .success()
        .stdout_eq(file!["help/plugin.txt"]);
    run(&["get", "--help"])
        .success()
        .stdout_eq(file!["help/get.txt"]);
    run(&["tui", "--help"])
        .success()
        .stdout_eq(file!["help/tui.txt"]);
    run(&["watch", "--help"])
        .success()
        .stdout_eq(file!["help/watch.txt"]);
    run(&["describe", "--help"])
        .success()
        .stdout_eq(file!["help/describe.txt"]);
    run(&["api-resources", "--help"])
        .success()
        .stdout_eq(file!["help/api-resources.txt"]);
    run(&["wait", "--help"])
        .success()
        .stdout_eq(file!["help/wait.txt"]);
    run(&["rollout", "--help"])
        .success()
        .stdout_eq(file!["help/rollout.txt"]);
    run(&["rollout", "status", "--help"])
        .success()
        .stdout_eq(file!["help/rollout-status.txt"]);
    run(&["events", "--help"])
        .success()
        .stdout_eq(file!["help/events.txt"]);
    run(&["logs", "--help"])
        .success()
        .stdout_eq(file!["help/logs.txt"]);
    run(&["completion", "--help"])
        .success()
        .stdout_eq(file!["help/completion.txt"]);
    run(&["diff", "--help"])
        .success()
        .stdout_eq(file!["help/diff.txt"]);
    run(&["search", "--help"])
        .success()
        .stdout_eq(file!["help/search.txt"]);
    run(&["history", "--help"])
        .success()
        .stdout_eq(file!["help/history.txt"]);
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
        "unable to match a printer suitable for the output format \"nosuchform\", allowed formats are: custom-columns,",
    );
    refuses(
        &["get", "pods", "-o", "go-template={{.x}}"],
        "use -o jsonpath=",
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
    refuses(
        &["get", "pods", "--output-watch-events"],
        "--output-watch-events option can only be used with --watch or --watch-only",
    );
    refuses(
        &["api-resources", "--sort-by", "age"],
        "--sort-by accepts only name or kind",
    );
    refuses(
        &["wait", "pod/web", "--for", "nonsense"],
        "unrecognized condition: \"nonsense\"",
    );
    refuses(
        &["wait", "pod", "--for", "delete"],
        "resource(s) were provided, but no name was specified",
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
fn a_mistake_is_pointed_at() {
    run(&["get", "pods", "-o", "jsonpath={.items[x]}"])
        .code(1)
        .stderr_eq(str![[r#"
error: error parsing jsonpath {.items[x]}, invalid array index x
  {.items[x]}
          ^

"#]]);
    run(&[
        "get",
        "pods",
        "-o",
        "custom-columns=NAME:.metadata.name,NODE",
    ])
    .code(1)
    .stderr_eq(str![[r#"
error: unexpected custom-columns spec: NODE, expected <header>:<json-path-expr>
  NAME:.metadata.name,NODE
                      ^

"#]]);
    run(&["get", "pods", "--sort-by", "{.metadata.name"])
        .code(1)
        .stderr_eq(str![[r#"
error: sorting error: unclosed action
  {.metadata.name
                 ^

"#]]);
    run(&["wait", "pod/web", "--for", "jsonpath={.a[b]}=c"])
        .code(1)
        .stderr_eq(str![[r#"
error: invalid array index b
  {.a[b]}
      ^

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
