//! What is served without tokens is for who is on this machine, and a browser on this machine shows pages of others. Pure.
//!
//! A page may open a WebSocket to any address, and have its own name resolve to 127.0.0.1: so what is asked for by another
//! name than this machine's, or by a page from elsewhere, is refused. As `kubectl proxy` does.

use super::status::Refusal;
use super::text;
use axum::extract::Request;
use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{StatusCode, Uri};
use std::net::IpAddr;

/// Refuses what a page from elsewhere may be behind. `own`: the name by which others are told to reach it.
pub(super) fn check(request: &Request, own: Option<&str>) -> Result<(), Refusal> {
    let host = text(request.headers(), &HOST).map(host_of);
    let host = host.or_else(|| request.uri().host().map(str::to_owned));
    let origin = text(request.headers(), &ORIGIN).map(|it| {
        let uri = it.parse::<Uri>().unwrap_or_default();
        uri.host().unwrap_or_default().to_owned()
    });
    for (what, name) in [("Host", host), ("Origin", origin)] {
        let Some(name) = name else { continue };
        if !is_this_machine(&name) && own != Some(name.as_str()) {
            let words = format!(
                "{what} {name:?} is not this machine: without --token-file only what is on it may ask; behind a proxy, \
                 --serve-url says by which name"
            );
            return Err(Refusal::new(StatusCode::FORBIDDEN, "Forbidden", words));
        }
    }
    Ok(())
}

/// The host of a URL.
pub(super) fn host_of_url(url: &str) -> Option<String> {
    url.parse::<Uri>().ok()?.host().map(str::to_owned)
}

fn host_of(authority: &str) -> String {
    let read = authority.parse::<Authority>();
    read.map_or_else(|_| authority.to_owned(), |it| it.host().to_owned())
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn allowed(host: &str, origin: Option<&str>) -> bool {
        let mut request = Request::builder().uri("/search").header(HOST, host);
        if let Some(origin) = origin {
            request = request.header(ORIGIN, origin);
        }
        check(
            &request.body(Body::empty()).unwrap(),
            Some("hub.example.com"),
        )
        .is_ok()
    }

    #[test]
    fn pages_from_elsewhere_are_refused() {
        for (host, origin, expected) in [
            ("127.0.0.1:8001", None, true),
            ("localhost", None, true),
            ("[::1]:8001", None, true),
            ("hub.example.com", Some("https://hub.example.com"), true),
            ("127.0.0.1:8001", Some("http://localhost:4466"), true),
            ("evil.example.com:8001", None, false),
            ("127.0.0.1.evil.example.com", None, false),
            ("127.0.0.1:8001", Some("https://evil.example.com"), false),
            (
                "127.0.0.1:8001",
                Some("http://127.0.0.1.evil.example.com"),
                false,
            ),
            ("127.0.0.1:8001", Some("null"), false),
            ("127.0.0.1:8001", Some("file://"), false),
        ] {
            assert_eq!(allowed(host, origin), expected, "{host} {origin:?}");
        }
    }
}
