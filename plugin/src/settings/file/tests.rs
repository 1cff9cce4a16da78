use super::*;
use crate::settings::all;

fn parsed(text: &str) -> Result<File, String> {
    File::parse(text, &all()).map_err(|wrong| wrong.to_string())
}

/// `id=words@line`, in the order of the ids.
fn said(values: &Values) -> Vec<String> {
    let one =
        |(id, value): (&String, &Value)| format!("{id}={}@{}", value.words.join(","), value.line);
    values.iter().map(one).collect()
}

#[test]
fn settings_and_where_they_stand() {
    let file = parsed(
        "# mine\nbroker: tcp://h:1\n\nqos: 0\ntls: true\ntimeout: 10s\ncluster: [a, 'b-*']\npassword-file: pw\n",
    );
    let want = [
        "broker=tcp://h:1@2",
        "cluster=a,b-*@7",
        "password_file=pw@8",
        "qos=0@4",
        "timeout=10s@6",
        "tls=true@5",
    ];
    assert_eq!(said(&file.unwrap().settings), want);
}

#[test]
fn a_list_may_be_one_word() {
    let file = parsed("cluster: 'a, !b'\ngroups: {g: c}").unwrap();
    assert_eq!(said(&file.settings), ["cluster=a,!b@1"]);
    assert_eq!(file.groups["g"], ["c"]);
}

#[test]
fn an_empty_file_says_nothing() {
    for text in ["", "\n", "# only words\n", "---\n"] {
        assert_eq!(parsed(text), Ok(File::default()), "{text:?}");
    }
}

#[test]
fn a_profile_goes_before_the_rest() {
    let text = "broker: tcp://a\ntimeout: 9s\ncurrent-profile: lab\nprofiles:\n  lab:\n    broker: tcp://b\n  prod: {broker: tcp://c}\n";
    let file = parsed(text).unwrap();
    let of = |named| {
        file.with_profile(named)
            .map(|(name, values)| (name, said(&values)))
    };
    let want = |name: &str, broker: &str| {
        Ok((
            Some(name.to_owned()),
            vec![broker.to_owned(), "timeout=9s@2".to_owned()],
        ))
    };
    assert_eq!(of(None), want("lab", "broker=tcp://b@6"));
    assert_eq!(of(Some("prod")), want("prod", "broker=tcp://c@7"));
    let wrong = of(Some("nosuch")).unwrap_err();
    assert_eq!(
        wrong.to_string(),
        " there is no profile \"nosuch\": the file has lab, prod"
    );
    let wrong = parsed("\ncurrent-profile: x")
        .unwrap()
        .with_profile(None)
        .unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "2:1: there is no profile \"x\": the file has none"
    );
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (text, want) in [
        (
            "broker: a\nbrokr: b",
            "2:1: unknown key \"brokr\": did you mean broker?",
        ),
        (
            "password_file: x",
            "1:1: unknown key \"password_file\": did you mean password-file?",
        ),
        ("QoS: 1", "1:1: unknown key \"QoS\": did you mean qos?"),
        (
            "profiles:\n  lab:\n    tiemout: 1s",
            "3:5: unknown key \"tiemout\": did you mean timeout?",
        ),
        (
            "profiles:\n  lab:\n    profiles: {}",
            "3:5: unknown key \"profiles\": expected one of broker, username, password-file, tls, ca-crt, client-crt, client-key, client-id, signal-topic, payload-topic, qos, context, kubeconfig, no-cache, cache-size, cache-age, cluster, cluster-selector, namespace, hub, controlplane, token-file, controlplane-ca, timeout, request-timeout, theme, mouse",
        ),
        (
            "timeout:\n  soon",
            "2:3: timeout: \"soon\" is no duration; write it as 500ms, 5s or 1m30s",
        ),
        ("qos: 3", "1:6: qos: 3 is not in 0..=2"),
        ("tls: maybe", "1:6: tls: expected true or false"),
        ("broker: [a]", "1:9: broker: expected one word"),
        ("broker:", "1:8: broker: expected one word"),
        (
            "cluster: {a: b}",
            "1:10: cluster: expected a word or a list of words",
        ),
        ("cluster: [[a]]", "1:11: cluster: expected a list of words"),
        ("broker: a\nbroker: b", "1:1: \"broker\" stands here twice"),
        (
            "- broker",
            "1:1: expected settings, such as broker: mqtts://broker.example.com",
        ),
        (
            "profiles: [a]",
            "1:11: expected profiles: a name, and settings under it",
        ),
        (
            "groups:\n  g: ['@h']",
            "2:6: g: a group cannot be in a group",
        ),
        (
            "password: secret",
            "1:1: a password cannot be in this file: put it into a file of its own and name that by password-file, or set BROKER_PASSWORD",
        ),
        (
            "broker: mqtts://me:secret@h",
            "1:9: a password cannot be in this file, nor in a broker's URL in it: use username and password-file, or set BROKER_PASSWORD",
        ),
    ] {
        assert_eq!(parsed(text).unwrap_err(), want, "{text:?}");
    }
}

#[test]
fn what_is_no_yaml_is_told_with_its_place() {
    let wrong = parsed("broker: a\n  b: [").unwrap_err();
    assert!(
        wrong.starts_with("2:4: this is no YAML: ") && !wrong.contains('\n'),
        "{wrong}"
    );
    let wrong = parsed("a\tb: \u{7}").unwrap_err();
    assert!(wrong.contains("this is no YAML"), "{wrong}");
}

#[test]
fn no_setting_is_forgotten() {
    let keys: Vec<_> = all().into_iter().map(|setting| setting.key).collect();
    for key in [
        "broker",
        "username",
        "password-file",
        "tls",
        "ca-crt",
        "qos",
        "context",
        "kubeconfig",
        "cluster",
        "namespace",
        "timeout",
    ] {
        assert!(
            keys.iter().any(|known| known == key),
            "{key} is not in {keys:?}"
        );
    }
    assert!(!keys.iter().any(|key| key == "config" || key == "profile"));
}

#[test]
fn the_example_of_the_readme_makes_sense() {
    let readme = include_str!("../../../../README.md");
    let example = readme
        .split("```yaml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let file = parsed(example.unwrap()).unwrap();
    let (name, values) = file.with_profile(None).unwrap();
    assert_eq!(
        (name.as_deref(), values["timeout"].words.as_slice()),
        (Some("prod"), &["10s".to_owned()][..])
    );
    assert!(file.groups.contains_key("eu"));
}

#[test]
fn a_profile_of_clusters_behind_a_broker_is_none_of_contexts() {
    let text = "context: [all]\nprofiles:\n  lab: {broker: tcp://b}\n  some: {cluster: [a]}\n  own: {timeout: 1s}\n";
    let file = parsed(text).unwrap();
    for (name, direct) in [("lab", false), ("some", false), ("own", true)] {
        let (_, values) = file.with_profile(Some(name)).unwrap();
        assert_eq!(values.contains_key("context"), direct, "{name}");
    }
}

#[test]
fn a_login_is_for_the_broker_beside_it() {
    let text = "broker: tcp://a\nusername: me\npassword-file: pw\nprofiles:\n  same: {qos: 0}\n  other: {broker: tcp://b}\n  own: {broker: tcp://c, username: you}\n";
    let file = parsed(text).unwrap();
    let of = |name: &str| {
        let (_, values) = file.with_profile(Some(name)).unwrap();
        said(&values)
            .iter()
            .map(|value| value.split('@').next().unwrap().to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        of("same"),
        "broker=tcp://a password_file=pw qos=0 username=me"
    );
    assert_eq!(of("other"), "broker=tcp://b");
    assert_eq!(of("own"), "broker=tcp://c username=you");
    let everybodys = parsed("username: me\nprofiles: {p: {broker: tcp://b}}\n").unwrap();
    let (_, values) = everybodys.with_profile(Some("p")).unwrap();
    assert!(values.contains_key("username"), "it stands beside no other");
}
