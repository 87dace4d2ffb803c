//! Certificates: for how long they are valid.

use std::{
    fs, io,
    net::TcpStream,
    time::{Duration, SystemTime},
};

use checklist::{context::Finding, spec::Period};
use chrono::{DateTime, SecondsFormat, Utc};
use reqwest::Url;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use serde::Deserialize;
use server::tls::validity;

use super::{
    ServiceProbes,
    question::{Found, Question},
};
use crate::healthcheck::https;

/// Whose certificate clients see.
const ENDPOINT: &str = "mcp";

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Wanted {
    #[serde(default = "a_month")]
    at_least: Period,
}

fn a_month() -> Period {
    Period(Duration::from_secs(30 * 86_400))
}

/// `certificate`: the one that the configuration names, and the one that the server shows, are valid for so long.
pub(super) fn certificate(probes: &ServiceProbes, question: &Question<'_>) -> Found {
    let Wanted { at_least } = question.told("at-least, a time as in 30d")?;
    let mut certificates = Vec::new();
    if let Some((file, _)) = probes.settings()?.tls.files() {
        let read = fs::read(file).map_err(|error| error.to_string());
        let first = read.and_then(|text| {
            CertificateDer::from_pem_slice(&text).map_err(|_| "it holds no certificate in PEM".to_owned())
        });
        let first =
            first.map_err(|what| Finding::fail(format!("the file of tls_cert can't be used: {what}")))?;
        certificates.push(("the certificate of tls_cert", first));
    }
    // The port of metrics has the same one, where it speaks TLS.
    if let Some(url) = question.context.endpoints.get(ENDPOINT).filter(|url| url.scheme() == "https") {
        let shown = served(url, question.context.timeout)
            .map_err(|error| Finding::fail(format!("the server shows no certificate: {error}")))?;
        certificates.push(("the certificate that the server shows", shown));
    }
    if certificates.is_empty() {
        let what = "the configuration names no certificate, and clients of the server do not speak TLS to it";
        return Ok(Finding::not_applicable(what));
    }
    let now = SystemTime::now().into();
    let mut seen = Vec::new();
    for (what, certificate) in &certificates {
        seen.push(judge(what, certificate, now, at_least)?);
    }
    Ok(Finding::pass(format!("certificates are valid for {at_least} and more")).with(seen))
}

/// How long a certificate is valid, if that is long enough.
fn judge(
    what: &str,
    certificate: &CertificateDer<'_>,
    now: DateTime<Utc>,
    at_least: Period,
) -> Result<String, Finding> {
    let (begins, expires) =
        validity(certificate).ok_or_else(|| Finding::fail(format!("{what} is none of X.509")))?;
    let text = |moment: DateTime<Utc>| moment.to_rfc3339_opts(SecondsFormat::Secs, true);
    let wanted = format!("and has to be valid for {at_least} still");
    if begins > now {
        return Err(Finding::fail(format!("{what} is not valid before {}, {wanted}", text(begins))));
    }
    let left = (expires - now).to_std().unwrap_or_default();
    match left >= at_least.0 {
        true => Ok(format!("{what} is valid until {}", text(expires))),
        false => Err(Finding::fail(format!("{what} expires at {}, {wanted}", text(expires)))),
    }
}

/// The certificate that a server shows; who signed it is not asked here.
fn served(url: &Url, limit: Duration) -> io::Result<CertificateDer<'static>> {
    let nowhere = || io::Error::other("there is no such host");
    let address = url.socket_addrs(|| None)?.into_iter().next().ok_or_else(nowhere)?;
    let stream = TcpStream::connect_timeout(&address, limit)?;
    stream.set_read_timeout(Some(limit))?;
    stream.set_write_timeout(Some(limit))?;
    let mut spoken = https::connect(stream, address, None, url.domain())?;
    while spoken.conn.is_handshaking() {
        spoken.conn.complete_io(&mut spoken.sock)?;
    }
    let shown = spoken.conn.peer_certificates().and_then(<[_]>::first);
    shown.map(|certificate| certificate.clone().into_owned()).ok_or_else(|| io::Error::other("it shows none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_judged_by_how_long_they_are_valid() {
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        params.not_before = rcgen::date_time_ymd(2030, 1, 1);
        params.not_after = rcgen::date_time_ymd(2030, 3, 1);
        let certificate = params.self_signed(&key).expect("a certificate");
        let told = |now: &str| {
            let now: DateTime<Utc> = now.parse().expect("a moment");
            judge("it", certificate.der(), now, a_month()).unwrap_or_else(|finding| finding.summary)
        };
        assert_eq!(
            told("2029-12-31T00:00:00Z"),
            "it is not valid before 2030-01-01T00:00:00Z, and has to be valid for 30d still"
        );
        assert_eq!(told("2030-01-02T00:00:00Z"), "it is valid until 2030-03-01T00:00:00Z");
        for late in ["2030-02-20T00:00:00Z", "2030-04-01T00:00:00Z"] {
            assert_eq!(
                told(late),
                "it expires at 2030-03-01T00:00:00Z, and has to be valid for 30d still",
                "{late}"
            );
        }
    }
}
