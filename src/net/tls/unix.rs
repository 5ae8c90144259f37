//! The roots that the distribution keeps, where the distributions keep them. Not where the environment says: no environment variable
//! changes what this library does.
#![forbid(unsafe_code)]

use super::pem;
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use std::path::Path;
use std::sync::Arc;

/// One file with all of them: the first that is there counts.
const BUNDLES: [&str; 5] = [
    // Debian, Ubuntu, Arch
    "/etc/ssl/certs/ca-certificates.crt",
    // Red Hat, Fedora
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    // SUSE
    "/etc/ssl/ca-bundle.pem",
    // Alpine
    "/etc/ssl/cert.pem",
];

/// Judges by the system's roots and by `extra`, each of which has to be readable.
pub fn verifier(
    extra: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let mut roots = RootCertStore::empty();
    for root in extra {
        roots.add(root).map_err(|error| error.to_string())?;
    }
    let bundle = BUNDLES.iter().map(Path::new).find(|path| path.exists());
    if let Some(found) = bundle.and_then(|path| pem(path).ok()) {
        // Some in it may be of a kind that is not known here.
        roots.add_parsable_certificates(found);
    }
    if roots.is_empty() {
        return Err("this computer has no root certificates (package ca-certificates)".to_owned());
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    verifier.map(|verifier| verifier as Arc<dyn ServerCertVerifier>).map_err(|error| error.to_string())
}
