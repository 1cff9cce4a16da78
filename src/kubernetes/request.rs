//! The URLs of lists and watches.

use super::catalog::Resource;
use crate::source::{Refusal, Resolved};
use url::form_urlencoded::{Serializer, byte_serialize};

/// Where a selection's objects are listed, without a query.
pub(super) fn path(selection: &Resolved) -> String {
    let segment = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let root = Resource::root(&segment(&selection.group), &segment(&selection.version));
    match selection.namespace.as_str() {
        "" => format!("{root}/{}", segment(&selection.plural)),
        namespace => format!(
            "{root}/namespaces/{}/{}",
            segment(namespace),
            segment(&selection.plural)
        ),
    }
}

/// A list's URL; `next` is the continue token of a further page.
pub(super) fn list(selection: &Resolved, view: &str, limit: Option<u32>, next: &str) -> String {
    let mut query = selectors(selection);
    if let Some(limit) = limit {
        query.append_pair("limit", &limit.to_string());
    }
    if !next.is_empty() {
        query.append_pair("continue", next);
    }
    format!("{}?{}{view}", path(selection), query.finish())
}

/// A watch's URL. The server ends it after `seconds`.
pub(super) fn watch(selection: &Resolved, view: &str, version: &str, seconds: u32) -> String {
    let mut query = selectors(selection);
    query.append_pair("watch", "true");
    query.append_pair("allowWatchBookmarks", "true");
    query.append_pair("resourceVersion", version);
    query.append_pair("timeoutSeconds", &seconds.to_string());
    format!("{}?{}{view}", path(selection), query.finish())
}

fn selectors(selection: &Resolved) -> Serializer<'static, String> {
    let mut query = Serializer::new(String::new());
    if !selection.labels.is_empty() {
        query.append_pair("labelSelector", &selection.labels);
    }
    if !selection.fields.is_empty() {
        query.append_pair("fieldSelector", &selection.fields);
    }
    query
}

/// A namespace as kubectl lets it into a URL.
pub(super) fn check_namespace(namespace: &str) -> Result<(), Refusal> {
    let why = match namespace {
        "." | ".." => format!("may not be '{namespace}'"),
        _ if namespace.contains('/') => "may not contain '/'".into(),
        _ if namespace.contains('%') => "may not contain '%'".into(),
        _ => return Ok(()),
    };
    Err(Refusal {
        code: 400,
        reason: "BadRequest".into(),
        message: format!("invalid namespace {namespace:?}: [{why}]"),
    })
}

/// A list's refusal as kubectl words it.
pub(super) fn enhanced(refusal: Refusal, selection: &Resolved) -> Refusal {
    let Resolved {
        group,
        version,
        plural,
        labels,
        fields,
        ..
    } = selection;
    let subject = format!("{group}/{version}, Resource={plural}");
    let message = match refusal.code {
        400 | 404 if labels.is_empty() && fields.is_empty() => {
            format!("Unable to list {subject:?}: {}", refusal.message)
        }
        400 | 404 => format!(
            "Unable to find {subject:?} that match label selector {labels:?}, field selector {fields:?}: {}",
            refusal.message
        ),
        _ => refusal.message,
    };
    Refusal { message, ..refusal }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::view::tests::pods;

    #[test]
    fn what_comes_from_outside_is_escaped() {
        let selection = Resolved {
            group: "shop.example.com".into(),
            plural: "carts".into(),
            namespace: "a b?c".into(),
            labels: "x in (a,b)".into(),
            fields: "metadata.name=é&watch=true".into(),
            ..pods()
        };
        assert_eq!(
            list(&selection, "&includeObject=Metadata", Some(500), "to+k"),
            "/apis/shop.example.com/v1/namespaces/a+b%3Fc/carts?labelSelector=x+in+%28a%2Cb%29\
             &fieldSelector=metadata.name%3D%C3%A9%26watch%3Dtrue&limit=500&continue=to%2Bk&includeObject=Metadata"
        );
        assert_eq!(
            watch(&pods(), "", "7", 300),
            "/api/v1/pods?watch=true&allowWatchBookmarks=true&resourceVersion=7&timeoutSeconds=300"
        );
        for namespace in [".", "..", "a/b", "%2e"] {
            assert!(check_namespace(namespace).is_err(), "{namespace}");
        }
        assert!(check_namespace("kube-system").is_ok());
    }

    #[test]
    fn refusals_are_worded_as_kubectl_does() {
        let refusal = |code| Refusal {
            code,
            reason: "BadRequest".into(),
            message: "why".into(),
        };
        let message = |code, selection: &Resolved| enhanced(refusal(code), selection).message;
        assert_eq!(
            message(404, &pods()),
            r#"Unable to list "/v1, Resource=pods": why"#
        );
        assert_eq!(message(403, &pods()), "why");
        let selection = Resolved {
            labels: "a=b".into(),
            ..pods()
        };
        assert_eq!(
            message(400, &selection),
            r#"Unable to find "/v1, Resource=pods" that match label selector "a=b", field selector "": why"#
        );
    }
}
