//! Callers with tokens of an identity provider: a real one that runs, over HTTP and TLS, whose keys change and which goes away.

#[path = "../configuration/program.rs"]
#[allow(dead_code, reason = "each test needs some of it")]
mod program;
mod provider;

use std::time::Duration;

use components::{eventually, http};
use program::{Place, Server};
use provider::{AUDIENCE, Provider, now};
use serde_json::{Value, json};

/// What a request was answered: the status, the header `WWW-Authenticate`, and the body.
#[derive(Debug)]
struct Reply {
    status: u16,
    challenge: String,
    body: Value,
}

fn send(server: &Server, credentials: &str, method: &str, params: &Value) -> Reply {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let authorization = match credentials {
        "" => String::new(),
        credentials => format!("Authorization: Bearer {credentials}\r\n"),
    };
    let headers = format!(
        "{authorization}Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n\
         MCP-Protocol-Version: 2025-11-25\r\n"
    );
    let (status, head, body) = http("POST", &server.address, "/mcp", &headers, &body);
    let challenge = head.lines().find_map(|line| line.strip_prefix("www-authenticate: ")).unwrap_or_default();
    Reply { status, challenge: challenge.to_owned(), body: serde_json::from_str(&body).unwrap_or_default() }
}

fn call(server: &Server, credentials: &str, tool: &str, arguments: Value) -> Reply {
    send(server, credentials, "tools/call", &json!({ "name": tool, "arguments": arguments }))
}

fn status(server: &Server, credentials: &str) -> u16 {
    call(server, credentials, "list_workbooks", json!({})).status
}

/// A place whose configuration names a provider, and more of its section.
fn place(issuer: &str, more: &str) -> Place {
    let place = Place::new();
    place.write(
        "server.toml",
        &format!(
            "[access]\naudit_dir = \"audit\"\n[metrics]\nmetrics_bind = \"127.0.0.1:0\"\n[logging]\nlog = \"trace\"\n\
             [oidc]\noidc_issuer = \"{issuer}\"\noidc_audience = [\"{AUDIENCE}\"]\n{more}\n"
        ),
    );
    place
}

fn records(place: &Place, arguments: &[&str]) -> Vec<[String; 4]> {
    let line = ["audit", "list", "--format", "json", "--config", "server.toml", "--workspace", "books"];
    let (code, text, said) = place.run(&[line.as_slice(), arguments].concat(), &[]);
    assert_eq!(code, 0, "{said}");
    let told: Value = serde_json::from_str(&text).expect("json");
    let fields = |record: &Value| {
        ["principal", "role", "action", "code"]
            .map(|field| record[field].as_str().unwrap_or_default().to_owned())
    };
    told["records"].as_array().expect("records").iter().map(fields).collect()
}

/// The value of a metric with these labels.
fn metric(address: &str, name: &str) -> f64 {
    let (_, _, page) = http("GET", address, "/metrics", "", "");
    let line =
        page.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name}: {page}"));
    line.rsplit(' ').next().and_then(|value| value.parse().ok()).expect("a number")
}

#[test]
fn tokens_let_their_bearers_in_and_say_what_they_may() {
    let Some(provider) = Provider::start() else { return };
    let place = place(&provider.issuer(), "oidc_tenant_claim = \"org\"\noidc_paths_claim = \"folders\"");
    std::fs::create_dir(place.path("books/finance")).expect("a folder");
    place.write("books/finance/plan.csv", "month,amount\njan,1\n");
    let server = place.serve(&[]);
    let token = |subject: &str, role: &str, more: Value| {
        let mut claims = provider.claims(subject, &[role]);
        claims["org"] = json!("acme");
        claims["folders"] = json!(["finance"]);
        for (claim, value) in more.as_object().expect("claims") {
            claims[claim] = value.clone();
        }
        provider.sign(&json!({ "claims": claims }))
    };
    let editor = token("ada", "editor", json!({}));
    let listed = call(&server, &editor, "list_workbooks", json!({})).body.to_string();
    assert!(listed.contains("finance/plan.csv") && !listed.contains("sales.csv"), "{listed}");
    let made = call(&server, &editor, "create_fork", json!({ "workbook": "finance/plan.csv" }));
    let fork = made.body["result"]["structuredContent"]["fork"].clone();
    // A tenant's others work on it, and those of another do not see it.
    let ops = json!([{ "op": "set", "range": "A1", "values": [["x"]] }]);
    let edit = json!({ "workbook": fork, "ops": ops });
    let code = |reply: &Reply| reply.body.to_string();
    assert!(
        !code(&call(&server, &token("bob", "analyst", json!({})), "edit_cells", edit.clone()))
            .contains("error")
    );
    let other = token("eve", "admin", json!({ "org": "evil" }));
    assert!(code(&call(&server, &other, "edit_cells", edit.clone())).contains("not_found"));
    // Viewers read, and no more; nor does who gave a client the scope to read alone.
    for viewer in [
        token("vic", "viewer", json!({})),
        token("vic", "editor", json!({ "scope": "openid spreadsheet:read" })),
    ] {
        let refused = call(&server, &viewer, "edit_cells", edit.clone());
        assert!(code(&refused).contains("forbidden"), "{refused:?}");
        assert_eq!(status(&server, &viewer), 200);
    }
    let host = provider.issuer().replace("http://", "");
    let denied = records(&place, &["--denied"]);
    assert_eq!(denied[0], [&format!("vic@{host}"), "viewer", "edit_cells", "forbidden"].map(str::to_owned));
    // No role, no way in: 403 says what to ask for, and the trail who asked.
    let refused = send(&server, &token("nil", "king", json!({})), "tools/list", &json!({}));
    assert_eq!((refused.status, &refused.body["error"]["code"]), (403, &json!("forbidden")));
    assert!(refused.challenge.contains("error=\"insufficient_scope\""), "{}", refused.challenge);
    assert!(refused.challenge.contains("scope=\"spreadsheet:read\""), "{}", refused.challenge);
    assert_eq!(
        records(&place, &["--denied"])[0],
        [&format!("nil@{host}"), "none", "connect", "insufficient_scope"].map(str::to_owned)
    );
}

#[test]
fn a_client_finds_its_way_from_nothing_to_a_call() {
    let Some(provider) = Provider::start() else { return };
    let place = place(&provider.issuer(), "oidc_required_scopes = []");
    let server = place.serve(&[]);
    server.said_until("tokens of the identity provider are taken");
    let asked = send(&server, "", "tools/list", &json!({}));
    assert_eq!((asked.status, &asked.body["error"]["code"]), (401, &json!("unauthorized")));
    assert!(asked.body["error"]["hint"].as_str().expect("a hint").contains(&provider.issuer()));
    assert!(!asked.challenge.contains("error="), "{}", asked.challenge);
    let url = asked.challenge.split("resource_metadata=\"").nth(1).and_then(|rest| rest.split('"').next());
    let url = url.expect("where the metadata is");
    let address = &server.address;
    assert_eq!(url, format!("http://{address}/.well-known/oauth-protected-resource/mcp"));
    for path in ["/mcp", ""] {
        let path = format!("/.well-known/oauth-protected-resource{path}");
        let (status, head, body) = http("GET", address, &path, "", "");
        assert!(status == 200 && head.contains("application/json"), "{head}");
        let metadata: Value = serde_json::from_str(&body).expect("json");
        assert_eq!(metadata["resource"], format!("http://{address}/mcp"));
        assert_eq!(metadata["authorization_servers"], json!([provider.issuer()]));
        assert_eq!(metadata["bearer_methods_supported"], json!(["header"]));
        assert!(metadata["scopes_supported"].to_string().contains("spreadsheet:edit"));
    }
    assert_eq!(http("GET", address, "/.well-known/oauth-protected-resource/other", "", "").0, 404);
    // As the provider's own flow gives it.
    let token = provider.logged_in("ada", &["viewer"]);
    assert_eq!(status(&server, &token), 200);
    // Keys go on beside tokens.
    let line =
        ["keys", "create", "ci", "--role", "viewer", "--config", "server.toml", "--workspace", "books"];
    let (code, key, said) = place.run(&line, &[]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(status(&server, key.trim()), 200);
    let (_, _, health) = http("GET", address, "/health/ready", "", "");
    assert!(health.contains("\"identity_provider\":\"its keys are known\""), "{health}");
    // Not a part of it is logged, whatever is logged.
    server.hang_up();
    let lines = server.said_until("the configuration was read again");
    assert!(lines.iter().any(|line| line.contains("list_workbooks")), "{lines:?}");
    let said = [server.announced.as_slice(), &lines].concat().join("\n");
    for part in token.split('.').chain([key.trim()]) {
        assert!(!said.contains(part), "a secret is logged");
    }
}

#[test]
fn what_is_not_a_token_for_this_server_is_refused() {
    let Some(provider) = Provider::start() else { return };
    let place = place(&provider.issuer(), "");
    let server = place.serve(&[]);
    let lines = server.said_until("serving metrics on http://").join("\n");
    let metrics = lines.split("serving metrics on http://").nth(1).and_then(|rest| rest.split('/').next());
    let metrics = metrics.expect("an address").to_owned();
    let with = |claim: &str, value: Value| {
        let mut claims = provider.claims("ada", &["admin"]);
        claims[claim] = value;
        provider.sign(&json!({ "claims": claims }))
    };
    let signed = |header: Value, stranger: bool| {
        let claims = provider.claims("ada", &["admin"]);
        provider.sign(&json!({ "claims": claims, "header": header, "stranger": stranger }))
    };
    let good = provider.token("ada", &["admin"]);
    assert_eq!(status(&server, &good), 200);
    let (head, _) = good.rsplit_once('.').expect("parts");
    let wrong = [
        (with("aud", json!("mail")), "token_audience"),
        (with("iss", json!("https://evil.example.org")), "token_issuer"),
        (with("exp", json!(now() - 3_600)), "token_expired"),
        (with("nbf", json!(now() + 3_600)), "token_not_yet_valid"),
        (with("nbf", json!("tomorrow")), "token_claims"),
        (signed(json!({ "alg": "none" }), false), "token_algorithm"),
        (signed(json!({ "alg": "HS256" }), false), "token_algorithm"),
        (signed(json!({}), true), "token_signature"),
        (signed(json!({ "kid": "forged" }), true), "token_unknown_key"),
        (format!("{head}."), "token_signature"),
        ("garbage".to_owned(), "token_malformed"),
        ("a.b.c".to_owned(), "token_algorithm"),
    ];
    for (token, reason) in &wrong {
        let refused = send(&server, token, "tools/list", &json!({}));
        assert_eq!(
            (refused.status, &refused.body["error"]["code"]),
            (401, &json!("unauthorized")),
            "{reason}"
        );
        let challenge = &refused.challenge;
        assert!(
            challenge.starts_with("bearer ") && challenge.contains("error=\"invalid_token\""),
            "{challenge}"
        );
        assert!(challenge.contains("resource_metadata=\""), "{challenge}");
        assert_eq!(records(&place, &["--denied", "--limit", "1"])[0][3], *reason);
        let counted = format!("spreadsheet_mcp_auth_failures_total{{reason=\"{reason}\"}}");
        assert!(metric(&metrics, &counted) >= 1.0);
    }
    // Whoever forges names of keys does not make the server ask the provider.
    let before = provider.asked("/jwks");
    for index in 0..40 {
        assert_eq!(status(&server, &signed(json!({ "kid": format!("forged-{index}") }), true)), 401);
    }
    let asked = provider.asked("/jwks") - before;
    assert!(asked <= 3, "it was asked {asked} times");
    assert!(
        metric(&metrics, "spreadsheet_mcp_identity_provider_key_refreshes_total{outcome=\"limited\"}") > 30.0
    );
    assert_eq!(status(&server, &good), 200);
}

#[test]
fn a_new_key_is_taken_when_a_token_names_it() {
    let Some(provider) = Provider::start() else { return };
    let place = place(&provider.issuer(), "");
    let server = place.serve(&[]);
    let old = provider.token("ada", &["viewer"]);
    assert_eq!(status(&server, &old), 200);
    provider.rotate();
    let new = provider.token("ada", &["viewer"]);
    assert_eq!(status(&server, &old), 200, "keys are kept until they are asked for again");
    let begun = std::time::Instant::now();
    eventually("the new key is not taken", || (status(&server, &new) == 200).then_some(()));
    assert!(begun.elapsed() < Duration::from_secs(10), "it took {:?}", begun.elapsed());
    assert_eq!(status(&server, &old), 401);
}

#[test]
fn keys_outlive_their_provider_for_a_while() {
    let Some(provider) = Provider::start() else { return };
    let place = place(&provider.issuer(), "oidc_refresh_interval = 1\noidc_max_stale = 6");
    let server = place.serve(&[]);
    let (port, token) = (provider.port(), provider.token("ada", &["viewer"]));
    assert_eq!(status(&server, &token), 200);
    drop(provider);
    server.said_until("the keys before stay in force");
    assert_eq!(status(&server, &token), 200);
    let refused = eventually("it goes on without its provider", || {
        Some(call(&server, &token, "list_workbooks", json!({}))).filter(|reply| reply.status != 200)
    });
    assert_eq!(refused.status, 503);
    assert_eq!(refused.body["error"]["code"], "identity_provider_unavailable");
    assert!(refused.body["error"]["hint"].is_string());
    let (status_ready, _, health) = http("GET", &server.address, "/health/ready", "", "");
    assert!(status_ready == 200 && health.contains("tokens can't be checked"), "{health}");
    // It comes back, with other keys.
    let provider = Provider::at(port, false).expect("it starts again");
    let token = provider.token("ada", &["viewer"]);
    eventually("the provider is not asked again", || (status(&server, &token) == 200).then_some(()));
}

#[test]
fn a_server_starts_before_its_provider() {
    let Some(provider) = Provider::start() else { return };
    let port = provider.port();
    drop(provider);
    let place = place(&format!("http://127.0.0.1:{port}"), "oidc_refresh_interval = 1");
    let server = place.serve(&[]);
    assert_eq!(send(&server, "a.b.c", "tools/list", &json!({})).status, 503);
    assert_eq!(send(&server, "", "tools/list", &json!({})).status, 401);
    let provider = Provider::at(port, false).expect("it starts");
    let token = provider.token("ada", &["viewer"]);
    eventually("the provider is not asked again", || (status(&server, &token) == 200).then_some(()));
}

#[test]
fn a_private_authority_is_trusted_where_it_is_named() {
    let Some(provider) = Provider::over_tls() else { return };
    let issuer = provider.issuer();
    let ca = provider.ca().display().to_string();
    let named = place(&issuer, &format!("oidc_ca = \"{ca}\""));
    let server = named.serve(&[]);
    server.said_until("tokens of the identity provider are taken");
    assert_eq!(send(&server, "garbage", "tools/list", &json!({})).status, 401);
    // Without it the provider's certificate is nobody's.
    let unnamed = place(&issuer, "");
    let server = unnamed.serve(&[]);
    let said = server.said_until("can't be fetched").join("\n");
    assert!(said.to_lowercase().contains("certificate"), "{said}");
    assert_eq!(send(&server, "garbage", "tools/list", &json!({})).status, 503);
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let place = Place::new();
    let check = |arguments: &[&str], expected: &[&str]| {
        let line = [&["config", "check", "--workspace", "books"], arguments].concat();
        let (code, _, said) = place.run(&line, &[]);
        assert_eq!(code, if expected.is_empty() { 0 } else { 64 }, "{arguments:?}: {said}");
        for expected in expected {
            assert!(said.contains(expected), "{said}");
        }
    };
    let issuer = "--oidc-issuer=https://id.example.org";
    check(&[issuer, "--oidc-audience=sheets"], &[]);
    check(&[issuer, "--public-url=https://sheets.example.org"], &[]);
    check(&[issuer], &["flag --oidc-issuer: name what tokens for this server have as their audience"]);
    check(&["--oidc-issuer=http://id.example.org"], &["flag --oidc-issuer: invalid value", "https://"]);
    check(&["--oidc-audience=sheets"], &["flag --oidc-audience: it means nothing without --oidc-issuer"]);
    check(&[issuer, "--oidc-audience=sheets", "--insecure"], &["flag --insecure: leave it out"]);
    check(
        &[issuer, "--oidc-audience=sheets", "--bind=0.0.0.0:8079"],
        &["flag --oidc-issuer: name the URL by which clients reach this server, --public-url"],
    );
    check(
        &[issuer, "--oidc-audience=sheets", "--oidc-ca=nowhere.pem", "--oidc-default-role=king"],
        &["flag --oidc-default-role: invalid value 'king'"],
    );
    check(
        &[issuer, "--oidc-audience=sheets", "--oidc-ca=nowhere.pem"],
        &["flag --oidc-ca: \"nowhere.pem\" can't be read"],
    );
}
