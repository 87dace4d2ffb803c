//! Clients that have to prove themselves, and those that can't.

use std::io;

use serde_json::json;

use crate::{
    authority::{Authority, DAY, Identity},
    client::Client,
    place::{Secure, failures, metrics_address},
    program::Server,
};
use components::eventually;

/// A place whose clients need certificates of another authority than the server's own.
fn place(options: &str) -> (Secure, Authority) {
    let secure = Secure::new(&format!("tls_client_ca = \"clients.pem\"\n{options}"));
    let clients = Authority::new("of clients");
    secure.place.write("clients.pem", &clients.pem());
    (secure, clients)
}

fn listed(secure: &Secure, server: &Server, identity: Option<&Identity>) -> io::Result<serde_json::Value> {
    let versions = rustls::ALL_VERSIONS;
    let client = Client::new(&server.address, &secure.authority, versions, identity);
    client.call("list_workbooks", &json!({}))
}

#[test]
fn clients_with_a_certificate_are_taken_and_no_others() {
    let (secure, clients) = place("");
    let server = secure.serve();
    let scraper = secure.scraper(&server);
    let known = clients.issue(DAY);
    assert_eq!(listed(&secure, &server, Some(&known)).expect("answered")["total"], 1);
    assert!(listed(&secure, &server, None).is_err());
    assert_eq!(failures(&scraper, "no_client_certificate"), 1.0);
    let stranger = Authority::new("somebody else").issue(DAY);
    assert!(listed(&secure, &server, Some(&stranger)).is_err());
    // The server's own authority is not that of clients.
    assert!(listed(&secure, &server, Some(&secure.identity)).is_err());
    let hour = std::time::Duration::from_secs(3_600);
    let past = clients.issue_from(std::time::SystemTime::now() - 2 * hour, hour);
    assert!(listed(&secure, &server, Some(&past)).is_err());
    assert_eq!(failures(&scraper, "client_certificate"), 3.0);
    assert_eq!(listed(&secure, &server, Some(&known)).expect("answered")["total"], 1);
}

#[test]
fn authorities_change_while_the_server_runs() {
    let (secure, clients) = place("");
    let server = secure.serve();
    let (old, new) = (clients.issue(DAY), Authority::new("of later clients"));
    let later = new.issue(DAY);
    assert!(listed(&secure, &server, Some(&later)).is_err());
    secure.place.write("clients.pem", &format!("{}{}", clients.pem(), new.pem()));
    server.hang_up();
    server.said_until("a certificate is in force");
    for identity in [&old, &later] {
        assert_eq!(listed(&secure, &server, Some(identity)).expect("answered")["total"], 1);
    }
    secure.place.write("clients.pem", &new.pem());
    server.hang_up();
    server.said_until("a certificate is in force");
    assert!(listed(&secure, &server, Some(&old)).is_err());
}

/// Probes of Kubernetes have no certificate, nor do most scrapers.
#[test]
fn probes_and_scrapers_need_no_certificate() {
    let (secure, _) = place("");
    let server = secure.serve();
    let scraper = secure.scraper(&server);
    for path in ["/health/live", "/health/startup", "/health/ready", "/metrics"] {
        // The port is open a moment before calls are taken, and says so.
        let is_well = || (scraper.get(path).expect("answered").0 == 200).then_some(());
        eventually(&format!("{path} stays unwell"), is_well);
    }
    assert_eq!(scraper.get("/mcp").expect("answered").0, 404, "calls are not answered there");
}

#[test]
fn scrapers_prove_themselves_where_they_are_to() {
    let (secure, clients) = place("tls_metrics = \"mutual\"\n");
    let server = secure.serve();
    let address = metrics_address(&server);
    let known = clients.issue(DAY);
    let scrape =
        |identity| Client::new(&address, &secure.authority, rustls::ALL_VERSIONS, identity).get("/metrics");
    assert_eq!(scrape(Some(&known)).expect("scraped").0, 200);
    assert!(scrape(None).is_err());
}
