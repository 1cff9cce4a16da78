//! Certificates for API servers and brokers: an authority per bed, made anew each time, never on disk before.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};

/// A certificate authority. A test makes another to see what happens with the wrong one.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

/// A certificate and its private key, both PEM files.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its private key (PKCS #8).
    pub key: PathBuf,
}

impl Authority {
    /// Makes an authority of that common name.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn new(name: &str) -> Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::CrlSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?.pem();
        Ok(Self {
            issuer: Issuer::new(params, key),
            certificate,
        })
    }

    /// Its own certificate, PEM: what others trust.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// A server's identity for `localhost` and 127.0.0.1, written to `<dir>/<name>.crt` and `.key`.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn server(&self, dir: &Path, name: &str) -> Result<Identity> {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
        params
            .subject_alt_names
            .push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        self.issue(params, ExtendedKeyUsagePurpose::ServerAuth, name, dir)
    }

    /// A client's identity, written to `<dir>/<name>.crt` and `.key`. A broker takes the name as the user.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn client(&self, dir: &Path, name: &str) -> Result<Identity> {
        self.issue(
            CertificateParams::default(),
            ExtendedKeyUsagePurpose::ClientAuth,
            name,
            dir,
        )
    }

    fn issue(
        &self,
        mut params: CertificateParams,
        usage: ExtendedKeyUsagePurpose,
        name: &str,
        dir: &Path,
    ) -> Result<Identity> {
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages.push(usage);
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let identity = Identity {
            certificate: dir.join(format!("{name}.crt")),
            key: dir.join(format!("{name}.key")),
        };
        write(&identity.certificate, &certificate.pem())?;
        write(&identity.key, &key.serialize_pem())?;
        Ok(identity)
    }
}

/// A key pair for an API server's service-account tokens, private and public: it does not find the public half in a
/// PKCS #8 file.
pub(crate) fn signing_key(dir: &Path) -> Result<(PathBuf, PathBuf)> {
    let (private, public) = (
        dir.join("service-account.key"),
        dir.join("service-account.pub"),
    );
    let pair = KeyPair::generate()?;
    write(&private, &pair.serialize_pem())?;
    write(&public, &pair.public_key_pem())?;
    Ok((private, public))
}

pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
