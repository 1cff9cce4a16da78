//! What a kubelet asks a container, in one line (`DescribeProbe` of kubectl's describe.go).

use super::field::{Field, bracketed};

/// A probe in one line.
pub(super) fn probe(probe: Field<'_>) -> String {
    let number = |name: &str| probe.member(name).int();
    let attributes = format!(
        "delay={}s timeout={}s period={}s #success={} #failure={}",
        number("initialDelaySeconds"),
        number("timeoutSeconds"),
        number("periodSeconds"),
        number("successThreshold"),
        number("failureThreshold")
    );
    let what = if let Some(exec) = probe.member("exec").some() {
        format!("exec {}", bracketed(&exec.member("command").texts()))
    } else if let Some(get) = probe.member("httpGet").some() {
        format!("http-get {}", url(get))
    } else if let Some(socket) = probe.member("tcpSocket").some() {
        format!(
            "tcp-socket {}:{}",
            socket.member("host").text(),
            socket.member("port").shown()
        )
    } else if let Some(grpc) = probe.member("grpc").some() {
        format!(
            "grpc <pod>:{} {}",
            grpc.member("port").int(),
            grpc.member("service").text()
        )
    } else {
        "unknown".to_owned()
    };
    format!("{what} {attributes}")
}

/// As Go's `net/url` writes it.
fn url(get: Field<'_>) -> String {
    let (host, port) = (get.member("host").text(), get.member("port").shown());
    let host = match host {
        host if port.is_empty() => host.to_owned(),
        host if host.contains([':', '%']) => format!("[{host}]:{port}"),
        host => format!("{host}:{port}"),
    };
    let path = get.member("path").text();
    let slash = if path.is_empty() || path.starts_with('/') {
        ""
    } else {
        "/"
    };
    let mut escaped = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => escaped.push(char::from(byte)),
            b'-' | b'_' | b'.' | b'~' | b'$' | b'&' | b'+' | b',' | b'/' | b':' | b';' | b'='
            | b'@' => {
                escaped.push(char::from(byte));
            }
            byte => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    let scheme = get.member("scheme").text().to_lowercase();
    let scheme = if scheme.is_empty() {
        scheme
    } else {
        format!("{scheme}:")
    };
    format!("{scheme}//{host}{slash}{escaped}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn check_probe(value: &Value, want: &str) {
        let text = probe(Field::of(value));
        let attributes = " delay=0s timeout=0s period=0s #success=0 #failure=0";
        assert_eq!(text.strip_suffix(attributes), Some(want));
    }

    #[test]
    fn probes_in_one_line() {
        check_probe(
            &json!({"exec": {"command": ["cat", "/ok"]}}),
            "exec [cat /ok]",
        );
        let get = json!({"httpGet": {"scheme": "HTTP", "port": "http", "path": "/a b?c"}});
        check_probe(&get, "http-get http://:http/a%20b%3Fc");
        let get = json!({"httpGet": {"scheme": "HTTPS", "port": 8443, "host": "::1", "path": "x"}});
        check_probe(&get, "http-get https://[::1]:8443/x");
        check_probe(&json!({"tcpSocket": {"port": 22}}), "tcp-socket :22");
        check_probe(
            &json!({"grpc": {"port": 9, "service": "s"}}),
            "grpc <pod>:9 s",
        );
        check_probe(&json!({}), "unknown");
    }
}
