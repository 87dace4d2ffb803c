//! Secrets from a real OpenBao that runs: read, rotated, renewed, and gone on with while it is away.

mod bao;
#[path = "../configuration/program.rs"]
#[allow(dead_code, reason = "each test needs some of it")]
mod program;

use std::time::Duration;

use bao::Bao;
use components::{eventually, free_port, http};
use program::{Place, Server};
use serde_json::json;

/// The status that a caller with a key gets.
fn status(server: &Server, key: &str) -> u16 {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {} }).to_string();
    let headers = format!(
        "X-Api-Key: {key}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n\
         MCP-Protocol-Version: 2025-11-25\r\n"
    );
    http("POST", &server.address, "/mcp", &headers, &body).0
}

/// Makes a key in a file of its own, and gives it with the text of the file.
fn make_key(place: &Place, name: &str) -> (String, String) {
    let file = format!("{name}.toml");
    let line = ["keys", "create", name, "--role", "viewer", "--workspace", "books", "--keys-file", &file];
    let (code, key, said) = place.run(&line, &[]);
    assert_eq!(code, 0, "{said}");
    (key.trim().to_owned(), std::fs::read_to_string(place.path(&file)).expect("a file"))
}

/// Configures a server with keys in Vault, and more of its section.
fn configure(place: &Place, addr: &str, more: &str) {
    place.write(
        "server.toml",
        &format!(
            "[access]\nkeys_file = \"vault:secret/sheets#keys\"\n[metrics]\nmetrics_bind = \"127.0.0.1:0\"\n\
             [logging]\nlog = \"trace\"\n[vault]\nvault_addr = \"{addr}\"\nvault_refresh_interval = 1\n{more}\n"
        ),
    );
}

/// A place with a token of Vault in a file.
fn place(bao: &Bao, token: &str) -> Place {
    let place = Place::new();
    place.write("vault-token", token);
    configure(&place, &format!("http://127.0.0.1:{}", bao.port()), "vault_token_file = \"vault-token\"");
    place
}

fn metrics_of(server: &Server) -> String {
    let lines = server.said_until("serving metrics on http://").join("\n");
    let address = lines.split("serving metrics on http://").nth(1).and_then(|rest| rest.split('/').next());
    address.expect("an address").to_owned()
}

fn counted(address: &str, operation: &str) -> f64 {
    let (_, _, page) = http("GET", address, "/metrics", "", "");
    let name =
        format!("spreadsheet_mcp_vault_requests_total{{operation=\"{operation}\",outcome=\"completed\"}}");
    let line = page.lines().find(|line| line.starts_with(&name));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0.0)
}

#[test]
fn keys_change_in_vault_without_a_restart() {
    let Some(bao) = Bao::start() else { return };
    let token = bao.token("1h");
    let place = place(&bao, &token);
    let ((ada, adas), (bob, bobs)) = (make_key(&place, "ada"), make_key(&place, "bob"));
    bao.put(&adas);
    let server = place.serve(&[]);
    assert_eq!((status(&server, &ada), status(&server, &bob)), (200, 401));
    bao.put(&bobs);
    eventually("the new keys are not taken", || (status(&server, &bob) == 200).then_some(()));
    assert_eq!(status(&server, &ada), 401);
    // What is no file of keys changes nothing.
    bao.put("version = ");
    server.said_until("can't be taken");
    assert_eq!(status(&server, &bob), 200);
    let (ready, _, health) = http("GET", &server.address, "/health/ready", "", "");
    assert!(ready == 200 && health.contains("can't be taken"), "{health}");
    bao.put(&bobs);
    // A secret that is deleted lets nobody in.
    bao.ask("DELETE", "secret/metadata/sheets", &json!({}));
    let lines = server.said_until("is gone");
    assert_eq!(status(&server, &bob), 401);
    let said = [server.announced.as_slice(), &lines].concat().join("\n");
    for secret in [&token, &ada, &bob] {
        assert!(!said.contains(secret.as_str()), "a secret is logged");
    }
    // The program that makes keys only reads Vault.
    let line = ["keys", "list", "--config", "server.toml", "--workspace", "books"];
    let (code, _, said) = place.run(&line, &[]);
    assert!(code == 1 && said.contains("bao kv put -mount=secret sheets keys=@FILE"), "{said}");
}

#[test]
fn what_was_read_goes_on_while_vault_is_away() {
    let Some(bao) = Bao::start() else { return };
    let place = place(&bao, &bao.token("1h"));
    let ((ada, adas), (bob, bobs)) = (make_key(&place, "ada"), make_key(&place, "bob"));
    bao.put(&adas);
    let server = place.serve(&[]);
    let port = bao.port();
    drop(bao);
    server.said_until("what was read stays in force");
    assert_eq!(status(&server, &ada), 200);
    let (ready, _, health) = http("GET", &server.address, "/health/ready", "", "");
    assert!(ready == 200 && health.contains("\"vault\":\"it does not answer; what was read "), "{health}");
    // Another one comes to its place, knows nothing of our token, and gives us a new one.
    let bao = Bao::at(port).expect("it starts again");
    bao.put(&bobs);
    place.write("vault-token", &bao.token("1h"));
    eventually("it is not read again", || (status(&server, &bob) == 200).then_some(()));
    assert_eq!(status(&server, &ada), 401);
    let (_, _, health) = http("GET", &server.address, "/health/ready", "", "");
    assert!(health.contains("\"vault\":\"secrets are read\""), "{health}");
}

#[test]
fn tokens_are_renewed_before_they_end() {
    let Some(bao) = Bao::start() else { return };
    let place = place(&bao, &bao.token("3s"));
    let ((_, adas), (bob, bobs)) = (make_key(&place, "ada"), make_key(&place, "bob"));
    bao.put(&adas);
    let server = place.serve(&[]);
    let metrics = metrics_of(&server);
    std::thread::sleep(Duration::from_secs(7));
    assert!(counted(&metrics, "renew") >= 2.0);
    bao.put(&bobs);
    eventually("it is not read any more", || (status(&server, &bob) == 200).then_some(()));
}

#[test]
fn an_approle_logs_in_again_when_its_token_can_not_be_renewed() {
    let Some(bao) = Bao::start() else { return };
    bao.ask("POST", "sys/auth/approle", &json!({ "type": "approle" }));
    let role = json!({ "token_policies": ["sheets"], "token_ttl": "2s", "token_max_ttl": "4s" });
    bao.ask("POST", "auth/approle/role/sheets", &role);
    let role_id = bao.ask("GET", "auth/approle/role/sheets/role-id", &json!({}))["data"]["role_id"].clone();
    let secret_id =
        bao.ask("POST", "auth/approle/role/sheets/secret-id", &json!({}))["data"]["secret_id"].clone();
    let place = Place::new();
    place.write("role-id", role_id.as_str().expect("an id"));
    place.write("secret-id", secret_id.as_str().expect("an id"));
    configure(
        &place,
        &format!("http://127.0.0.1:{}", bao.port()),
        "vault_auth = \"approle\"\nvault_role_id_file = \"role-id\"\nvault_secret_id_file = \"secret-id\"",
    );
    let ((ada, adas), (bob, bobs)) = (make_key(&place, "ada"), make_key(&place, "bob"));
    bao.put(&adas);
    let server = place.serve(&[]);
    let metrics = metrics_of(&server);
    assert_eq!(status(&server, &ada), 200);
    std::thread::sleep(Duration::from_secs(9));
    let (logins, renewals) = (counted(&metrics, "login"), counted(&metrics, "renew"));
    assert!(logins >= 2.0 && renewals >= 1.0, "{logins} logins, {renewals} renewals");
    bao.put(&bobs);
    eventually("it is not read any more", || (status(&server, &bob) == 200).then_some(()));
    // What `config show` tells does not say where secrets are.
    let line = ["config", "show", "--config", "server.toml", "--workspace", "books"];
    let shown = place.run(&line, &[]).1;
    assert!(shown.contains("vault_secret_id_file = \"[redacted]\""), "{shown}");
}

/// What a server says that does not start.
fn refused(place: &Place) -> String {
    let line = ["serve", "--bind", "127.0.0.1:0", "--workspace", "books", "--config", "server.toml"];
    let (code, _, said) = place.run(&line, &[]);
    assert_eq!(code, 71, "{said}");
    said
}

#[test]
fn a_server_that_can_not_read_its_secrets_says_why_and_ends() {
    let Some(bao) = Bao::start() else { return };
    let other = place(&bao, "s.canary-token");
    let said = refused(&other);
    assert!(said.contains("refuses who we say we are: ") && !said.contains("canary"), "{said}");
    let nothing = place(&bao, &bao.token("1h"));
    let said = refused(&nothing);
    assert!(said.contains("there is no vault:secret/sheets#keys") && said.contains("bao kv put"), "{said}");
    bao.put("no keys");
    let said = refused(&nothing);
    assert!(said.contains("the file of keys is damaged"), "{said}");
    let no_file = place(&bao, "");
    let said = refused(&no_file);
    assert!(said.contains("what --vault-token-file names can't be used: it is empty"), "{said}");
    // Nobody is there: it is tried for a while, and not for ever.
    configure(&no_file, &format!("http://127.0.0.1:{}", free_port()), "vault_token_file = \"vault-token\"");
    no_file.write("vault-token", "s.token");
    let begun = std::time::Instant::now();
    let said = refused(&no_file);
    assert!(said.contains("asking Vault again") && said.contains("can't be asked"), "{said}");
    assert!(begun.elapsed() < Duration::from_secs(40), "it took {:?}", begun.elapsed());
}

#[test]
fn a_private_authority_is_trusted_where_it_is_named() {
    let Some(bao) = Bao::over_tls() else { return };
    let place = Place::new();
    place.write("vault-token", "s.canary-token");
    let addr = format!("https://127.0.0.1:{}", bao.port());
    configure(&place, &addr, &format!("vault_token_file = \"vault-token\"\nvault_ca = \"{}\"", bao.ca()));
    let said = refused(&place);
    assert!(said.contains("refuses who we say we are"), "{said}");
    configure(&place, &addr, "vault_token_file = \"vault-token\"");
    let said = refused(&place).to_lowercase();
    assert!(said.contains("certificate") && !said.contains("canary"), "{said}");
}

#[test]
fn options_that_make_no_sense_and_secrets_in_variables_are_refused() {
    let place = Place::new();
    let check = |arguments: &[&str], variables: &[(&str, &str)], expected: &[&str]| {
        let line = [&["config", "check", "--workspace", "books"], arguments].concat();
        let (code, _, said) = place.run(&line, variables);
        assert_eq!(code, if expected.is_empty() { 0 } else { 64 }, "{arguments:?}: {said}");
        assert!(!said.contains("canary"), "{said}");
        for expected in expected {
            assert!(said.contains(expected), "{said}");
        }
    };
    let (keys, addr) =
        ("--keys-file=vault:secret/sheets#keys", "--vault-addr=https://vault.example.org:8200");
    check(&[keys, addr, "--vault-token-file=token"], &[], &[]);
    check(&[keys, addr, "--vault-auth=kubernetes", "--vault-role=sheets"], &[], &[]);
    check(&[keys], &[], &["flag --keys-file: it is in Vault: name that by --vault-addr"]);
    check(&["--keys-file=vault:secret"], &[], &["flag --keys-file: invalid value", "vault:MOUNT/PATH#FIELD"]);
    check(&[keys, addr], &[], &["--vault-auth: this way to log in needs --vault-token-file"]);
    check(
        &[keys, addr, "--vault-auth=approle", "--vault-role-id-file=id"],
        &[],
        &["flag --vault-auth: this way to log in needs --vault-secret-id-file"],
    );
    check(&[addr, "--vault-token-file=x"], &[], &["flag --vault-addr: nothing is read from there"]);
    check(
        &["--vault-token-file=x"],
        &[],
        &["flag --vault-token-file: it means nothing without --vault-addr"],
    );
    check(
        &[keys, "--vault-addr=http://vault.example.org"],
        &[],
        &["flag --vault-addr: invalid value", "https://"],
    );
    check(
        &["--otlp-endpoint=http://127.0.0.1:4317"],
        &[("OTEL_EXPORTER_OTLP_HEADERS", "authorization=canary")],
        &["OTEL_EXPORTER_OTLP_HEADERS: secrets are not taken from the environment"],
    );
    for name in ["API_KEY", "API_KEYS", "ADMIN_TOKEN", "VAULT_TOKEN", "PUSH_PASSWORD", "CLIENT_SECRET"] {
        let variable = format!("SPREADSHEET_MCP_{name}");
        let told = format!("variable {variable}: secrets are not taken from the environment");
        check(&[], &[(&variable, "canary")], &[&told, "--keys-file FILE"]);
    }
}
