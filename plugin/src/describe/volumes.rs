//! Volumes of pods, and what persistent volumes are made of (`describeVolumes` of kubectl's describe.go).

use super::field::{Field, bracketed};
use super::quantity::Quantity;
use super::storage;
use super::volume_kinds::{KINDS, OF_PODS, PERSISTENT, Shown};
use super::writer::{Writer, put, shortened};

/// The volumes of a pod.
pub(super) fn describe(w: &mut Writer, volumes: Field<'_>, space: &str) {
    if volumes.is_empty() {
        put!(w, 0, "{space}Volumes:\t<none>\n");
        return;
    }
    put!(w, 0, "{space}Volumes:\n");
    let indent = if space.is_empty() { "" } else { " " };
    for volume in volumes.items() {
        put!(w, 1, "{indent}{}:\n", volume.member("name").text());
        source(w, volume, Of::Pod);
    }
}

/// What a persistent volume is made of.
pub(super) fn of_persistent(w: &mut Writer, spec: Field<'_>) {
    source(w, spec, Of::Cluster);
}

/// Whose volume.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    /// A pod's.
    Pod,
    /// A persistent one.
    Cluster,
}

fn source(w: &mut Writer, volume: Field<'_>, of: Of) {
    let more = if of == Of::Pod { OF_PODS } else { PERSISTENT };
    let known = KINDS
        .iter()
        .chain(more)
        .find(|(member, ..)| volume.member(member).exists());
    if let Some((member, what, lines)) = known {
        let source = volume.member(member);
        put!(w, 2, "Type:\t{what}\n");
        for (title, path, shown) in *lines {
            put!(w, 2, "{title}\t{}\n", value(source.at(path), shown, of));
        }
        if *member == "csi" {
            attributes(w, source.member("volumeAttributes"));
        }
    } else if let Some(directory) = volume.member("emptyDir").some() {
        empty_directory(w, directory);
    } else if let Some(claim) = volume.member("ephemeral").some() {
        ephemeral(w, claim);
    } else if let Some(items) = volume.member("downwardAPI").some() {
        downward(w, items);
    } else if let Some(projected) = volume.member("projected").some() {
        put!(
            w,
            2,
            "Type:\tProjected (a volume that contains injected data from multiple sources)\n"
        );
        projected
            .member("sources")
            .items()
            .for_each(|source| one_projected(w, source));
    } else {
        put!(w, 1, "<unknown>\n");
    }
}

fn value(field: Field<'_>, shown: &Shown, of: Of) -> String {
    use Shown::{Commas, Flag, Int, List, Map, Or, Plain, Secret};
    match shown {
        Plain => field.shown(),
        Int => field.int().to_string(),
        Flag => field.is_true().to_string(),
        List => bracketed(&field.texts()),
        Commas => field.texts().join(", "),
        Or(default) => field.shown_or(default),
        Map => {
            let members = field
                .map()
                .into_iter()
                .map(|(key, value)| format!("{key}:{value}"));
            format!("map[{}]", members.collect::<Vec<_>>().join(" "))
        }
        Secret => match (field.some(), of) {
            (None, _) => "nil".to_owned(),
            (Some(secret), Of::Pod) => format!(
                "&LocalObjectReference{{Name:{},}}",
                secret.member("name").text()
            ),
            (Some(secret), Of::Cluster) => format!(
                "&SecretReference{{Name:{},Namespace:{},}}",
                secret.member("name").text(),
                secret.member("namespace").text()
            ),
        },
    }
}

fn empty_directory(w: &mut Writer, directory: Field<'_>) {
    let limit = Quantity::of(directory.member("sizeLimit"));
    let limit = if limit.is_positive() {
        limit.to_string()
    } else {
        "<unset>".to_owned()
    };
    put!(
        w,
        2,
        "Type:\tEmptyDir (a temporary directory that shares a pod's lifetime)\n"
    );
    w.field(2, "Medium", directory.member("medium").text());
    w.field(2, "SizeLimit", limit);
}

fn ephemeral(w: &mut Writer, ephemeral: Field<'_>) {
    let what = "EphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)";
    put!(w, 2, "Type:\t{what}\n");
    if let Some(template) = ephemeral.member("volumeClaimTemplate").some() {
        w.nest(2, |w| storage::claim_template(w, template));
    }
}

fn downward(w: &mut Writer, volume: Field<'_>) {
    put!(
        w,
        2,
        "Type:\tDownwardAPI (a volume populated by information about the pod)\n    Items:\n"
    );
    for item in volume.member("items").items() {
        let path = item.member("path").text();
        for from in ["fieldRef.fieldPath", "resourceFieldRef.resource"] {
            if let Some(from) = item.at(from).some() {
                put!(w, 3, "{} -> {path}\n", from.text());
            }
        }
    }
}

fn one_projected(w: &mut Writer, source: Field<'_>) {
    for (member, title) in [
        ("secret", "SecretName"),
        ("downwardAPI", ""),
        ("configMap", "ConfigMapName"),
    ] {
        let Some(found) = source.member(member).some() else {
            continue;
        };
        if member == "downwardAPI" {
            return put!(w, 2, "DownwardAPI:\ttrue\n");
        }
        w.field(2, title, found.member("name").text());
        return w.field(2, "Optional", found.member("optional").is_true());
    }
    if let Some(token) = source.member("serviceAccountToken").some() {
        w.field(
            2,
            "TokenExpirationSeconds",
            token.member("expirationSeconds").int(),
        );
    }
}

/// What a storage driver is told.
fn attributes(w: &mut Writer, attributes: Field<'_>) {
    put!(w, 2, "VolumeAttributes:\t");
    if attributes.is_empty() {
        put!(w, 0, "<none>\n");
    }
    for (index, (key, value)) in attributes.map().into_iter().enumerate() {
        if index > 0 {
            put!(w, 2, "");
            put!(w, 2, "\t");
        }
        put!(w, 2, "{}\n", shortened(&format!("{key}={value}"), 140));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn check(volume: &Value, of: Of, want: &str) {
        let mut w = Writer::new();
        source(&mut w, Field::of(volume), of);
        assert_eq!(w.finish(), want);
    }

    #[test]
    fn a_source_is_its_lines() {
        check(
            &json!({"secret": {"secretName": "s", "optional": true}}),
            Of::Pod,
            "    Type:        Secret (a volume populated by a Secret)\n    SecretName:  s\n    Optional:    true\n",
        );
        check(
            &json!({"emptyDir": {}}),
            Of::Pod,
            "    Type:       EmptyDir (a temporary directory that shares a pod's lifetime)\n    Medium:     \n    \
             SizeLimit:  <unset>\n",
        );
        check(
            &json!({"projected": {"sources": [{"serviceAccountToken": {"expirationSeconds": 3607}},
                                              {"configMap": {"name": "c"}}, {"downwardAPI": {}}]}}),
            Of::Pod,
            "    Type:                    Projected (a volume that contains injected data from multiple sources)\n    \
             TokenExpirationSeconds:  3607\n    ConfigMapName:           c\n    Optional:                false\n    \
             DownwardAPI:             true\n",
        );
        check(&json!({"new": {}}), Of::Pod, "  <unknown>\n");
    }

    #[test]
    fn secrets_are_named_where_they_are() {
        let volume =
            json!({"cinder": {"volumeID": "v", "secretRef": {"name": "s", "namespace": "n"}}});
        let text = |of| {
            let mut w = Writer::new();
            source(&mut w, Field::of(&volume), of);
            w.finish()
        };
        assert!(text(Of::Pod).contains("SecretRef:  &LocalObjectReference{Name:s,}\n"));
        assert!(text(Of::Cluster).contains("SecretRef:  &SecretReference{Name:s,Namespace:n,}\n"));
    }
}
