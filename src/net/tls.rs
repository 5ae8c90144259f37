//! Whom to trust, and the client's side of TLS: `rustls` with `ring`, judged by the operating system's own store, with one file of
//! further roots where the product brings one.
#![forbid(unsafe_code)]

use super::certificate::{Names, names_of};
use super::trouble::{BadCertificate, Step, Trouble, Why};
use crate::licence::text::clean;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

#[cfg_attr(unix, path = "tls/unix.rs")]
#[cfg_attr(windows, path = "tls/windows.rs")]
mod os;

const LARGEST_CA_FILE: usize = 4 << 20;
/// Sessions that may be resumed: there is one office.
const SESSIONS: usize = 4;

/// Tells the time at which certificates are judged, in Unix seconds.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Whom to trust. The operating system's store is read once, when TLS is first needed.
pub struct Trust {
    ca_file: Option<PathBuf>,
    clock: Clock,
    judge: OnceLock<Arc<Judge>>,
}

struct Judge {
    provider: Arc<CryptoProvider>,
    verifier: Arc<dyn ServerCertVerifier>,
}

impl Trust {
    pub fn new(ca_file: Option<PathBuf>, clock: Clock) -> Trust {
        Trust { ca_file, clock, judge: OnceLock::new() }
    }

    fn judge(&self) -> Result<Arc<Judge>, Why> {
        if let Some(judge) = self.judge.get() {
            return Ok(judge.clone());
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let extra = match &self.ca_file {
            None => Vec::new(),
            Some(path) => pem(path).map_err(|detail| self.bad(&detail))?,
        };
        let verifier = os::verifier(extra, provider.clone()).map_err(|detail| self.bad(&detail))?;
        Ok(self.judge.get_or_init(|| Arc::new(Judge { provider, verifier })).clone())
    }

    fn bad(&self, detail: &str) -> Why {
        let detail = clean(detail, 200);
        match &self.ca_file {
            None => Why::TlsFailed { detail },
            Some(path) => Why::CaFile { path: path.display().to_string(), detail },
        }
    }

    /// A client's configuration of its own, with what it was shown last.
    pub(super) fn client(&self) -> Result<(Arc<ClientConfig>, Arc<Shown>), Why> {
        let judge = self.judge()?;
        let shown = Arc::new(Shown { judge: judge.clone(), names: Mutex::default() });
        let time = Arc::new(Time(self.clock.clone()));
        let versions = ClientConfig::builder_with_details(judge.provider.clone(), time)
            .with_safe_default_protocol_versions()
            .map_err(|error| Why::TlsFailed { detail: error.to_string() })?;
        let mut config = versions.dangerous().with_custom_certificate_verifier(shown.clone()).with_no_client_auth();
        config.resumption = Resumption::in_memory_sessions(SESSIONS);
        Ok((Arc::new(config), shown))
    }
}

/// The certificates in a file.
fn pem(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    // Distributions keep theirs behind links.
    let real = std::fs::canonicalize(path).map_err(|error| error.to_string())?;
    let bytes = crate::store::read_limited(&real, LARGEST_CA_FILE).map_err(|error| error.to_string())?;
    let roots: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match roots {
        Ok(roots) if roots.is_empty() => Err("it holds no certificate in PEM form".to_owned()),
        Ok(roots) => Ok(roots),
        Err(error) => Err(format!("{error:?}")),
    }
}

struct Time(Clock);

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Time")
    }
}

impl TimeProvider for Time {
    fn current_time(&self) -> Option<UnixTime> {
        u64::try_from((self.0)()).ok().map(|seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// Lets the operating system judge, and remembers the names in the certificate that was shown, good or bad.
pub(super) struct Shown {
    judge: Arc<Judge>,
    names: Mutex<Names>,
}

impl Shown {
    pub fn names(&self) -> Names {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn verifier(&self) -> &dyn ServerCertVerifier {
        self.judge.verifier.as_ref()
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shown")
    }
}

impl ServerCertVerifier for Shown {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.names.lock().unwrap_or_else(PoisonError::into_inner) = names_of(end_entity);
        self.verifier().verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier().verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier().verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier().supported_verify_schemes()
    }
}

/// What `rustls` says when there is no encrypted connection, for people.
pub(super) fn trouble(error: &rustls::Error, host: &str, names: Names) -> Trouble {
    let detail = clean(&error.to_string(), 200);
    let why = match error {
        rustls::Error::InvalidCertificate(wrong) => {
            let bad = match wrong {
                CertificateError::UnknownIssuer => BadCertificate::Issuer,
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => BadCertificate::Expired,
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                    BadCertificate::NotYetValid
                }
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                    BadCertificate::Name
                }
                CertificateError::Revoked => BadCertificate::Revoked,
                _ => BadCertificate::Other,
            };
            Why::Certificate { host: host.to_owned(), issuer: names.issuer, bad, detail }
        }
        _ => Why::TlsFailed { detail },
    };
    Trouble::before_sending(Step::Tls, why)
}
