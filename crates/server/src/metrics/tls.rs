//! Certificates, and connections that did not come to speak TLS.

use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Unit,
};

use super::{
    catalogue::Catalogue,
    labels::{CertificateLabels, HandshakeFailure, HandshakeLabels, Port, Reload, ReloadLabels},
};

/// Metrics of TLS.
#[derive(Debug)]
pub struct TlsMetrics {
    certificates: Family<CertificateLabels, Gauge>,
    reloads: Family<ReloadLabels, Counter>,
    failures: Family<HandshakeLabels, Counter>,
}

impl TlsMetrics {
    pub(super) fn register(catalogue: &mut Catalogue) -> TlsMetrics {
        TlsMetrics {
            certificates: catalogue.gauges(
                "tls_certificate_expiry_timestamp",
                "When the certificate of a port expires, in seconds since 1970; nothing without TLS",
                Some(Unit::Seconds),
            ),
            reloads: catalogue.counters(
                "tls_certificate_reloads",
                "Times that the files of the certificate had changed: taken, or refused, so that the one before stays",
            ),
            failures: catalogue.counters(
                "tls_handshake_failures",
                "Connections that did not come to speak TLS, by what went wrong",
            ),
        }
    }

    /// Tells when the certificate of a port expires.
    pub fn certificate_expires(&self, port: Port, unix_seconds: i64) {
        self.certificates.get_or_create(&CertificateLabels { port }).set(unix_seconds);
    }

    /// Counts files of the certificate that had changed.
    pub fn reloaded(&self, outcome: Reload) {
        self.reloads.get_or_create(&ReloadLabels { outcome }).inc();
    }

    /// Counts a connection that did not come to speak TLS.
    pub fn handshake_failed(&self, port: Port, reason: HandshakeFailure) {
        self.failures.get_or_create(&HandshakeLabels { port, reason }).inc();
    }
}
