//! What became of an object that no watch shows any more.

use super::FINALIZER;
use crate::hub::controller::deeds::has;
use crate::kubernetes::{Kubernetes, Place, WriteError};
use crate::ocm::plain::{DISTRIBUTE_LABEL, HELD_LABEL};
use crate::ocm::{ObjectMeta, label};
use bytes::Bytes;
use serde_json::{Value, json};

/// Answers the object if it is to be followed, with our label again if it has lost both; none: it is gone, is another one
/// than that with this uid, or was let go.
pub(in crate::hub::controller) async fn recover(
    kubernetes: &Kubernetes,
    place: &Place,
    uid: &str,
) -> Result<Option<Bytes>, WriteError> {
    let found = match kubernetes.object(place).await {
        Err(WriteError::Refused(refusal)) if refusal.code == 404 => return Ok(None),
        found => found?,
    };
    let object: Value = serde_json::from_slice(&found).unwrap_or_default();
    let metadata = serde_json::from_value(object["metadata"].clone());
    let metadata: ObjectMeta = metadata.unwrap_or_default();
    if metadata.uid.as_deref() != Some(uid) || !has(&metadata, FINALIZER) {
        return Ok(None);
    }
    if label(&metadata, DISTRIBUTE_LABEL).is_some() || label(&metadata, HELD_LABEL).is_some() {
        return Ok(Some(found));
    }
    let patch = json!({"metadata": {"uid": uid, "labels": {HELD_LABEL: ""}}});
    let patched = kubernetes.merge(place, patch.to_string().into_bytes());
    patched.await.map(Some)
}
