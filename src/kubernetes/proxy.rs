//! Through which proxy an API server is reached: client-go's rules.
//!
//! A `proxy-url` of the kubeconfig is always used. Without one, `HTTPS_PROXY` (`HTTP_PROXY` for a server without TLS)
//! counts unless `NO_PROXY` names the server, and never for a server on this machine.

use super::configuration::ConfigurationError;
use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use std::net::IpAddr;

/// The proxy for a server that no kubeconfig describes, if any.
pub(super) fn of_environment(server: &Uri) -> Result<Option<Uri>, ConfigurationError> {
    choose(None, server, environment)
}

/// A variable of this process.
pub(super) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The proxy for `server`, if any. `environment` looks a variable up.
pub(super) fn choose(
    own: Option<&str>,
    server: &Uri,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Option<Uri>, ConfigurationError> {
    if let Some(url) = own.filter(|url| !url.is_empty()) {
        return parse("the kubeconfig's proxy-url", url).map(Some);
    }
    let first = |names: [&'static str; 2]| {
        names
            .into_iter()
            .find_map(|name| Some((name, environment(name).filter(|value| !value.is_empty())?)))
    };
    let names = match server.scheme_str() {
        Some("http") => ["HTTP_PROXY", "http_proxy"],
        _ => ["HTTPS_PROXY", "https_proxy"],
    };
    let Some((name, url)) = first(names).filter(|_| !is_here(server)) else {
        return Ok(None);
    };
    let exempt = first(["NO_PROXY", "no_proxy"]).map(|(_, list)| list);
    let proxies = Matcher::builder()
        .all("http://proxy")
        .no(exempt.unwrap_or_default())
        .build();
    match proxies.intercept(server) {
        Some(_) => parse(name, &url).map(Some),
        None => Ok(None),
    }
}

/// The machine's own addresses, for which the environment's proxies are not meant.
fn is_here(server: &Uri) -> bool {
    let host = server.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// A proxy without a scheme speaks HTTP. What stands before its `@` may be a password, and is not shown.
fn parse(from: &str, url: &str) -> Result<Uri, ConfigurationError> {
    let shown = url.rsplit_once('@').map_or(url, |(_, after)| after);
    let full = if url.contains("://") {
        url.to_owned()
    } else {
        format!("http://{url}")
    };
    let wrong = |why: &str| ConfigurationError(format!("{from} {shown:?} cannot be used: {why}"));
    let uri: Uri = full.parse().map_err(|_| wrong("it is no URL"))?;
    match uri.scheme_str() {
        Some("http" | "https" | "socks5") if uri.host().is_some() => Ok(uri),
        _ => Err(wrong("write http://, https:// or socks5://HOST:PORT")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The proxy chosen for `server`, or the error.
    fn chosen(own: Option<&str>, server: &'static str, environment: &[(&str, &str)]) -> String {
        let look_up = |name: &str| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        match choose(own, &Uri::from_static(server), look_up) {
            Ok(uri) => uri.map_or(String::new(), |uri| uri.to_string()),
            Err(error) => error.to_string(),
        }
    }

    const REMOTE: &str = "https://api.example.com:6443";

    #[test]
    fn the_kubeconfigs_own_goes_before_the_environments() {
        let environment = [("HTTPS_PROXY", "http://env:1"), ("NO_PROXY", "*")];
        let own = Some("socks5://own:2");
        assert_eq!(chosen(own, REMOTE, &environment), "socks5://own:2/");
        assert_eq!(chosen(Some(""), REMOTE, &environment[..1]), "http://env:1/");
    }

    #[test]
    fn the_scheme_of_the_server_chooses_the_variable() {
        let environment = [("HTTPS_PROXY", "tls:1"), ("http_proxy", "http://plain:2")];
        assert_eq!(chosen(None, REMOTE, &environment), "http://tls:1/");
        assert_eq!(
            chosen(None, "http://api.example.com", &environment),
            "http://plain:2/"
        );
        assert_eq!(chosen(None, REMOTE, &[]), "");
    }

    #[test]
    fn no_proxy_names_servers() {
        for (list, direct) in [
            ("example.com", true),
            (".example.com", true),
            ("other.com,api.example.com", true),
            ("ample.com", false),
            ("*", true),
        ] {
            let said = chosen(None, REMOTE, &[("HTTPS_PROXY", "p:1"), ("NO_PROXY", list)]);
            assert_eq!(said.is_empty(), direct, "{list}");
        }
        let environment = [("HTTPS_PROXY", "p:1"), ("NO_PROXY", "10.0.0.0/8")];
        assert_eq!(chosen(None, "https://10.1.2.3:6443", &environment), "");
    }

    #[test]
    fn a_server_on_this_machine_needs_none() {
        for server in [
            "https://127.0.0.1:6443",
            "https://localhost",
            "https://[::1]:1",
            "http://127.8.8.8",
        ] {
            let environment = [("HTTPS_PROXY", "p:1"), ("HTTP_PROXY", "p:1")];
            assert_eq!(chosen(None, server, &environment), "", "{server}");
        }
    }

    #[test]
    fn a_wrong_one_is_an_error_without_its_password() {
        let said = chosen(Some("ftp://me:secret@proxy"), REMOTE, &[]);
        assert!(
            said.contains("\"proxy\"") && !said.contains("secret"),
            "{said}"
        );
    }
}
