//! Who sees the page, and what browsers are told of it.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::json;

use crate::deployed::{Deployed, bearer, create_key, get, place_with};

const PAGE: &str = "/console/checklist";

#[test]
fn only_administrators_learn_that_no_checklist_is_shown() {
    let place = place_with("");
    let server = place.serve(&[]);
    let (status, _, page) = get(&server, PAGE, "");
    assert!(
        status == 403 && page.contains("keys create NAME --role admin"),
        "anybody of this machine: {page}"
    );
    let admin = create_key(&place, &["ops", "--role", "admin"]);
    let viewer = create_key(&place, &["reports", "--role", "viewer"]);
    for path in [PAGE, "/console/checklist.js"] {
        let (status, head, page) = get(&server, path, "");
        assert_eq!(status, 401, "{page}");
        assert!(head.contains("www-authenticate: bearer realm=\"spreadsheet-mcp\""), "{head}");
        let basic = "www-authenticate: basic realm=\"spreadsheet-mcp console\", charset=\"utf-8\"";
        assert!(head.contains(basic), "{head}");
        assert!(page.contains("<h1>Who are you?</h1>"), "{page}");
        assert_eq!(get(&server, path, &bearer("smcp_ops_wrong")).0, 401);
        let (status, head, page) = get(&server, path, &bearer(&viewer));
        assert!(status == 403 && !head.contains("www-authenticate"), "{head}");
        assert!(page.contains("yours is viewer"), "{page}");
    }
    let (status, head, page) = get(&server, PAGE, &bearer(&admin));
    assert_eq!(status, 404);
    assert!(head.contains("content-type: text/html; charset=utf-8"), "{head}");
    for option in ["--checklist-file", "SPREADSHEET_MCP_CHECKLIST_FILE", "checklist_file"] {
        assert!(page.contains(option), "{page}");
    }
    assert_eq!(get(&server, "/console", &bearer(&admin)).0, 404);
}

#[test]
fn a_server_that_lets_anybody_in_asks_for_a_key_here() {
    let place = place_with("[listening]\ninsecure = true\n");
    let server = place.serve(&[]);
    assert_eq!(get(&server, PAGE, "").0, 403);
    let admin = create_key(&place, &["ops", "--role", "admin"]);
    let (status, head, _) = get(&server, PAGE, "");
    assert!(status == 401 && head.contains("www-authenticate: basic"), "{status}: {head}");
    assert_eq!(get(&server, PAGE, &bearer(&admin)).0, 404);
}

#[test]
fn administrators_see_everything_and_browsers_may_do_nothing_else() {
    let deployed = Deployed::new();
    let (status, head, page) = deployed.page();
    assert_eq!(status, 200, "{page}");
    for header in [
        "content-type: text/html; charset=utf-8",
        "content-security-policy: default-src 'none'; style-src 'sha256-",
        "; script-src 'self'; connect-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'\r\n",
        "x-content-type-options: nosniff",
        "cache-control: no-store",
        "referrer-policy: no-referrer",
        "x-frame-options: deny",
        "cross-origin-resource-policy: same-origin",
    ] {
        assert!(head.contains(header), "{header} is not in {head}");
    }
    for shown in [
        "<title>DO NOT SHIP: Release of the library</title>",
        "What blocks",
        "Progress",
        "Waivers",
        "2 days left",
        "LIB-7",
        "README.md is there",
        "There is a licence",
        "The rollback was practised",
        "Security Team",
        "nobody has signed for owner",
        "checklist sign --checklist gate/release.yaml --ledger gate/ledger --keys gate/keys.toml --environment production",
    ] {
        assert!(page.contains(shown), "{shown} is not in {page}");
    }
    assert!(!page.contains(" style=") && !page.contains(" onclick"), "a policy would not let it: {page}");
    let (status, head, script) = get(&deployed.server, "/console/checklist.js", &bearer(&deployed.admin));
    assert!(status == 200 && head.contains("content-type: text/javascript"), "{head}");
    assert!(script.contains("crypto.subtle"), "{script}");

    // As browsers send a key, and as some clients do.
    let basic = BASE64.encode(format!("whoever:{}", deployed.admin));
    assert_eq!(get(&deployed.server, PAGE, &format!("Authorization: Basic {basic}\r\n")).0, 200);
    let wrong = BASE64.encode(format!("{}:", deployed.admin));
    assert_eq!(get(&deployed.server, PAGE, &format!("Authorization: Basic {wrong}\r\n")).0, 401);
    assert_eq!(get(&deployed.server, PAGE, &format!("X-Api-Key: {}\r\n", deployed.admin)).0, 200);
    // Elsewhere nobody is let in by a password.
    let (status, _, _) = components::http(
        "POST",
        &deployed.server.address,
        "/mcp",
        &format!("Authorization: Basic {basic}\r\n"),
        "{}",
    );
    assert_eq!(status, 401);
}

#[test]
fn a_name_that_is_not_this_servers_leads_nowhere() {
    let deployed = Deployed::new();
    for (method, path) in [("GET", ""), ("GET", ".js"), ("POST", "/to-sign"), ("POST", "/sign")] {
        let mut stream = TcpStream::connect(&deployed.server.address).expect("it listens");
        let key = bearer(&deployed.admin);
        let head =
            format!("{method} {PAGE}{path} HTTP/1.0\r\nHost: evil.example\r\n{key}Content-Length: 0\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.0 403") && answer.contains("--allowed-hosts"), "{path}: {answer}");
    }
}

#[test]
fn each_environment_has_its_last_run() {
    let deployed = Deployed::new();
    let (_, _, page) = deployed.page();
    assert!(!page.contains("<nav"), "there is one: {page}");
    deployed.run_for("the moon");
    let shown = |query: &str| {
        let path = format!("{PAGE}{query}");
        get(&deployed.server, &path, &bearer(&deployed.admin))
    };
    for (query, current, other) in
        [("", "the moon", "production"), ("?environment=production", "production", "the moon")]
    {
        let (status, _, page) = shown(query);
        assert_eq!(status, 200, "{page}");
        assert!(page.contains(&format!("aria-current=\"page\">{current}</a>")), "{page}");
        assert!(page.contains(&format!("\">{other}</a>")), "{page}");
        assert!(page.contains(&format!("data-environment=\"{current}\"")), "{page}");
        assert!(page.contains("href=\"?environment=the%20moon\""), "{page}");
    }
    assert_eq!(shown("?environment=mars").0, 404);
    // Who signs for one does not sign for the other, which was run later.
    let (status, told) = deployed
        .post("to-sign", &json!({ "person": "mary", "role": "security", "environment": "production" }));
    assert!(status == 200 && told["signed"]["subject"]["environment"] == "production", "{told}");
    let signed = serde_json::from_value(told["signed"].clone()).expect("what is to be signed");
    let (status, told) = deployed.post("sign", &json!(deployed.signed_by(signed, "mary")));
    assert_eq!(status, 200, "{told}");
    assert!(shown("?environment=production").2.contains("mary, <time"));
    assert!(!shown("").2.contains("mary, <time"));
}

#[test]
fn what_is_wrong_with_the_ledger_is_told() {
    let deployed = Deployed::new();
    let ledger = deployed.place.path("gate/ledger");
    let file = ledger.join("ledger.jsonl");
    let text = std::fs::read_to_string(&file).expect("the ledger");
    std::fs::write(&file, text.replace("LIB-7", "LIB-8")).expect("written");
    let (status, _, page) = deployed.page();
    assert!(status == 503 && page.contains("is not what was written"), "{status}: {page}");
    std::fs::remove_dir_all(&ledger).expect("removed");
    let (status, _, page) = deployed.page();
    assert!(status == 404 && page.contains("has no run"), "{status}: {page}");
    deployed.run();
    deployed.place.write("gate/release.yaml", "format: 2\n");
    let (status, _, page) = deployed.page();
    assert!(status == 503 && page.contains("gate/release.yaml is no checklist"), "{status}: {page}");
}
