use super::*;
use std::path::Path;
use std::time::Instant;

const V1: &str = "client.authentication.k8s.io/v1";

/// A plugin that is a shell script.
fn script(text: &str) -> Plugin {
    let exec = ExecConfig {
        api_version: Some(V1.into()),
        command: Some("sh".into()),
        args: Some(vec!["-c".into(), text.into()]),
        interactive_mode: Some(ExecInteractiveMode::IfAvailable),
        ..ExecConfig::default()
    };
    Plugin {
        exec,
        login: Login::Unattended(Duration::from_secs(30)),
    }
}

fn printing(status: &str) -> Plugin {
    script(&format!(
        r#"printf '%s' '{{"kind":"ExecCredential","apiVersion":"{V1}","status":{status}}}'"#
    ))
}

#[tokio::test]
async fn a_token_and_when_it_expires() {
    let plugin = printing(r#"{"token":"t","expirationTimestamp":"2026-11-25T00:00:00Z"}"#);
    let credential = plugin.run().await.unwrap();
    assert_eq!(credential.token.as_deref(), Some("t"));
    assert_eq!(credential.expires, "2026-11-25T00:00:00Z".parse().ok());
}

#[tokio::test]
async fn a_certificate_becomes_the_configurations_own() {
    let plugin = printing(r#"{"clientCertificateData":"CERT","clientKeyData":"KEY"}"#);
    let mut config = Config::new(http::Uri::from_static("https://127.0.0.1"));
    plugin.run().await.unwrap().put_into(&mut config);
    assert_eq!(
        config.auth_info.client_certificate_data.as_deref(),
        Some("Q0VSVA==")
    );
    assert!(config.auth_info.client_key_data.is_some() && config.auth_info.token.is_none());
}

#[tokio::test]
async fn yaml_will_do() {
    let plugin = script(&format!(
        "printf 'apiVersion: {V1}\\nstatus:\\n  token: t\\n'"
    ));
    assert_eq!(plugin.run().await.unwrap().token.as_deref(), Some("t"));
}

#[tokio::test]
async fn it_is_told_what_is_wanted_and_has_no_terminal() {
    let text = r#"[ -t 0 ] && exit 3; case "$KUBERNETES_EXEC_INFO" in *'"interactive":false'*) ;; *) exit 4;; esac; [ "$MINE" = yes ] || exit 5"#;
    let mut plugin = script(&format!(
        "{text}; printf '{{\"apiVersion\":\"{V1}\",\"status\":{{\"token\":\"t\"}}}}'"
    ));
    let variable = [("name", "MINE"), ("value", "yes")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    plugin.exec.env = Some(vec![variable.into()]);
    assert_eq!(
        plugin.run().await.map(|got| got.token),
        Ok(Some("t".into()))
    );
}

#[tokio::test]
async fn what_goes_wrong_is_said_in_one_line_without_secrets() {
    let mut missing = script("");
    missing.exec.command = Some("no-such-program".into());
    missing.exec.install_hint = Some("\nget it\n from somewhere \n".into());
    let mut alone = script("");
    alone.exec.interactive_mode = Some(ExecInteractiveMode::Always);
    for (plugin, want) in [
        (
            missing,
            "exec: executable no-such-program not found; get it; from somewhere",
        ),
        (
            script("echo first >&2; echo 'log in first' >&2; exit 7"),
            "exec: executable sh failed with exit code 7: log in first",
        ),
        (
            script("kill -9 $$"),
            "exec: executable sh failed with a signal",
        ),
        (
            script("echo secret"),
            "exec: the plugin printed something that is no ExecCredential",
        ),
        (printing("null"), "exec plugin didn't return a status field"),
        (
            printing("{}"),
            "exec plugin didn't return a token or cert/key pair",
        ),
        (
            printing(r#"{"clientKeyData":"KEY"}"#),
            "exec plugin returned only certificate or key, not both",
        ),
        (
            printing(r#"{"token":"t","expirationTimestamp":"soon"}"#),
            "exec plugin returned an expirationTimestamp that is no time",
        ),
        (
            script(r#"echo '{"apiVersion":"v9","status":{"token":"t"}}'"#),
            "exec plugin is configured to use API version client.authentication.k8s.io/v1, plugin returned version v9",
        ),
    ] {
        assert_eq!(plugin.run().await.unwrap_err(), want);
    }
    let said = alone.run().await.unwrap_err();
    assert!(
        said.starts_with("exec plugin cannot support interactive mode"),
        "{said}"
    );
}

#[tokio::test]
async fn one_that_hangs_is_ended_with_all_that_it_started() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("child");
    let text = format!(
        "sleep 300 & echo $! > {0}.new && mv {0}.new {0}; wait",
        file.display()
    );
    let mut plugin = script(&text);
    plugin.login = Login::Unattended(Duration::from_secs(2));
    let begin = Instant::now();
    let said = plugin.run().await.unwrap_err();
    assert_eq!(said, "exec: executable sh did not end within 2s");
    assert!(begin.elapsed() < Duration::from_secs(20));
    let child = std::fs::read_to_string(&file).unwrap();
    let process = Path::new("/proc").join(child.trim()).join("stat");
    let is_gone = || std::fs::read_to_string(&process).map_or(true, |stat| stat.contains(") Z "));
    while !is_gone() {
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "the plugin's child goes on"
        );
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_it_leaves_running_is_left_and_not_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("keeper");
    // The keeper has its stderr, and no stdout.
    let text = format!(
        "sleep 300 >/dev/null & echo $! > {}; echo careful >&2; exit 7",
        file.display()
    );
    let begin = Instant::now();
    let said = script(&text).run().await.unwrap_err();
    assert_eq!(said, "exec: executable sh failed with exit code 7: careful");
    assert!(begin.elapsed() < Duration::from_secs(20));
    let keeper = std::fs::read_to_string(&file)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    let keeper = Pid::from_raw(keeper).unwrap();
    rustix::process::kill_process(keeper, Signal::KILL).expect("the keeper still runs");
}

#[tokio::test]
async fn at_a_terminal_one_that_talks_to_nobody_still_has_a_limit() {
    let mut plugin = script("sleep 300");
    plugin.exec.interactive_mode = Some(ExecInteractiveMode::Never);
    plugin.login = Login::AtTerminal(Duration::from_millis(200));
    let said = plugin.run().await.unwrap_err();
    assert_eq!(said, "exec: executable sh did not end within 200ms");
}

#[test]
fn what_the_kubeconfig_has_besides_goes_before_it() {
    let mut config = Config::new(http::Uri::from_static("https://127.0.0.1"));
    let login = Login::AtTerminal(Duration::ZERO);
    config.auth_info.exec = Some(script("").exec);
    assert!(Plugin::take(&mut config, login).is_some_and(|plugin| plugin.is_interactive()));
    config.auth_info.exec = Some(script("").exec);
    config.auth_info.token = Some("t".to_owned().into());
    assert!(Plugin::take(&mut config, login).is_none() && config.auth_info.exec.is_none());
}
