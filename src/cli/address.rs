//! Where a program listens.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Reads where to listen: `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`, or `:8080` for every address of this
/// machine.
///
/// # Errors
/// One line that says what was expected.
pub fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let wrong =
        || format!("{text:?} is no address; write it as 127.0.0.1:8080, [::1]:8080 or :8080");
    match text.rsplit_once(':') {
        Some(("", port)) => port
            .parse()
            .map(|port| SocketAddr::new(every_address(), port)),
        Some(("localhost", port)) => port
            .parse()
            .map(|port| SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)),
        _ => return text.parse().map_err(|_| wrong()),
    }
    .map_err(|_| wrong())
}

/// IPv6's "any" takes IPv4 as well, where the machine has IPv6 at all.
fn every_address() -> IpAddr {
    let six = IpAddr::from(Ipv6Addr::UNSPECIFIED);
    match UdpSocket::bind((six, 0)) {
        Ok(_) => six,
        Err(_) => Ipv4Addr::UNSPECIFIED.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_go_writes_them() {
        let read = |text: &str| listen_address(text).map(|address| address.to_string());
        for text in ["127.0.0.1:80", "[::1]:80", "0.0.0.0:0"] {
            assert_eq!(read(text).as_deref(), Ok(text));
        }
        assert_eq!(read("localhost:80").as_deref(), Ok("127.0.0.1:80"));
        assert!(
            listen_address(":80")
                .is_ok_and(|every| every.ip().is_unspecified() && every.port() == 80)
        );
        for text in [
            "",
            ":",
            "80",
            "127.0.0.1",
            "::1",
            ":65536",
            "localhost:",
            "no.such.name:80",
            "1.2.3.4:x",
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains("is no address"), "{text}: {error}");
        }
    }
}
