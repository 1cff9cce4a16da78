//! What Kubernetes takes as a label's key and value (apimachinery, `pkg/api/validate/content`).

const NAME: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const MAX_NAME: usize = 63;
const MAX_SUBDOMAIN: usize = 253;

/// What is wrong with a label's key, joined as apimachinery joins it; nothing if it is valid.
pub(super) fn key_errors(key: &str) -> Option<String> {
    let mut errors = Vec::new();
    let (prefix, name) = match key.split_once('/') {
        None => (None, key),
        Some((prefix, name)) if !name.contains('/') => (Some(prefix), name),
        Some(_) => {
            return Some(format!(
                "a valid label key {NAME} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            ));
        }
    };
    match prefix {
        None => {}
        Some("") => errors.push("prefix part must be non-empty".to_owned()),
        Some(prefix) => {
            if prefix.len() > MAX_SUBDOMAIN {
                errors.push(format!("prefix part {}", too_long(MAX_SUBDOMAIN)));
            }
            if !prefix.split('.').all(is_dns_label) {
                errors.push(format!("prefix part {SUBDOMAIN}"));
            }
        }
    }
    if name.is_empty() {
        errors.push("name part must be non-empty".to_owned());
    } else if name.len() > MAX_NAME {
        errors.push(format!("name part {}", too_long(MAX_NAME)));
    }
    if !is_name(name) {
        errors.push(format!("name part {NAME}"));
    }
    joined(&errors)
}

/// What is wrong with a label's value; nothing if it is valid.
pub(super) fn value_errors(value: &str) -> Option<String> {
    let mut errors = Vec::new();
    if value.len() > MAX_NAME {
        errors.push(too_long(MAX_NAME));
    }
    if !value.is_empty() && !is_name(value) {
        errors.push(VALUE.to_owned());
    }
    joined(&errors)
}

fn joined(errors: &[String]) -> Option<String> {
    (!errors.is_empty()).then(|| errors.join("; "))
}

fn too_long(max: usize) -> String {
    format!("must be no more than {max} bytes")
}

fn is_name(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let edge = |c: char| c.is_ascii_alphanumeric();
    text.starts_with(edge) && text.ends_with(edge) && text.chars().all(inner)
}

fn is_dns_label(text: &str) -> bool {
    let edge = |c: char| matches!(c, 'a'..='z' | '0'..='9');
    let inner = |c: char| edge(c) || c == '-';
    text.starts_with(edge) && text.ends_with(edge) && text.chars().all(inner)
}
