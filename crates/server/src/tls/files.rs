//! The certificate, its key and the authorities of clients: read, and judged before anybody relies on them.

use std::{
    fs, io,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use chrono::{DateTime, SecondsFormat, Utc};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
    sign::{CertifiedKey, SingleCertAndKey},
};
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::config::{TlsConfig, TlsVersion, WrongValue};

/// Bytes of a file that are read at most.
const MAX_FILE: u64 = 4 << 20;

/// What the server proves itself by, and what clients have to.
#[derive(Debug)]
pub(super) struct Identity {
    certified: Arc<CertifiedKey>,
    clients: Option<Arc<dyn ClientCertVerifier>>,
    /// When the certificate expires.
    pub(super) expires: DateTime<Utc>,
}

/// What was found in the files.
#[derive(Debug)]
pub(super) struct Found {
    /// Of everything that was read, so that a change is seen.
    pub(super) digest: [u8; 32],
    /// What it is good for.
    pub(super) identity: Result<Identity, Vec<WrongValue>>,
}

/// Judges the files that are configured.
///
/// # Errors
/// Everything that is wrong with them.
pub(crate) fn check(config: &TlsConfig) -> Result<(), Vec<WrongValue>> {
    find(config, SystemTime::now()).map_or(Ok(()), |found| found.identity.map(drop))
}

/// What is in the files; nothing where no TLS is configured.
pub(super) fn find(config: &TlsConfig, now: SystemTime) -> Option<Found> {
    let (cert, key) = config.files()?;
    let mut hasher = Sha256::new();
    let mut read = |path: &Path| {
        let contents = read(path);
        let told = match &contents {
            Ok(bytes) => bytes.as_slice(),
            Err(error) => error.as_bytes(),
        };
        hasher.update((told.len() as u64).to_be_bytes());
        hasher.update(told);
        contents
    };
    let (chain, private) = (read(cert), read(key));
    let authorities = config.tls_client_ca.as_deref().map(|path| (path, read(path)));
    let digest = hasher.finalize().into();

    let mut wrong = Vec::new();
    let mut noted = |key: &'static str, what: String| wrong.push(WrongValue::new(key, what));
    let leaf = chain.and_then(|bytes| certificates(cert, &bytes)).and_then(|chain| {
        let expires = in_force(cert, &chain[0], now)?;
        Ok((chain, expires))
    });
    let leaf = leaf.map_err(|what| noted("tls_cert", what)).ok();
    let private = private.and_then(|bytes| private_key(key, &bytes));
    let private = private.map_err(|what| noted("tls_key", what)).ok();
    let clients = authorities.map(|(path, bytes)| bytes.and_then(|bytes| verifier(path, &bytes)));
    let clients = clients.transpose().map_err(|what| noted("tls_client_ca", what)).ok();
    let identity = match (leaf, private, clients) {
        (Some((chain, expires)), Some(private), Some(clients)) => certified(cert, key, chain, private)
            .map(|certified| Identity { certified, clients, expires })
            .map_err(|what| noted("tls_key", what))
            .ok(),
        _ => None,
    };
    Some(Found { digest, identity: identity.ok_or(wrong) })
}

impl Identity {
    /// How a port speaks TLS, and whether clients have to prove themselves.
    ///
    /// # Errors
    /// When rustls does not take it.
    pub(super) fn server_config(
        &self,
        is_mutual: bool,
        least: TlsVersion,
    ) -> Result<Arc<ServerConfig>, rustls::Error> {
        let versions: &[_] = match least {
            TlsVersion::V1_2 => &[&rustls::version::TLS13, &rustls::version::TLS12],
            TlsVersion::V1_3 => &[&rustls::version::TLS13],
        };
        let builder = ServerConfig::builder_with_provider(provider()).with_protocol_versions(versions)?;
        let builder = match &self.clients {
            Some(verifier) if is_mutual => builder.with_client_cert_verifier(Arc::clone(verifier)),
            _ => builder.with_no_client_auth(),
        };
        let resolver = Arc::new(SingleCertAndKey::from(Arc::clone(&self.certified)));
        let mut config = builder.with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let file = path.display();
    let unreadable = |error: io::Error| {
        let remedy = match error.kind() {
            io::ErrorKind::NotFound => "; name a file that is there",
            io::ErrorKind::PermissionDenied => "; let the user of the server read it",
            _ => "",
        };
        format!("{file} can't be read: {error}{remedy}")
    };
    let length = fs::metadata(path).map_err(unreadable)?.len();
    if length > MAX_FILE {
        return Err(format!("{file} has {length} bytes, which no file of certificates does"));
    }
    fs::read(path).map_err(unreadable)
}

fn certificates(path: &Path, bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let file = path.display();
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    match chain {
        Ok(chain) if chain.is_empty() => {
            Err(format!("{file} holds no certificate in PEM (-----BEGIN CERTIFICATE-----)"))
        }
        Ok(chain) => Ok(chain),
        Err(_) => Err(format!("{file} is damaged: it holds PEM that can't be decoded")),
    }
}

/// What PEM says is not told: it is a secret.
fn private_key(path: &Path, bytes: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    let file = path.display();
    let is_encrypted = bytes.windows(9).any(|text| text == b"ENCRYPTED");
    match PrivateKeyDer::from_pem_slice(bytes) {
        Ok(key) => Ok(key),
        Err(_) if is_encrypted => {
            Err(format!("the key in {file} is encrypted: decrypt it by `openssl pkey -in {file} -out …`"))
        }
        Err(_) => Err(format!("{file} holds no private key in PEM (-----BEGIN PRIVATE KEY-----)")),
    }
}

/// From when to when a certificate can be used, if it is one of X.509.
pub fn validity(der: &CertificateDer<'_>) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let validity = certificate.validity();
    let moment = |seconds: i64| DateTime::<Utc>::from_timestamp(seconds, 0).unwrap_or_default();
    Some((moment(validity.not_before.timestamp()), moment(validity.not_after.timestamp())))
}

/// When a certificate expires, if it can be used now.
fn in_force(path: &Path, der: &CertificateDer<'_>, now: SystemTime) -> Result<DateTime<Utc>, String> {
    let file = path.display();
    let (begins, expires) = validity(der)
        .ok_or_else(|| format!("the first certificate in {file} is damaged: it is none of X.509"))?;
    let text = |moment: DateTime<Utc>| moment.to_rfc3339_opts(SecondsFormat::Secs, true);
    let now = DateTime::<Utc>::from(now);
    if expires <= now {
        return Err(format!("the certificate in {file} expired at {}: renew it", text(expires)));
    }
    if begins > now {
        return Err(format!(
            "the certificate in {file} is not valid before {}: wait, or look at the clock of this machine",
            text(begins)
        ));
    }
    Ok(expires)
}

fn certified(
    cert: &Path,
    key: &Path,
    chain: Vec<CertificateDer<'static>>,
    private: PrivateKeyDer<'static>,
) -> Result<Arc<CertifiedKey>, String> {
    let (cert, key) = (cert.display(), key.display());
    let signing = provider().key_provider.load_private_key(private).map_err(|_| {
        format!(
            "the key in {key} can't be used: make one of RSA (2048 bits or more), P-256, P-384 or Ed25519"
        )
    })?;
    let certified = CertifiedKey::new(chain, signing);
    match certified.keys_match() {
        Ok(()) => Ok(Arc::new(certified)),
        Err(rustls::Error::InconsistentKeys(_)) => Err(format!(
            "the key in {key} is not that of the first certificate in {cert}: give the two that were made together"
        )),
        Err(error) => Err(format!("the certificate in {cert} can't be used: {error}")),
    }
}

fn verifier(path: &Path, bytes: &[u8]) -> Result<Arc<dyn ClientCertVerifier>, String> {
    let file = path.display();
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path, bytes)? {
        roots.add(certificate).map_err(|error| format!("a certificate in {file} can't be used: {error}"))?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build();
    verifier
        .map(|verifier| verifier as Arc<dyn ClientCertVerifier>)
        .map_err(|error| format!("the certificates in {file} can't be used: {error}"))
}

/// Whether everybody on this machine may read a file.
pub(super) fn is_readable_by_all(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
}

/// The same moment for the system's clock.
pub(super) fn system_time(moment: DateTime<Utc>) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(moment.timestamp()).unwrap_or_default())
}
