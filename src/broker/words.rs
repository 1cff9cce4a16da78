//! What the broker says when it starts.

use std::net::SocketAddr;

/// Where it listens, and what to type next.
pub(super) fn next(address: SocketAddr) -> String {
    let url = url(address);
    let whom = if address.ip().is_loopback() {
        "from this machine"
    } else {
        "from everywhere that reaches it"
    };
    let elsewhere = if address.ip().is_unspecified() {
        "\nOn other machines, write this machine's name instead of the address."
    } else {
        ""
    };
    format!(
        "Listening on {address}: an MQTT 5 broker for a trial, in memory, open to all {whom}. Ctrl-C ends it.

In another terminal, serve a cluster, under a name of your choice:
  mqtt-informer syncer --broker {url} --cluster cluster1 --kubeconfig ~/.kube/config
and in a third, see it:
  kubectl mqinformer get pods -A --broker {url}{elsewhere}"
    )
}

/// What it lacks, and what to use instead.
pub(super) fn lacks(address: SocketAddr) -> String {
    format!(
        "warning: everybody who reaches {address} can read and forge everything here. This broker is for a trial: no \
         authentication, no access rules, no encryption, no websockets, no persistence, no clustering. For anything \
         else use mosquitto (samples/mosquitto-secure.conf), EMQX, HiveMQ, VerneMQ, NanoMQ or AWS IoT Core."
    )
}

/// What a client on this machine writes.
fn url(address: SocketAddr) -> String {
    let mut reached = address;
    if address.ip().is_unspecified() {
        reached.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("tcp://{reached}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn what_to_type_can_be_typed() {
        for (listen, url) in [
            ("127.0.0.1:1883", "tcp://127.0.0.1:1883"),
            ("0.0.0.0:7", "tcp://127.0.0.1:7"),
            ("[::]:7", "tcp://[::1]:7"),
            ("[::1]:7", "tcp://[::1]:7"),
            ("192.0.2.1:7", "tcp://192.0.2.1:7"),
        ] {
            let said = next(address(listen));
            assert_eq!(
                said.matches(&format!("--broker {url}")).count(),
                2,
                "{said}"
            );
            assert!(said.contains(&format!("Listening on {listen}:")), "{said}");
        }
    }

    #[test]
    fn the_warning_is_one_line_that_names_lacks_and_brokers() {
        let said = lacks(address("0.0.0.0:1883"));
        assert_eq!(said.lines().count(), 1);
        for word in [
            "authentication",
            "encryption",
            "persistence",
            "mosquitto",
            "EMQX",
        ] {
            assert!(said.contains(word), "{word}");
        }
    }
}
