//! Certificates change while the server runs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    authority::DAY,
    place::{Secure, sample},
};
use components::eventually;

const EXPIRY: &str = "spreadsheet_mcp_tls_certificate_expiry_timestamp_seconds";
const TAKEN: &str = "spreadsheet_mcp_tls_certificate_reloads_total{outcome=\"taken\"}";
const REFUSED: &str = "spreadsheet_mcp_tls_certificate_reloads_total{outcome=\"refused\"}";

#[test]
fn a_new_certificate_is_taken_and_no_request_is_lost() {
    let secure = Secure::new("");
    let server = secure.serve();
    let (client, scraper) = (secure.client(&server), secure.scraper(&server));
    let mut before = client.connect().expect("they shake hands");
    let mut identities = vec![secure.identity.der.clone()];

    let (done, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let callers: Vec<_> = (0..4)
        .map(|caller| {
            let (done, answered, client) = (Arc::clone(&done), Arc::clone(&answered), client.clone());
            std::thread::spawn(move || {
                let mut seen = vec![];
                while !done.load(Ordering::Relaxed) {
                    // Half of them stay connected for a while.
                    let mut connection = client.connect().expect("they shake hands");
                    for _ in 0..if caller % 2 == 0 { 1 } else { 20 } {
                        let listed = connection.call("list_workbooks", &json!({})).expect("answered");
                        assert_eq!(listed["total"], 1);
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                    let certificate = connection.certificate();
                    if seen.last() != Some(&certificate) {
                        seen.push(certificate);
                    }
                }
                seen
            })
        })
        .collect();
    for round in 2..7_u32 {
        let new = secure.authority.issue(DAY * (90 + round));
        secure.put(&round.to_string(), &new.cert, &new.key);
        server.hang_up();
        server.said_until("a certificate is in force");
        assert_eq!(client.shown(), new.der, "the next connection sees it");
        for port in ["mcp", "metrics"] {
            let expires = sample(&scraper, &format!("{EXPIRY}{{port=\"{port}\"}}"));
            assert_eq!(expires, new.expires as f64, "{port}");
        }
        let so_far = answered.load(Ordering::Relaxed);
        identities.push(new.der);
        eventually("nobody calls", || (answered.load(Ordering::Relaxed) > so_far + 40).then_some(()));
    }
    done.store(true, Ordering::Relaxed);
    for caller in callers {
        let seen = caller.join().expect("every request is answered");
        assert!(seen.len() > 1, "it saw certificates change");
        let order: Vec<_> =
            seen.iter().map(|seen| identities.iter().position(|known| known == seen)).collect();
        assert!(order.is_sorted() && order.iter().all(Option::is_some), "{order:?}");
    }
    assert_eq!(sample(&scraper, TAKEN), 5.0);
    assert_eq!(sample(&scraper, REFUSED), 0.0);
    // A connection keeps to what it began with.
    assert_eq!(before.call("list_workbooks", &json!({})).expect("answered")["total"], 1);
    assert_eq!(before.certificate(), secure.identity.der);
}

#[test]
fn a_change_is_noticed_without_a_signal() {
    let secure = Secure::new("");
    let server = secure.serve();
    let client = secure.client(&server);
    assert_eq!(client.shown(), secure.identity.der);
    let new = secure.authority.issue(30 * DAY);
    secure.put("2", &new.cert, &new.key);
    let begun = Instant::now();
    eventually("it is not noticed", || (client.shown() == new.der).then_some(()));
    assert!(begun.elapsed() < Duration::from_secs(20), "it took {:?}", begun.elapsed());
}

#[test]
fn a_wrong_certificate_changes_nothing() {
    let secure = Secure::new("");
    let server = secure.serve();
    let (client, scraper) = (secure.client(&server), secure.scraper(&server));
    let (other, more) = (secure.authority.issue(DAY), secure.authority.issue(DAY));
    let hour = Duration::from_secs(3_600);
    let past = secure.authority.issue_from(std::time::SystemTime::now() - 2 * hour, hour);
    let wrong = [
        ("garbage", "no certificate", other.key.as_str(), "holds no certificate in PEM"),
        ("another key", &other.cert, &more.key, "is not that of the first certificate in"),
        ("nothing", "", "", "holds no private key in PEM"),
        ("too old", &past.cert, &past.key, "expired at"),
    ];
    let count = wrong.len();
    for (name, cert, key, problem) in wrong {
        secure.put(name, cert, key);
        server.hang_up();
        let said = server.said_until("the certificate before stays in force").join("\n");
        assert!(said.contains("the new certificate is not taken") && said.contains(problem), "{said}");
        assert_eq!(client.shown(), secure.identity.der);
    }
    // Files that are gone are no certificate either.
    std::fs::remove_file(secure.place.path("secret")).expect("it goes");
    server.hang_up();
    let said = server.said_until("the certificate before stays in force").join("\n");
    assert!(said.contains("secret/tls.crt can't be read"), "{said}");
    assert_eq!(client.call("list_workbooks", &json!({})).expect("answered")["total"], 1);
    // Looking at what was refused already does not refuse it again.
    std::thread::sleep(Duration::from_secs(12));
    assert_eq!(sample(&scraper, REFUSED), (count + 1) as f64);
    assert_eq!(sample(&scraper, TAKEN), 0.0);
    let expires = sample(&scraper, &format!("{EXPIRY}{{port=\"mcp\"}}"));
    assert_eq!(expires, secure.identity.expires as f64);
    secure.put("right", &other.cert, &other.key);
    server.hang_up();
    server.said_until("a certificate is in force");
    assert_eq!(client.shown(), other.der);
}

/// A wrong certificate holds up no option.
#[test]
fn options_change_beside_a_wrong_certificate() {
    let secure = Secure::new("[limits]\nmax_cells = 2\n");
    let server = secure.serve();
    let client = secure.client(&server);
    let text = std::fs::read_to_string(secure.place.path("server.toml")).expect("a file");
    secure.place.write("server.toml", &text.replace("max_cells = 2", "max_cells = 1000"));
    secure.put("2", "garbage", "garbage");
    server.hang_up();
    let said = server.said_until("the configuration was read again").join("\n");
    assert!(said.contains("the certificate before stays in force"), "{said}");
    let read = json!({ "workbook": "sales.csv", "ranges": ["A1:B3"] });
    let answer = client.call("read_range", &read).expect("answered");
    assert_eq!(answer["ranges"][0]["values"].as_array().map(Vec::len), Some(3), "{answer}");
}
