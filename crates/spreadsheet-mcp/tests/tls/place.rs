//! A place with certificates.

use std::os::unix::fs::{PermissionsExt as _, symlink};

use crate::{
    authority::{Authority, DAY, Identity},
    client::Client,
    program::{Place, Server},
};

/// A place whose server speaks TLS, by a certificate of its own authority.
pub(crate) struct Secure {
    pub(crate) place: Place,
    pub(crate) authority: Authority,
    pub(crate) identity: Identity,
}

/// Options of a file that name the certificate.
pub(crate) const FILES: &str = "tls_cert = \"secret/tls.crt\"\ntls_key = \"secret/tls.key\"\n";

impl Secure {
    /// With more options of TLS.
    pub(crate) fn new(options: &str) -> Secure {
        Secure::valid_for(90 * DAY, options)
    }

    /// With a certificate that is valid for so long.
    pub(crate) fn valid_for(valid: std::time::Duration, options: &str) -> Secure {
        let place = Place::new();
        let authority = Authority::new("the authority");
        let identity = authority.issue(valid);
        let secure = Secure { place, authority, identity };
        secure.place.write("ca.pem", &secure.authority.pem());
        secure.put("1", &secure.identity.cert, &secure.identity.key);
        let text = format!("[metrics]\nmetrics_bind = \"127.0.0.1:0\"\n[tls]\n{FILES}{options}");
        secure.place.write("server.toml", &text);
        secure
    }

    /// Puts files in place at once, by a link that leads to a folder of this name, as Kubernetes does.
    pub(crate) fn put(&self, name: &str, cert: &str, key: &str) {
        let (folder, link, new) =
            (self.place.path(name), self.place.path("secret"), self.place.path("secret.new"));
        std::fs::create_dir(&folder).expect("a folder");
        std::fs::write(folder.join("tls.crt"), cert).expect("written");
        std::fs::write(folder.join("tls.key"), key).expect("written");
        let private = std::fs::Permissions::from_mode(0o640);
        std::fs::set_permissions(folder.join("tls.key"), private).expect("set");
        symlink(&folder, &new).expect("a link");
        std::fs::rename(&new, &link).expect("in place");
    }

    pub(crate) fn serve(&self) -> Server {
        self.place.serve(&[])
    }

    /// Somebody who trusts its authority.
    pub(crate) fn client(&self, server: &Server) -> Client {
        Client::trusting(&server.address, &self.authority)
    }

    /// A scraper, that has no certificate.
    pub(crate) fn scraper(&self, server: &Server) -> Client {
        Client::trusting(&metrics_address(server), &self.authority)
    }
}

/// Where a server that just started tells metrics.
pub(crate) fn metrics_address(server: &Server) -> String {
    let lines = server.said_until("serving metrics on ");
    let address = lines.last().and_then(|line| line.split("://").nth(1)).expect("an address");
    address.split('/').next().expect("an address").to_owned()
}

/// The value of a sample, 0 if it is not told.
pub(crate) fn sample(scraper: &Client, name: &str) -> f64 {
    let (status, page) = scraper.get("/metrics").expect("scraped");
    assert_eq!(status, 200, "{page}");
    sample_of(&page, name)
}

/// The same of a page.
pub(crate) fn sample_of(page: &str, name: &str) -> f64 {
    let found = page.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    found.unwrap_or_default()
}

/// The sample of handshakes that failed on the port of MCP.
pub(crate) fn failures(scraper: &Client, reason: &str) -> f64 {
    let labels = format!("{{port=\"mcp\",reason=\"{reason}\"}}");
    sample(scraper, &format!("spreadsheet_mcp_tls_handshake_failures_total{labels}"))
}
