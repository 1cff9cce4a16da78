//! Installs definitions of kinds (CRDs) where nobody else has.

use super::server::Kubernetes;
use super::write::{Manner, Place, WriteError};
use serde_json::Value;

/// The label of definitions that we installed, and may bring up to date.
const MANAGED_BY: &str = "/metadata/labels/app.kubernetes.io~1managed-by";
const MANAGER: &str = "mqtt-informer";

impl Kubernetes {
    /// Makes sure that these kinds are defined. A definition that somebody else has installed is left as it is.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub async fn install(&self, definitions: &[Value]) -> Result<(), WriteError> {
        for definition in definitions {
            let name = definition.pointer("/metadata/name").and_then(Value::as_str);
            let place = place(name.unwrap_or_default());
            let ours = match self.object(&place).await {
                Ok(found) => serde_json::from_slice::<Value>(&found)
                    .is_ok_and(|it| it.pointer(MANAGED_BY) == definition.pointer(MANAGED_BY)),
                Err(WriteError::Refused(refusal)) if refusal.code == 404 => true,
                Err(error) => return Err(error),
            };
            if ours {
                let manner = Manner {
                    manager: MANAGER,
                    subresource: "",
                    force: true,
                };
                self.apply(&place, manner, definition.to_string().into_bytes())
                    .await?;
            }
        }
        Ok(())
    }
}

fn place(name: &str) -> Place {
    Place {
        group: "apiextensions.k8s.io".to_owned(),
        version: "v1".to_owned(),
        plural: "customresourcedefinitions".to_owned(),
        namespace: String::new(),
        name: name.to_owned(),
    }
}
