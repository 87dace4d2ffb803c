//! Whether the ports speak TLS, and with whom.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::WrongValue;

/// Whether the ports speak TLS, and with whom.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "TLS")]
pub struct TlsConfig {
    /// The server's certificate in PEM, followed by those of intermediate authorities; with it both ports speak TLS. The files are
    /// looked at every few seconds, and at SIGHUP
    #[arg(long, value_name = "FILE", env = "SPREADSHEET_MCP_TLS_CERT")]
    pub tls_cert: Option<PathBuf>,
    /// The private key of the certificate in PEM, not encrypted
    #[arg(long, value_name = "FILE", env = "SPREADSHEET_MCP_TLS_KEY")]
    pub tls_key: Option<PathBuf>,
    /// The authorities in PEM that sign certificates of clients: the port of MCP takes clients with one of theirs only
    #[arg(long, value_name = "FILE", env = "SPREADSHEET_MCP_TLS_CLIENT_CA")]
    pub tls_client_ca: Option<PathBuf>,
    /// The oldest version of TLS that is spoken
    #[arg(long, env = "SPREADSHEET_MCP_TLS_MIN_VERSION", value_enum, default_value_t = TlsVersion::V1_2)]
    pub tls_min_version: TlsVersion,
    /// Whether the port of metrics speaks TLS where that of MCP does
    #[arg(long, env = "SPREADSHEET_MCP_TLS_METRICS", value_enum, default_value_t = MetricsTls::On)]
    pub tls_metrics: MetricsTls,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum TlsVersion {
    /// TLS 1.2
    #[default]
    #[value(name = "1.2")]
    V1_2,
    /// TLS 1.3
    #[value(name = "1.3")]
    V1_3,
}

/// Whether the port of metrics speaks TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum MetricsTls {
    /// Plain HTTP
    Off,
    /// With the same certificate, to clients without one: scrapers and probes
    #[default]
    On,
    /// To clients with a certificate only, as the port of MCP
    Mutual,
}

impl TlsConfig {
    /// The files of the certificate and of its key, where the ports speak TLS.
    pub fn files(&self) -> Option<(&PathBuf, &PathBuf)> {
        self.tls_cert.as_ref().zip(self.tls_key.as_ref())
    }

    /// What does not go together.
    pub(super) fn wrong_values(&self) -> Vec<WrongValue> {
        let mut wrong = Vec::new();
        match (&self.tls_cert, &self.tls_key) {
            (Some(_), None) => wrong.push(WrongValue::new(
                "tls_cert",
                "there is a certificate without a key: give the file of its private key by --tls-key"
                    .to_owned(),
            )),
            (None, Some(_)) => wrong.push(WrongValue::new(
                "tls_key",
                "there is a key without a certificate: give the certificate's file by --tls-cert".to_owned(),
            )),
            (None, None) if self.tls_client_ca.is_some() => wrong.push(WrongValue::new(
                "tls_client_ca",
                "clients can't be asked for certificates without TLS: give --tls-cert and --tls-key, too"
                    .to_owned(),
            )),
            _ => {}
        }
        if self.tls_metrics == MetricsTls::Mutual && self.tls_client_ca.is_none() {
            wrong.push(WrongValue::new(
                "tls_metrics",
                "who signs the certificates of clients is not known: give --tls-client-ca, or say on"
                    .to_owned(),
            ));
        }
        wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(files: [Option<&str>; 3], tls_metrics: MetricsTls, expected: &[&str]) {
        let [tls_cert, tls_key, tls_client_ca] = files.map(|file| file.map(PathBuf::from));
        let config =
            TlsConfig { tls_cert, tls_key, tls_client_ca, tls_metrics, tls_min_version: TlsVersion::V1_2 };
        let wrong: Vec<&str> = config.wrong_values().iter().map(|wrong| wrong.key).collect();
        assert_eq!(wrong, expected);
    }

    #[test]
    fn one_does_not_go_without_the_other() {
        let (cert, key, authorities) = (Some("cert"), Some("key"), Some("ca"));
        check([None, None, None], MetricsTls::On, &[]);
        check([cert, key, None], MetricsTls::Off, &[]);
        check([cert, key, authorities], MetricsTls::Mutual, &[]);
        check([cert, None, None], MetricsTls::On, &["tls_cert"]);
        check([None, key, authorities], MetricsTls::On, &["tls_key"]);
        check([None, None, authorities], MetricsTls::On, &["tls_client_ca"]);
        check([cert, key, None], MetricsTls::Mutual, &["tls_metrics"]);
    }
}
