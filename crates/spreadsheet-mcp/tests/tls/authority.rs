//! Certificates, and who signs them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A day.
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// Who signs certificates.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key.
pub(crate) struct Identity {
    pub(crate) cert: String,
    pub(crate) key: String,
    pub(crate) der: CertificateDer<'static>,
    pub(crate) private: PrivateKeyDer<'static>,
    /// When it expires, in seconds since 1970.
    pub(crate) expires: u64,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).expect("names");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Authority { issuer: CertifiedIssuer::self_signed(params, key).expect("a certificate") }
    }

    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    pub(crate) fn der(&self) -> CertificateDer<'static> {
        self.issuer.der().clone()
    }

    /// A certificate for this machine, or for a client, that is valid from then for so long.
    pub(crate) fn issue_from(&self, begins: SystemTime, valid: Duration) -> Identity {
        let names = ["localhost", "127.0.0.1", "books.example"].map(str::to_owned);
        let mut params = CertificateParams::new(names).expect("names");
        let begins = begins.duration_since(UNIX_EPOCH).expect("after 1970");
        let expires = begins + valid;
        let moment = |at: Duration| rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(at.as_secs());
        (params.not_before, params.not_after) = (moment(begins), moment(expires));
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Identity {
            cert: certificate.pem(),
            key: key.serialize_pem(),
            der: certificate.der().clone(),
            private: PrivateKeyDer::try_from(key.serialize_der()).expect("a key"),
            expires: expires.as_secs(),
        }
    }

    /// The same, valid since an hour.
    pub(crate) fn issue(&self, valid: Duration) -> Identity {
        let hour = Duration::from_secs(3_600);
        self.issue_from(SystemTime::now() - hour, valid + hour)
    }
}
