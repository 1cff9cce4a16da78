//! Which stream of a store a word of the command line means.

use crate::protocol::message::Selection;
use crate::protocol::names::ClusterName;
use crate::store::{Clusters, Error, Store, Stream};

/// The stream that a selection of a cluster means, if the store has one.
pub(super) async fn find(
    store: &Store,
    cluster: &ClusterName,
    selection: &Selection,
) -> Result<Option<Stream>, Error> {
    let streams = store.streams(&Clusters::one(cluster.clone())).await?;
    let meant = |stream: &Stream| {
        stream.key.view == selection.view && is_meant(&selection.resource, stream)
    };
    Ok(streams.into_iter().find(meant))
}

/// Whether a word of the command line means what a stream is of. It may be wrong: then the source's digests say so.
fn is_meant(word: &str, stream: &Stream) -> bool {
    let (name, rest) = word.split_once('.').unwrap_or((word, ""));
    let (resource, header) = (&stream.key.resource, &stream.header);
    let name = name.to_lowercase();
    let named =
        name == resource.plural || name == header.singular || name == header.kind.to_lowercase();
    let versioned = format!("{}.{}", resource.version, resource.group);
    named && (resource.group.starts_with(rest) || versioned.trim_end_matches('.') == rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::message::View;
    use crate::protocol::rows::Header;
    use crate::store::StreamKey;

    #[test]
    fn a_word_means_what_kubectl_means_by_it() {
        let stream = |resource: &str, singular: &str, kind: &str| Stream {
            key: StreamKey {
                cluster: ClusterName::new("c").unwrap(),
                resource: resource.parse().unwrap(),
                view: View::Rows,
            },
            header: Header {
                singular: singular.into(),
                kind: kind.into(),
                ..Header::default()
            },
            synced: None,
            proven: None,
        };
        let deployments = stream("deployments.v1.apps", "deployment", "Deployment");
        for (word, meant) in [
            ("deployments", true),
            ("deployment", true),
            ("Deployment", true),
            ("deployments.apps", true),
            ("deployments.v1.apps", true),
            ("deployments.v2.apps", false),
            ("deployments.batch", false),
            ("pods", false),
        ] {
            assert_eq!(is_meant(word, &deployments), meant, "{word}");
        }
        assert!(is_meant("pods.v1", &stream("pods.v1", "pod", "Pod")));
    }
}
