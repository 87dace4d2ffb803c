//! The health over TLS, and the command that asks for it.

use std::time::{Duration, SystemTime};

use crate::{
    authority::{Authority, DAY},
    place::{Secure, metrics_address},
    program::{Place, Server},
};
use components::eventually;

/// The code and the words of the command.
fn healthcheck(place: &Place, server: &Server, arguments: &[&str]) -> (i32, String) {
    let all = [&["healthcheck"], arguments, &["--config", "server.toml", "--bind", &server.address]].concat();
    let (code, stdout, stderr) = place.run(&all, &[]);
    (code, stdout + &stderr)
}

#[test]
fn the_command_asks_over_tls() {
    let secure = Secure::new("");
    let server = secure.serve();
    secure.place.write("other.pem", &Authority::new("somebody else").pem());
    let ask = |arguments: &[&str]| healthcheck(&secure.place, &server, arguments);
    for probe in ["live", "ready", "startup"] {
        assert_eq!(ask(&[probe]).0, 0, "{probe}");
    }
    assert_eq!(ask(&["--ca", "ca.pem"]).0, 0);
    assert_eq!(ask(&["--ca", "ca.pem", "--name", "books.example"]).0, 0);
    for (arguments, problem) in [
        (&["--ca", "other.pem"][..], "invalid peer certificate: UnknownIssuer"),
        (&["--ca", "ca.pem", "--name", "other.example"], "invalid peer certificate"),
        (&["--ca", "nowhere.pem"], "nowhere.pem can't be used"),
        (&["--ca", "secret/tls.key"], "it holds no certificate in PEM"),
    ] {
        let (code, said) = ask(arguments);
        assert!(code == 1 && said.contains(problem), "{arguments:?}: {code} {said}");
    }
    // Whoever asks without knowing of TLS is told.
    let (code, stdout, stderr) = secure.place.run(&["healthcheck", "--bind", &server.address], &[]);
    assert!(code == 1 && stderr.contains("use https://"), "{stdout}{stderr}");
}

#[test]
fn the_command_asks_where_no_certificate_is_needed() {
    let secure = Secure::new("tls_client_ca = \"ca.pem\"\n");
    let server = secure.serve();
    let metrics = metrics_address(&server);
    let ask = |arguments: &[&str]| {
        let all = [&["healthcheck", "ready", "--config", "server.toml"], arguments].concat();
        secure.place.run(&all, &[])
    };
    let ready = || Some(ask(&["--metrics-bind", &metrics])).filter(|(code, ..)| *code == 0);
    let (_, stdout, _) = eventually("it does not become ready", ready);
    assert!(stdout.contains("\"certificate\""), "{stdout}");
    for arguments in [["--metrics-bind", "off"], ["--tls-metrics", "mutual"]] {
        let (code, _, stderr) = ask(&arguments);
        assert!(code == 1 && stderr.contains("--tls-metrics on"), "{stderr}");
    }
}

#[test]
fn a_certificate_that_ends_soon_is_told() {
    let secure = Secure::valid_for(12 * DAY + Duration::from_secs(60), "");
    let server = secure.serve();
    assert!(
        server.announced.iter().any(|line| line.contains("in 12 days: renew it")),
        "{:?}",
        server.announced
    );
    let (status, told) = secure.client(&server).get("/health/ready").expect("answered");
    assert_eq!(status, 200, "{told}");
    assert!(told.contains("in 12 days: renew it"), "{told}");
}

#[test]
fn a_certificate_that_has_ended_makes_it_not_ready_but_alive() {
    let secure = Secure::new("");
    let now = SystemTime::now();
    let short = secure.authority.issue_from(now - Duration::from_secs(60), Duration::from_secs(66));
    secure.put("short", &short.cert, &short.key);
    let server = secure.serve();
    let ask = |probe| healthcheck(&secure.place, &server, &[probe]);
    assert_eq!(ask("ready").0, 0);
    let said = eventually("it stays ready", || Some(ask("ready")).filter(|(code, _)| *code == 1)).1;
    assert!(said.contains("certificate: expired at") && said.contains("renew it"), "{said}");
    assert_eq!(ask("live").0, 0, "a restart would not help");
    secure.put("new", &secure.identity.cert, &secure.identity.key);
    server.hang_up();
    eventually("it does not become ready", || (ask("ready").0 == 0).then_some(()));
}
