//! TLS: whom to trust, and who we are. One crypto provider everywhere: ring.

use super::certificate::common_name;
use crate::link::{BrokerOptions, OptionsError};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;

/// What the options' files say, read now.
pub(super) fn client_config(options: &BrokerOptions) -> Result<ClientConfig, OptionsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| OptionsError::new(format!("cannot set up TLS: {error}")))?
        .with_root_certificates(roots(options.ca_crt.as_deref())?);
    let (Some(certificate), Some(key)) = (&options.client_crt, &options.client_key) else {
        return Ok(builder.with_no_client_auth());
    };
    let secret = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| OptionsError::unreadable("a private key in", key, &error))?;
    builder
        .with_client_auth_cert(certificates(certificate)?, secret)
        .map_err(|error| {
            OptionsError::new(format!(
                "the key {} does not fit the certificate {}: {error}",
                key.display(),
                certificate.display()
            ))
        })
}

/// The common name of the client's certificate, if there is one.
pub(super) fn certificate_user(options: &BrokerOptions) -> Result<Option<String>, OptionsError> {
    let Some(path) = &options.client_crt else {
        return Ok(None);
    };
    let chain = certificates(path)?;
    Ok(chain.first().and_then(|leaf| common_name(leaf)))
}

/// `--ca-crt` replaces the system's authorities: who names one trusts no other.
fn roots(ca_crt: Option<&Path>) -> Result<RootCertStore, OptionsError> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = ca_crt {
        for certificate in certificates(path)? {
            roots.add(certificate).map_err(|error| {
                OptionsError::unreadable("a certificate authority in", path, &error)
            })?;
        }
        return Ok(roots);
    }
    // What the system holds and cannot be parsed is the system's affair; only nothing at all is ours.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(OptionsError::new(
            "this system trusts no certificate authorities: give the broker's with --ca-crt",
        ));
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, OptionsError> {
    let unreadable = |error| OptionsError::unreadable("certificates in", path, &error);
    let chain = CertificateDer::pem_file_iter(path)
        .map_err(unreadable)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(unreadable)?;
    if chain.is_empty() {
        return Err(OptionsError::new(format!(
            "{} holds no certificate in PEM form",
            path.display()
        )));
    }
    Ok(chain)
}
