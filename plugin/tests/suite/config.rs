//! The configuration file, the environment and the command line; and contexts without a broker, as far as no cluster
//! is needed.

use super::cli::plugin;
use snapbox::cmd::{Command, OutputAssert};
use snapbox::{file, str};
use std::path::Path;
use tempfile::TempDir;

/// A folder with a configuration file where XDG has it.
fn home(text: &str) -> TempDir {
    let home = TempDir::new().unwrap();
    let folder = home.path().join(".config/mqinformer");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.yaml"), text).unwrap();
    home
}

fn at(home: &Path, words: &[&str]) -> Command {
    let redactions = ("[HOME]", home.to_path_buf());
    let mut known = snapbox::Redactions::new();
    known.insert(redactions.0, redactions.1).unwrap();
    plugin(words).env("HOME", home).with_assert(
        snapbox::Assert::new()
            .action_env("SNAPSHOTS")
            .redact_with(known),
    )
}

/// One line on stderr, exit code 1, nothing on stdout.
#[track_caller]
fn refuses(command: Command, want: &str) {
    let output = command.assert().code(1).stdout_eq("").get_output().clone();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.lines().count() == 1 && said.contains(want),
        "{want:?} is not in {said:?}"
    );
}

const FILE: &str = "# mine
broker: mqtts://me@broker.example.com
username: me
password-file: ~/password
cluster: [\"@eu\", us-1]
timeout: 10s
current-profile: prod
profiles:
  prod:
    namespace: shop
    ca-crt: ca.pem
  lab: {broker: 'tcp://127.0.0.1:1', tls: false}
groups:
  eu: [\"eu-*\"]
";

#[test]
fn a_view_tells_values_and_where_they_came_from() {
    // Paths that are as long everywhere, for the columns' sake.
    let text = FILE
        .replace("~/password", "/etc/password")
        .replace("ca.pem", "/etc/ca.pem");
    let (fixed, home) = (home(&text), home(FILE));
    let view = |home: &TempDir, words: &[&str]| {
        let words = [&["config", "view"], words].concat();
        at(home.path(), &words)
            .env("BROKER_PASSWORD", "CANARY")
            .env("QOS", "0")
            .env("BROKER_USERNAME", "")
    };
    let check = |output: OutputAssert| {
        let output = output.success().get_output().clone();
        let all = [output.stdout, output.stderr].concat();
        assert!(!String::from_utf8_lossy(&all).contains("CANARY"));
    };
    check(
        view(&fixed, &["--timeout", "3s"])
            .assert()
            .stdout_eq(file!["config/view.txt"]),
    );
    check(
        view(&home, &["--profile", "lab", "-o", "json"])
            .assert()
            .stdout_eq(file!["config/lab.json"]),
    );
    check(
        view(
            &home,
            &[
                "-o",
                "yaml",
                "--broker",
                "mqtts://x:CANARY@h",
                "--cluster",
                "a,b",
            ],
        )
        .assert()
        .stdout_eq(file!["config/flags.yaml"]),
    );
}

#[test]
fn without_a_file_there_are_defaults() {
    let home = TempDir::new().unwrap();
    at(home.path(), &["config", "view"])
        .assert()
        .success()
        .stdout_eq(file!["config/defaults.txt"]);
}

#[test]
fn what_is_wrong_in_a_file_is_told_with_its_place() {
    let refused = |text: &str, want: &str| refuses(at(home(text).path(), &["get", "pods"]), want);
    refused(
        "broker: a\ntiemout: 1s\n",
        "/.config/mqinformer/config.yaml:2:1: unknown key \"tiemout\": did you mean timeout?",
    );
    refused("password: x\n", ":1:1: a password cannot be in this file");
    refused("timeout: soon\n", ":1:10: timeout: \"soon\" is no duration");
    refused("a: [\n", "config.yaml:");
    refused(
        "current-profile: x\n",
        ":1:1: there is no profile \"x\": the file has none",
    );
    refused("broker: \"evil\\e[31m\"\nx: 1\n", ":2:1: unknown key \"x\"");
    let home = home(FILE);
    refuses(
        at(home.path(), &["get", "pods", "--profile", "nosuch"]),
        "there is no profile \"nosuch\": the file has lab, prod",
    );
    refuses(
        at(home.path(), &["clusters", "--cluster", "@nosuch"]),
        "--cluster \"@nosuch\": no such group; there are @eu",
    );
    refuses(
        at(home.path(), &["get", "pods", "--config", "/no/such"]),
        "configuration file /no/such cannot be read",
    );
    at(home.path(), &["get", "pods"])
        .env("MQINFORMER_CONFIG", "/no/such")
        .assert()
        .code(1);
}

#[test]
fn help_is_there_whatever_the_file_says() {
    let home = home("nonsense");
    at(home.path(), &["--help"]).assert().success();
    refuses(
        at(home.path(), &["version"]),
        "expected settings, such as broker: mqtts://broker.example.com",
    );
}

/// A kubeconfig with two contexts that lead nowhere.
fn kubeconfig(home: &Path) -> String {
    let file = home.join("kubeconfig");
    let text = "
clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]
contexts: [{name: kind-a, context: {cluster: c}}, {name: kind-b, context: {cluster: c}}]
";
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}

#[test]
fn contexts_that_lead_nowhere_are_named_at_once() {
    let home = TempDir::new().unwrap();
    let file = kubeconfig(home.path());
    at(home.path(), &["get", "pods", "--context", "all", "--kubeconfig", &file, "--timeout", "1h"])
        .assert()
        .code(1)
        .stdout_eq("")
        .stderr_eq(str![[r#"
error: cluster "kind-a": cannot reach the API server at http://127.0.0.1:1: Connection refused (os error 111); is it running, and is this its address?
error: cluster "kind-b": cannot reach the API server at http://127.0.0.1:1: Connection refused (os error 111); is it running, and is this its address?

"#]]);
    at(home.path(), &["clusters", "--context", "kind-b"])
        .env("KUBECONFIG", &file)
        .assert()
        .code(1)
        .stdout_eq(str![[r#"
NAME     STATE    KUBERNETES   NAMESPACE
kind-b   failed   <unknown>    default

"#]]);
}

#[test]
fn words_that_do_not_go_with_contexts() {
    let home = TempDir::new().unwrap();
    let file = kubeconfig(home.path());
    let refused = |words: &[&str], want: &str| {
        let words = [words, &["--kubeconfig", &file]].concat();
        refuses(
            at(home.path(), &words).env("BROKER", "tcp://127.0.0.1:1"),
            want,
        );
    };
    let all = ["--context", "all"];
    refused(
        &[&["get", "pods"][..], &all, &["--broker", "tcp://h"]].concat(),
        "--broker and --context cannot be used together",
    );
    refused(
        &[&["get", "pods"][..], &all, &["--cluster", "a"]].concat(),
        "--cluster and --context cannot be used together",
    );
    refused(&["get", "pods"], "--kubeconfig is for --context");
    refused(
        &[&["clusters", "forget", "a"][..], &all].concat(),
        "leave --context out",
    );
    refused(
        &["get", "pods", "--context", "gke-*"],
        "no context matches --context gke-*: known are kind-a, kind-b",
    );
    refused(
        &["get", "pods", "--context", "nosuch"],
        "Error in configuration: context was not found for specified context: nosuch",
    );
    for words in [
        &["demo", "--", "get", "pods", "--context", "all"][..],
        &["demo", "--context", "all"],
    ] {
        refuses(at(home.path(), words), "a demo has its own clusters");
    }
    refuses(
        at(
            home.path(),
            &["get", "pods", "--context", "a", "--kubeconfig", "/no/such"],
        ),
        "error: stat /no/such: no such file or directory",
    );
}

#[test]
fn what_is_said_nearer_to_the_command_chooses_between_broker_and_contexts() {
    let home = home("context: 'kind-*'\nbroker: tcp://127.0.0.1:2\n");
    let file = kubeconfig(home.path());
    let said = |words: &[&str], variable: (&str, &str)| {
        let words = [&["get", "pods", "--timeout", "1s"], words].concat();
        let command = at(home.path(), &words)
            .env("KUBECONFIG", &file)
            .env(variable.0, variable.1);
        let output = command.assert().code(1).get_output().clone();
        String::from_utf8(output.stderr).unwrap()
    };
    let direct = |said: String| said.contains("cluster \"kind-a\"");
    assert!(
        direct(said(&[], ("X", ""))),
        "of two in one file, contexts go first"
    );
    assert!(!direct(said(&[], ("BROKER", "tcp://127.0.0.1:3"))));
    assert!(!direct(said(&["--cluster", "a"], ("X", ""))));
    assert!(direct(said(
        &["--context", "kind-?"],
        ("BROKER", "tcp://127.0.0.1:3")
    )));
    assert!(direct(said(&[], ("MQINFORMER_CONTEXT", "kind-?"))));
}

/// Runs `config` words that change the file, and answers with what is in it then.
fn changed(home: &Path, words: &[&str], said: &str) -> String {
    let words: Vec<_> = std::iter::once("config")
        .chain(words.iter().copied())
        .collect();
    at(home, &words)
        .assert()
        .success()
        .stderr_eq("")
        .stdout_eq(said.to_owned());
    let path = home.join(".config/mqinformer/config.yaml");
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&path).unwrap());
    assert_eq!(mode & 0o777, 0o600);
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn the_file_is_written_without_an_editor() {
    let home = TempDir::new().unwrap();
    let broker = [
        "set-broker",
        "lab",
        "tcp://127.0.0.1:1",
        "--username",
        "me",
        "--QoS",
        "0",
    ];
    let hint =
        "Profile \"lab\" set. `kubectl mqinformer config use lab` makes it the current one.\n";
    let text = changed(home.path(), &broker, hint);
    assert_eq!(
        text,
        "profiles:\n  lab:\n    broker: tcp://127.0.0.1:1\n    username: me\n    qos: \"0\"\n"
    );
    let broker = ["set", "broker", "tcp://127.0.0.1:2", "--profile", "lab"];
    let said = "Property \"broker\" set. The login of the broker before was removed.\n";
    let text = changed(home.path(), &broker, said);
    assert_eq!(
        text,
        "profiles:\n  lab:\n    broker: tcp://127.0.0.1:2\n    qos: \"0\"\n"
    );
    let broker = ["set-broker", "lab", "tcp://127.0.0.1:1", "--username", "me"];
    changed(home.path(), &broker, hint);
    changed(
        home.path(),
        &["use", "lab"],
        "Switched to profile \"lab\".\n",
    );
    changed(
        home.path(),
        &["set", "timeout", "7s"],
        "Property \"timeout\" set.\n",
    );
    changed(
        home.path(),
        &["groups", "set", "eu", "eu-*", "!eu-old"],
        "Group \"@eu\" set.\n",
    );
    at(home.path(), &["config", "groups"])
        .assert()
        .success()
        .stdout_eq(str![[r#"
NAME   CLUSTERS
@eu    eu-*,!eu-old

"#]]);
    let text = changed(
        home.path(),
        &["set", "cluster", "@eu", "us-1", "--profile", "lab"],
        "Property \"cluster\" set.\n",
    );
    assert!(text.contains("    cluster: [\"@eu\", us-1]\n"), "{text}");
    let view = at(home.path(), &["config", "view"])
        .assert()
        .success()
        .get_output()
        .clone();
    let view = String::from_utf8(view.stdout).unwrap();
    assert!(
        view.contains("tcp://127.0.0.1:1") && view.contains("@eu,us-1"),
        "{view}"
    );
    changed(
        home.path(),
        &["groups", "delete", "@eu"],
        "Group \"@eu\" deleted.\n",
    );
    let text = changed(
        home.path(),
        &["unset", "timeout"],
        "Property \"timeout\" unset.\n",
    );
    assert!(
        !text.contains("groups") && !text.contains("timeout"),
        "{text}"
    );
}

#[test]
fn comments_stay_when_the_file_is_written() {
    let home = home(FILE);
    let text = changed(
        home.path(),
        &["use", "lab"],
        "Switched to profile \"lab\".\n",
    );
    assert_eq!(
        text,
        FILE.replace("current-profile: prod", "current-profile: lab")
    );
}

#[test]
fn what_the_file_could_not_be_read_with_is_not_written() {
    let home = home(FILE);
    for (words, why) in [
        (&["set", "nosuch", "1"][..], "unknown key \"nosuch\""),
        (&["set", "timeout", "soon"], "\"soon\" is no duration"),
        (
            &["set", "password", "x"],
            "a password cannot be in this file",
        ),
        (
            &["set-broker", "x", "mqtt://me:secret@h"],
            "a password cannot be in this file",
        ),
        (
            &["use", "nosuch"],
            "there is no profile \"nosuch\": the file has lab, prod",
        ),
        (
            &["groups", "delete", "nosuch"],
            "there is no group \"@nosuch\"",
        ),
        (&["groups", "set", "x", "@eu"], "group"),
        (&["unset", "namespace"], "\"namespace\" is not set"),
    ] {
        let words: Vec<_> = std::iter::once("config")
            .chain(words.iter().copied())
            .collect();
        refuses(at(home.path(), &words), why);
    }
    let text = std::fs::read_to_string(home.path().join(".config/mqinformer/config.yaml"));
    assert_eq!(text.unwrap(), FILE);
}
