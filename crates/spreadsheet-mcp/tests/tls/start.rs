//! What is wrong is told before a port opens, and what is open to see when it starts.

use std::os::unix::fs::PermissionsExt as _;
use std::time::SystemTime;

use crate::{authority::DAY, place::Secure, program::Place};

#[test]
fn wrong_files_are_told_with_where_they_are_named() {
    let secure = Secure::new("");
    let Secure { place, authority, identity } = &secure;
    let now = SystemTime::now();
    let past = authority.issue_from(now - 2 * DAY, DAY);
    let future = authority.issue_from(now + DAY, DAY);
    let encrypted = identity.key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    for (name, text) in [
        ("right.crt", identity.cert.as_str()),
        ("right.key", &identity.key),
        ("past.crt", &past.cert),
        ("past.key", &past.key),
        ("future.crt", &future.cert),
        ("future.key", &future.key),
        ("encrypted.key", &encrypted),
        ("damaged.crt", &identity.cert.replace("MII", "!!!")),
        ("none.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        ("empty", ""),
    ] {
        place.write(name, text);
    }
    let check = |cert, key, authorities: Option<&str>, problems: &[&str]| {
        let mut arguments = vec!["serve", "--workspace", "books", "--tls-cert", cert, "--tls-key", key];
        arguments.extend(authorities.iter().flat_map(|file| ["--tls-client-ca", file]));
        for command in [&["serve"][..], &["config", "check"]] {
            let arguments = [command, &arguments[1..]].concat();
            let (code, _, stderr) = place.run(&arguments, &[]);
            assert_eq!(code, 64, "{stderr}");
            let told: Vec<&str> = stderr.lines().skip(1).map(str::trim).collect();
            assert_eq!(told.len(), problems.len(), "{stderr}");
            for problem in problems {
                assert!(told.iter().any(|told| told.contains(problem)), "{problem}: {stderr}");
            }
            let secret = identity.key.lines().nth(1).expect("a line");
            assert!(!stderr.contains(secret), "{stderr}");
        }
    };
    let missing = "flag --tls-cert: nowhere.crt can't be read: No such file";
    check("nowhere.crt", "nowhere.key", None, &[missing, "flag --tls-key: nowhere.key can't be read"]);
    check(
        "right.crt",
        "past.key",
        None,
        &["the key in past.key is not that of the first certificate in right.crt"],
    );
    check("past.crt", "past.key", None, &["flag --tls-cert: the certificate in past.crt expired at 20"]);
    check("future.crt", "future.key", None, &["is not valid before 20"]);
    check(
        "right.crt",
        "encrypted.key",
        None,
        &["flag --tls-key: the key in encrypted.key is encrypted: decrypt it"],
    );
    check("damaged.crt", "right.key", None, &["damaged.crt is damaged"]);
    check("none.crt", "right.key", None, &["the first certificate in none.crt is damaged"]);
    check(
        "right.key",
        "right.crt",
        None,
        &["right.key holds no certificate", "right.crt holds no private key"],
    );
    check("right.crt", "right.key", Some("empty"), &["flag --tls-client-ca: empty holds no certificate"]);
    // All at once, with what is wrong elsewhere.
    let (code, _, stderr) = place.run(
        &[
            "serve",
            "--workspace",
            "nowhere",
            "--tls-cert",
            "past.crt",
            "--tls-key",
            "empty",
            "--max-cells",
            "0",
        ],
        &[],
    );
    assert!(code == 64 && stderr.lines().count() == 5, "{stderr}");
}

#[test]
fn one_does_not_go_without_the_other() {
    let place = Place::new();
    place.write("server.toml", "[workspace]\nworkspace = \"books\"\n[tls]\ntls_cert = \"x\"\n");
    let (code, _, stderr) = place.run(&["serve", "--config", "server.toml"], &[]);
    assert_eq!(code, 64);
    assert!(stderr.contains("file server.toml, line 4: there is a certificate without a key"), "{stderr}");
    let variable = [("SPREADSHEET_MCP_TLS_KEY", "x"), ("SPREADSHEET_MCP_TLS_METRICS", "mutual")];
    let (code, _, stderr) = place.run(&["serve", "--workspace", "books"], &variable);
    assert_eq!(code, 64);
    for problem in [
        "variable SPREADSHEET_MCP_TLS_KEY: there is a key without a certificate",
        "variable SPREADSHEET_MCP_TLS_METRICS: who signs the certificates of clients is not known",
    ] {
        assert!(stderr.contains(problem), "{stderr}");
    }
    let (code, _, stderr) = place.run(&["serve", "--tls-min-version", "1.1"], &[]);
    assert!(code == 64 && stderr.contains("[possible values: 1.2, 1.3]"), "{stderr}");
}

/// Who makes keys or asks for the health need not be able to read the server's key.
#[test]
fn other_commands_do_not_read_the_files() {
    let place = Place::new();
    let variables = [("SPREADSHEET_MCP_TLS_KEY", "nowhere.key"), ("SPREADSHEET_MCP_TLS_CERT", "nowhere.crt")];
    for arguments in [&["keys", "list", "--workspace", "books"][..], &["tools"]] {
        let (code, _, stderr) = place.run(arguments, &variables);
        assert_eq!(code, 0, "{stderr}");
    }
}

#[test]
fn plain_text_for_other_machines_is_announced() {
    let warning = "pass the network as plain text";
    let place = Place::new();
    place.write("server.toml", "[metrics]\nmetrics_bind = \"127.0.0.1:0\"\n");
    let plain = place.serve_at("0.0.0.0:0", &[]);
    let said = plain.said_until("serving metrics on").join("\n");
    assert!(said.contains(warning), "{said}");
    let local = place.serve(&[]).said_until("serving metrics on").join("\n");
    assert!(!local.contains(warning), "{local}");
    let secure = Secure::new("");
    let said = secure.place.serve_at("0.0.0.0:0", &[]).said_until("serving metrics on").join("\n");
    assert!(!said.contains(warning), "{said}");
}

#[test]
fn a_key_that_everybody_can_read_is_announced() {
    let secure = Secure::new("");
    let key = secure.place.path("secret/tls.key");
    let set = |mode| std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).expect("set");
    let warned = || {
        let server = secure.serve();
        server
            .announced
            .iter()
            .any(|line| line.contains("every user of this machine can read the private key"))
    };
    set(0o440);
    assert!(!warned(), "a secret of Kubernetes that its group reads");
    set(0o644);
    assert!(warned());
}

/// A certificate that an intermediate authority signed comes with that one's.
#[test]
fn the_chain_is_shown() {
    let secure = Secure::new("");
    let chain = format!("{}{}", secure.identity.cert, secure.authority.pem());
    secure.put("chain", &chain, &secure.identity.key);
    let server = secure.serve();
    let ran = std::process::Command::new("openssl")
        .args(["s_client", "-showcerts", "-connect", &server.address])
        .stdin(std::process::Stdio::null())
        .output()
        .expect("openssl");
    let said = String::from_utf8_lossy(&ran.stdout);
    assert_eq!(said.matches("BEGIN CERTIFICATE").count(), 2, "{said}");
}
