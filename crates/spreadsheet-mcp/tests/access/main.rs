//! Who may call a server, driven as its callers do: over HTTP, with keys that the program makes.

#[path = "../configuration/program.rs"]
#[allow(dead_code, reason = "each test needs some of it")]
mod program;

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use program::{Place, Server};
use serde_json::{Value, json};

/// A caller of a server.
struct Caller<'a> {
    address: &'a str,
    key: String,
}

/// What a request was answered: the status, the headers as they came, and the body.
struct Reply {
    status: u16,
    head: String,
    body: Value,
}

/// What a page says that had its own name lead to this machine (DNS rebinding), what who is here says, and what is said with
/// `--allowed-hosts`.
#[test]
fn whom_it_lets_in_without_a_key_it_lets_in_by_its_own_names_only() {
    let place = Place::new();
    place.write("server.toml", "[listening]\ninsecure = true\n");
    let status = |server: &Server, host: &str, target: &str| {
        let port = server.address.rsplit(':').next().expect("a port").to_owned();
        let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}"#;
        let head = format!(
            "POST {target} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nAccept: application/json, \
             text/event-stream\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            host.replace("PORT", &port),
            body.len()
        );
        let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).expect("it listens");
        stream.write_all(head.as_bytes()).expect("sent");
        let mut answer = String::new();
        let _reset = stream.read_to_string(&mut answer);
        answer.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok()).expect("a status")
    };
    let server = place.serve_at("0.0.0.0:0", &[]);
    for host in ["localhost:PORT", "127.0.0.1:PORT", "localhost", "[::1]:PORT"] {
        assert_eq!(status(&server, host, "/mcp"), 200, "{host}");
    }
    for host in ["evil.example", "evil.example:PORT", "localhost.evil.example:PORT"] {
        assert_eq!(status(&server, host, "/mcp"), 403, "{host}");
        assert_eq!(status(&server, host, "/files/a.xlsx"), 403, "{host}");
    }
    let said = server.announced.join("\n");
    assert!(said.contains("--allowed-hosts"), "{said}");
    drop(server);
    let server = place.serve_at("0.0.0.0:0", &[("SPREADSHEET_MCP_ALLOWED_HOSTS", "sheets.example")]);
    assert_eq!(status(&server, "sheets.example:PORT", "/mcp"), 200);
    assert_eq!(status(&server, "evil.example", "/mcp"), 403);
}

impl Caller<'_> {
    fn send(&self, method: &str, params: &Value) -> Reply {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let key = match self.key.as_str() {
            "" => String::new(),
            key => format!("Authorization: Bearer {key}\r\n"),
        };
        let head = format!(
            "POST /mcp HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nAccept: application/json, \
             text/event-stream\r\nMCP-Protocol-Version: 2025-11-25\r\nConnection: close\r\n{key}Content-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        stream.write_all(head.as_bytes()).expect("sent");
        let _refused = stream.write_all(body.as_bytes());
        let mut answer = String::new();
        let _reset = stream.read_to_string(&mut answer);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Reply { status, head: head.to_lowercase(), body: serde_json::from_str(body).unwrap_or_default() }
    }

    /// What a tool answers, or the code of its error.
    fn call(&self, tool: &str, arguments: Value) -> Result<Value, String> {
        let reply = self.send("tools/call", &json!({ "name": tool, "arguments": arguments }));
        let code = |error: &Value| error["code"].as_str().map(str::to_owned);
        let body = &reply.body;
        let failed = code(&body["error"]["data"]["error"])
            .or_else(|| code(&body["error"]))
            .or_else(|| code(&body["result"]["structuredContent"]["error"]));
        match failed {
            Some(code) => Err(code),
            None => Ok(body["result"]["structuredContent"].clone()),
        }
    }

    fn tools(&self) -> Vec<String> {
        let reply = self.send("tools/list", &json!({}));
        let tools = reply.body["result"]["tools"].as_array().cloned().unwrap_or_default();
        tools.iter().filter_map(|tool| tool["name"].as_str().map(str::to_owned)).collect()
    }
}

fn caller<'a>(server: &'a Server, key: &str) -> Caller<'a> {
    Caller { address: &server.address, key: key.to_owned() }
}

/// A place with two folders of workbooks, and a configuration that names a file of keys and an audit trail.
fn place() -> Place {
    let place = Place::new();
    for folder in ["finance", "sales"] {
        std::fs::create_dir(place.path("books").join(folder)).expect("a folder");
        place.write(&format!("books/{folder}/plan.csv"), "month,amount\njan,1\nfeb,2\n");
    }
    place.write(
        "server.toml",
        "[access]\nkeys_file = \"keys.toml\"\naudit_dir = \"audit\"\n[flags]\nallow_overwrite = \"true\"\n",
    );
    place
}

/// Makes a key, as an operator does.
fn create(place: &Place, arguments: &[&str]) -> String {
    let line =
        [&["keys", "create"], arguments, &["--config", "server.toml", "--workspace", "books"]].concat();
    let (code, key, said) = place.run(&line, &[]);
    assert_eq!(code, 0, "{said}");
    key.trim().to_owned()
}

fn records(place: &Place, arguments: &[&str]) -> Vec<Value> {
    let line = [&["audit", "list", "--format", "json", "--config", "server.toml"], arguments].concat();
    let (code, text, said) = place.run(&[line.as_slice(), &["--workspace", "books"]].concat(), &[]);
    assert_eq!(code, 0, "{said}");
    let told: Value = serde_json::from_str(&text).expect("json");
    told["records"].as_array().expect("records").clone()
}

#[test]
fn a_server_without_keys_is_closed_and_says_what_to_do() {
    let place = place();
    let server = place.serve(&[]);
    server.said_until("keys create");
    let reply = caller(&server, "").send("tools/list", &json!({}));
    assert_eq!(reply.status, 401);
    assert!(reply.head.contains("www-authenticate: bearer"), "{}", reply.head);
    assert_eq!(reply.body["error"]["code"], "unauthorized");
    assert!(reply.body["error"]["hint"].as_str().expect("a hint").contains("keys create"), "{}", reply.body);
    // The key that it asks for opens it, without a restart.
    let key = create(&place, &["ops", "--role", "admin"]);
    assert!(caller(&server, &key).tools().len() > 20);
    let reply = caller(&server, "").send("tools/list", &json!({}));
    assert_eq!((reply.status, reply.body["error"]["hint"].to_string().contains("keys.toml")), (401, false));
    let shown = place.run(&["keys", "list", "--config", "server.toml", "--workspace", "books"], &[]).1;
    assert!(shown.contains("ops") && shown.contains("admin") && !shown.contains(&key[10..]), "{shown}");
}

#[test]
fn health_is_told_to_anybody() {
    let place = place();
    let server = place.serve(&[]);
    let ask = |probe: &str| {
        let line = ["healthcheck", probe, "--bind", server.address.as_str()];
        place.run(&line, &[])
    };
    for probe in ["live", "ready", "startup"] {
        let (code, said, _) = ask(probe);
        assert_eq!((code, said.contains("status")), (0, true), "{probe}: {said}");
    }
    // The state directory can't be written any more.
    let state = place.path("state");
    std::fs::remove_dir_all(&state).expect("it goes");
    std::fs::write(&state, "").expect("a file in its place");
    std::thread::sleep(Duration::from_millis(1_100));
    let (code, _, said) = ask("ready");
    assert_eq!(code, 1);
    assert!(said.contains("answers 503") && said.contains("state: not writable"), "{said}");
    assert_eq!(ask("live").0, 0);
    let address = server.address.clone();
    drop(server);
    let (code, _, said) = place.run(&["healthcheck", "--bind", &address], &[]);
    assert!(code == 1 && said.contains("does not answer"), "{said}");
}

#[test]
fn nobody_takes_more_than_their_share() {
    let place = place();
    let server = place.serve(&[("SPREADSHEET_MCP_MAX_CALLS_PER_MINUTE", "5")]);
    let (greedy, modest) =
        (create(&place, &["greedy", "--role", "viewer"]), create(&place, &["modest", "--role", "viewer"]));
    let (greedy, modest) = (caller(&server, &greedy), caller(&server, &modest));
    let answers: Vec<_> = (0..8).map(|_| greedy.call("list_workbooks", json!({}))).collect();
    assert!(answers[..5].iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(answers[7], Err("rate_limited".to_owned()));
    assert!(modest.call("list_workbooks", json!({})).is_ok());
}

#[test]
fn roles_bound_what_callers_may_do_and_the_trail_tells() {
    let place = place();
    let server = place.serve(&[]);
    let viewer = create(&place, &["reader", "--role", "viewer"]);
    let editor = create(&place, &["writer", "--role", "editor"]);
    let (viewer, editor) = (caller(&server, &viewer), caller(&server, &editor));
    assert!(!viewer.tools().contains(&"edit_cells".to_owned()));
    assert!(editor.tools().contains(&"save_fork".to_owned()));
    assert!(viewer.call("describe_workbook", json!({ "workbook": "finance/plan.csv" })).is_ok());
    let refused = viewer.call("create_fork", json!({ "workbook": "finance/plan.csv" }));
    assert_eq!(refused, Err("forbidden".to_owned()));
    let fork = editor.call("create_fork", json!({ "workbook": "finance/plan.csv" })).expect("a fork")["fork"]
        .clone();
    let ops = json!([{ "op": "set", "range": "A1", "values": [["a secret of the cell"]] }]);
    let edit = json!({ "workbook": fork, "ops": ops });
    assert_eq!(viewer.call("edit_cells", edit.clone()), Err("forbidden".to_owned()));
    editor.call("edit_cells", edit).expect("an edit");
    caller(&server, "smcp_reader_wrong").send("tools/list", &json!({}));
    let denied = records(&place, &["--denied"]);
    let told: Vec<[&str; 4]> = denied
        .iter()
        .map(|record| {
            ["principal", "role", "action", "code"].map(|field| record[field].as_str().unwrap_or(""))
        })
        .collect();
    assert_eq!(
        told,
        [
            ["unknown", "none", "connect", "unknown_key"],
            ["reader", "viewer", "edit_cells", "forbidden"],
            ["reader", "viewer", "create_fork", "forbidden"],
        ]
    );
    let about = records(&place, &["--about", fork.as_str().expect("an id")]);
    let actions: Vec<&str> = about.iter().filter_map(|record| record["action"].as_str()).collect();
    assert_eq!(actions, ["edit_cells", "edit_cells"]);
    let everything = json!(records(&place, &[])).to_string();
    assert!(!everything.contains("a secret"), "{everything}");
    let verified = place.run(&["audit", "verify", "--config", "server.toml", "--workspace", "books"], &[]);
    assert!(verified.0 == 0 && verified.1.contains("records: 6"), "{verified:?}");
    drop(server);
    let segment = place.path("audit/000000000001.jsonl");
    let text = std::fs::read_to_string(&segment).expect("a trail");
    std::fs::write(&segment, text.replacen("reader", "writer", 1)).expect("changed");
    let verified = place.run(&["audit", "verify", "--config", "server.toml", "--workspace", "books"], &[]);
    assert!(verified.0 == 1 && verified.2.contains("is not what was written"), "{verified:?}");
}

#[test]
fn the_trail_names_keys_that_are_taken_no_more() {
    let place = place();
    let server = place.serve(&[]);
    let gone = create(&place, &["gone", "--role", "viewer"]);
    let short = create(&place, &["short", "--role", "viewer", "--expires", "1ms"]);
    place.run(&["keys", "revoke", "gone", "--config", "server.toml", "--workspace", "books"], &[]);
    std::thread::sleep(Duration::from_millis(20));
    for (key, said) in [(&gone, "the api key was revoked"), (&short, "the api key expired at ")] {
        let reply = caller(&server, key).send("tools/list", &json!({}));
        let told = reply.body["error"]["message"].as_str().expect("a message").to_lowercase();
        assert!(reply.status == 401 && told.starts_with(said), "{told}");
    }
    // Whoever has the name alone is nobody.
    for key in ["smcp_gone_wrong", "smcp_none_wrong"] {
        let reply = caller(&server, key).send("tools/list", &json!({}));
        assert_eq!(reply.body["error"]["message"], "the API key is not valid");
    }
    let told: Vec<[String; 2]> = records(&place, &["--denied"])
        .iter()
        .map(|record| ["principal", "code"].map(|field| record[field].as_str().unwrap_or("").to_owned()))
        .collect();
    let expected = [
        ["unknown", "unknown_key"],
        ["unknown", "unknown_key"],
        ["short", "expired_key"],
        ["gone", "revoked_key"],
    ];
    assert_eq!(told, expected.map(|fields| fields.map(str::to_owned)));
}

#[test]
fn tenants_do_not_meet() {
    let place = place();
    let server = place.serve(&[]);
    let of = |name: &str, tenant: &str, path: &str| {
        create(&place, &[name, "--role", "editor", "--tenant", tenant, "--path", path])
    };
    let (ada, eve) = (of("ada", "acme", "finance"), of("eve", "evil", "sales"));
    let bob = of("bob", "acme", "finance");
    let (ada, bob, eve) = (caller(&server, &ada), caller(&server, &bob), caller(&server, &eve));
    let made = ada.call("create_fork", json!({ "workbook": "finance/plan.csv" })).expect("a fork");
    let fork = made["fork"].clone();
    ada.call("checkpoint", json!({ "fork": fork, "action": "create", "name": "start" }))
        .expect("a checkpoint");
    let key = "4f7c6a52-once";
    let ops = json!([{ "op": "set", "range": "B2", "values": [[7]] }]);
    let edit = json!({ "workbook": fork, "ops": ops, "idempotency_key": key });
    ada.call("edit_cells", edit.clone()).expect("an edit");
    let picture = ada.send(
        "tools/call",
        &json!({
            "name": "screenshot_sheet", "arguments": { "workbook": fork, "renderer": "native" }
        }),
    );
    let link = picture.body["result"]["content"].as_array().expect("content").iter();
    let uri = link.filter_map(|item| item["uri"].as_str()).next().expect("a picture").to_owned();
    // Their tenant's others work on it, too.
    assert_eq!(bob.call("list_forks", json!({})).expect("a list")["forks"].as_array().map(Vec::len), Some(1));
    assert!(bob.call("read_range", json!({ "workbook": fork, "ranges": ["A1:B3"] })).is_ok());
    // Nobody else, whatever they ask.
    assert_eq!(eve.call("list_forks", json!({})).expect("a list")["forks"], json!([]));
    let listed = eve.call("list_workbooks", json!({})).expect("a list").to_string();
    assert!(listed.contains("sales/plan.csv") && !listed.contains("finance"), "{listed}");
    let state = format!("{}@start", fork.as_str().expect("an id"));
    let asks = [
        ("read_range", json!({ "workbook": fork, "ranges": ["A1"] })),
        ("read_range", json!({ "workbook": state, "ranges": ["A1"] })),
        ("edit_cells", edit),
        ("recalculate", json!({ "workbook": fork })),
        ("checkpoint", json!({ "fork": fork, "action": "list" })),
        ("checkpoint", json!({ "fork": fork, "action": "undo" })),
        ("save_fork", json!({ "fork": fork, "path": "sales/stolen.xlsx" })),
        ("diff", json!({ "workbook": fork, "against": "sales/plan.csv" })),
        ("discard_fork", json!({ "fork": fork })),
        ("create_fork", json!({ "workbook": fork })),
    ];
    let nowhere = "fork-0000000000000000";
    for (tool, arguments) in asks {
        let theirs =
            eve.send("tools/call", &json!({ "name": tool, "arguments": arguments })).body.to_string();
        let id = fork.as_str().expect("an id");
        let none: Value = serde_json::from_str(&arguments.to_string().replace(id, nowhere)).expect("json");
        let none = eve.send("tools/call", &json!({ "name": tool, "arguments": none })).body.to_string();
        assert!(theirs.contains("fork_not_found") || theirs.contains("not_found"), "{tool}: {theirs}");
        assert_eq!(theirs.replace(id, nowhere), none, "{tool}");
    }
    let pictures = |caller: &Caller<'_>| {
        caller.send("resources/read", &json!({ "uri": uri })).body["result"].is_object()
    };
    assert!(pictures(&ada) && !pictures(&eve));
    for path in ["finance/plan.csv", "finance/none.csv"] {
        assert_eq!(
            eve.call("describe_workbook", json!({ "workbook": path })),
            Err("workbook_not_found".to_owned())
        );
    }
    let own =
        eve.call("create_fork", json!({ "workbook": "sales/plan.csv" })).expect("a fork")["fork"].clone();
    let saved = eve.call("save_fork", json!({ "fork": own, "path": "finance/planted.xlsx" }));
    assert_eq!(saved, Err("outside_workspace".to_owned()));
    assert!(!place.path("books/finance/planted.xlsx").exists());
    assert!(ada.call("read_range", json!({ "workbook": fork, "ranges": ["B2"] })).is_ok());
}

#[test]
fn rotation_under_load_drops_no_request() {
    let place = place();
    let server = place.serve(&[]);
    let key = std::sync::Mutex::new(create(&place, &["busy", "--role", "viewer"]));
    let address = server.address.as_str();
    let (done, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    let refused = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let mut refused = 0;
                    while !done.load(Ordering::Relaxed) {
                        let key = key.lock().expect("a key").clone();
                        match (Caller { address, key }).call("list_workbooks", json!({})) {
                            Ok(_) => answered.fetch_add(1, Ordering::Relaxed),
                            Err(_) => {
                                refused += 1;
                                0
                            }
                        };
                    }
                    refused
                })
            })
            .collect();
        let end = Instant::now() + Duration::from_secs(3);
        while Instant::now() < end {
            let line = [
                "keys",
                "rotate",
                "busy",
                "--grace",
                "1h",
                "--config",
                "server.toml",
                "--workspace",
                "books",
            ];
            let (code, fresh, said) = place.run(&line, &[]);
            assert_eq!(code, 0, "{said}");
            // Clients learn of it later than the server.
            std::thread::sleep(Duration::from_millis(100));
            *key.lock().expect("a key") = fresh.trim().to_owned();
        }
        done.store(true, Ordering::Relaxed);
        callers.into_iter().map(|caller| caller.join().expect("a caller")).sum::<u64>()
    });
    let answered = answered.into_inner();
    assert!(refused == 0 && answered > 100, "{refused} refused, {answered} answered");
    let last = key.into_inner().expect("a key");
    place.run(&["keys", "revoke", "busy", "--config", "server.toml", "--workspace", "books"], &[]);
    assert_eq!(caller(&server, &last).send("tools/list", &json!({})).status, 401);
}

/// The status of a request without credentials, by a URL that somebody was given.
fn by_url(server: &Server, told: &Value, body: &str) -> u16 {
    let (method, url) = (told["method"].as_str().expect("a method"), told["url"].as_str().expect("a URL"));
    let target = url.split_once(&server.address).expect("of this server").1;
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        server.address,
        body.len()
    );
    let mut stream = TcpStream::connect(&server.address).expect("it listens");
    stream.write_all(head.as_bytes()).expect("sent");
    let mut answer = String::new();
    let _reset = stream.read_to_string(&mut answer);
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
}

#[test]
fn signed_urls_permit_what_the_key_does_that_asked_for_them() {
    let place = place();
    let keys = ["gone", "lowered", "moved", "stays"].map(|name| {
        let key = create(&place, &[name, "--role", "editor", "--path", "finance"]);
        (name, key)
    });
    let server = place.serve(&[]);
    let urls = keys.map(|(name, key)| {
        let caller = caller(&server, &key);
        let download = caller.call("transfer_url", json!({ "workbook": "finance/plan.csv" })).expect("a URL");
        let path = format!("finance/{name}.csv");
        let upload = caller.call("transfer_url", json!({ "workbook": path, "upload": true })).expect("a URL");
        (download, upload)
    });
    let body = "month,amount\nmar,3\n";
    let statuses = || {
        urls.each_ref()
            .map(|(download, upload)| (by_url(&server, download, ""), by_url(&server, upload, body)))
    };
    for (download, _) in &urls {
        assert_eq!(by_url(&server, download, ""), 200);
        assert_eq!(by_url(&server, download, ""), 200, "it may be used again");
    }
    let (code, _, said) =
        place.run(&["keys", "revoke", "gone", "--config", "server.toml", "--workspace", "books"], &[]);
    assert_eq!(code, 0, "{said}");
    let file = std::fs::read_to_string(place.path("keys.toml")).expect("keys");
    let change = |text: &str, name: &str, from: &str, to: &str| {
        let (before, after) = text.split_once(&format!("id = \"{name}\"")).expect("a key");
        format!("{before}id = \"{name}\"{}", after.replacen(from, to, 1))
    };
    let file = change(&file, "lowered", "editor", "viewer");
    let file = change(&file, "moved", "finance", "sales");
    place.write("keys.toml", &file);
    assert_eq!(statuses(), [(403, 403), (200, 403), (404, 404), (200, 201)]);
    // A key that is not in the file any more.
    place.write("keys.toml", &file.replace("id = \"stays\"", "id = \"other\""));
    assert_eq!(statuses()[3], (403, 403));
}
