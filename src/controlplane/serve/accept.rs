//! In which form an answer is wanted: the `Accept` header. Pure.
//!
//! Follows `k8s.io/apiserver/pkg/endpoints/handlers/negotiation`: clauses by quality, then in their order; the first that
//! we can serve.

/// The forms in which objects are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Form {
    /// As they are.
    Json,
    /// Printed: `as=Table`.
    Table,
    /// `as=PartialObjectMetadata`, `as=PartialObjectMetadataList`.
    Metadata,
}

/// The forms in which discovery is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Documents {
    /// A document for each level.
    Plain,
    /// All in one: `as=APIGroupDiscoveryList`, in version `v2` or `v2beta1`.
    Aggregated(&'static str),
}

/// One clause: `application/json;as=Table;v=v1;g=meta.k8s.io`.
#[derive(Debug, Default)]
struct Clause<'a> {
    media: &'a str,
    target: &'a str,
    version: &'a str,
    group: &'a str,
    quality: f32,
}

/// The form of objects; None when nothing that is asked for can be served.
pub(super) fn form(accept: &str) -> Option<Form> {
    clauses(accept).iter().find_map(|clause| {
        if !clause.is_json() {
            return None;
        }
        let of_meta = clause.group == "meta.k8s.io" && matches!(clause.version, "v1" | "v1beta1");
        match clause.target {
            "" => Some(Form::Json),
            "Table" if of_meta => Some(Form::Table),
            "PartialObjectMetadata" | "PartialObjectMetadataList" if of_meta => {
                Some(Form::Metadata)
            }
            _ => None,
        }
    })
}

/// The form of discovery; None when nothing that is asked for can be served.
pub(super) fn documents(accept: &str) -> Option<Documents> {
    clauses(accept).iter().find_map(|clause| {
        if !clause.is_json() {
            return None;
        }
        match (clause.target, clause.group, clause.version) {
            ("", ..) => Some(Documents::Plain),
            ("APIGroupDiscoveryList", "apidiscovery.k8s.io", "v2") => {
                Some(Documents::Aggregated("v2"))
            }
            ("APIGroupDiscoveryList", "apidiscovery.k8s.io", "v2beta1") => {
                Some(Documents::Aggregated("v2beta1"))
            }
            _ => None,
        }
    })
}

impl Clause<'_> {
    fn is_json(&self) -> bool {
        matches!(
            self.media,
            "application/json" | "application/*" | "*/*" | "*"
        )
    }
}

/// The clauses, the most wanted first.
fn clauses(accept: &str) -> Vec<Clause<'_>> {
    if accept.trim().is_empty() {
        return clauses("*/*");
    }
    let mut clauses: Vec<_> = accept.split(',').map(clause).collect();
    // Stable: of equal quality, the first wins.
    clauses.sort_by(|a, b| b.quality.total_cmp(&a.quality));
    clauses
}

fn clause(text: &str) -> Clause<'_> {
    let mut parts = text.split(';').map(str::trim);
    let mut clause = Clause {
        media: parts.next().unwrap_or_default(),
        quality: 1.0,
        ..Clause::default()
    };
    for (name, value) in parts.filter_map(|part| part.split_once('=')) {
        match name.trim() {
            "as" => clause.target = value.trim(),
            "v" => clause.version = value.trim(),
            "g" => clause.group = value.trim(),
            "q" => clause.quality = value.trim().parse().unwrap_or(1.0),
            _ => {}
        }
    }
    clause
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_come_in_the_first_form_that_is_served() {
        let kubectl = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
        let metadata = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,\
                        application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
        for (accept, expected) in [
            ("", Some(Form::Json)),
            ("*/*", Some(Form::Json)),
            ("application/json", Some(Form::Json)),
            (
                "application/vnd.kubernetes.protobuf,application/json",
                Some(Form::Json),
            ),
            ("application/json;stream=watch", Some(Form::Json)),
            (kubectl, Some(Form::Table)),
            (metadata, Some(Form::Metadata)),
            (
                "application/json; as=Table; v=v1; g=meta.k8s.io",
                Some(Form::Table),
            ),
            ("application/json;as=Table;v=v7;g=meta.k8s.io", None),
            (
                "application/json;as=Table;v=v7;g=meta.k8s.io,application/json",
                Some(Form::Json),
            ),
            (
                "application/json;q=0.1,application/json;as=Table;v=v1;g=meta.k8s.io;q=0.9",
                Some(Form::Table),
            ),
            ("application/vnd.kubernetes.protobuf", None),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                Some(Form::Json),
            ),
            ("application/yaml", None),
        ] {
            assert_eq!(form(accept), expected, "{accept}");
        }
    }

    #[test]
    fn discovery_is_one_document_for_those_who_can_read_it() {
        let kubectl = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
                       application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";
        for (accept, expected) in [
            ("", Some(Documents::Plain)),
            (kubectl, Some(Documents::Aggregated("v2"))),
            (
                "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
                Some(Documents::Aggregated("v2beta1")),
            ),
            (
                "application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList,application/json",
                Some(Documents::Plain),
            ),
            ("text/plain", None),
        ] {
            assert_eq!(documents(accept), expected, "{accept}");
        }
    }
}
