//! Wrong configurations: everything is told at once, with where it comes from, before a port opens.

use std::net::TcpListener;

use crate::program::Place;

#[test]
fn every_problem_is_told_at_once_and_no_port_is_opened() {
    let place = Place::new();
    place.write(
        "server.yaml",
        "limits:\n  max_cell: 5\n  max_items: many\nlimit: {}\nlistening:\n  transport: htp\n",
    );
    // Taken: a server that tried to bind it would say so, and end with another code.
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let bind = taken.local_addr().expect("an address").to_string();
    let arguments = [
        "serve",
        "--bogus",
        "1",
        "--max-cells",
        "0",
        "--workspace",
        "nowhere",
        "--bind",
        &bind,
        "--no-such-flag=2",
        "--config",
        "server.yaml",
    ];
    let environment = [
        ("SPREADSHEET_MCP_MAX_ITEM", "canary"),
        ("SPREADSHEET_MCP_TOOL_TIMEOUT_MS", "soon"),
        ("SPREADSHEET_MCP_SERVICE_HOST", "10.0.0.1"),
        ("SPREADSHEET_MCP_PORT_8079_TCP", "tcp://10.0.0.1:8079"),
    ];
    let (code, stdout, stderr) = place.run(&arguments, &environment);
    assert_eq!((code, stdout.as_str()), (64, ""), "{stderr}");
    let expected = [
        "command line: unexpected argument '--bogus' found",
        "command line: unexpected argument '--no-such-flag' found",
        "file server.yaml, line 2: there is no option limits.max_cell; did you mean limits.max_cells?",
        "file server.yaml, line 3: limits.max_items: expected a whole number, and not a text",
        "file server.yaml, line 4: there is no section limit; did you mean limits?",
        "file server.yaml, line 6: listening.transport: invalid value 'htp' [possible values: stdio, http]",
        "variable SPREADSHEET_MCP_MAX_ITEM: there is no such option; did you mean SPREADSHEET_MCP_MAX_ITEMS?",
        "variable SPREADSHEET_MCP_TOOL_TIMEOUT_MS: invalid value 'soon': invalid digit found in string",
        "flag --max-cells: 0 is too small; the least is 1",
        "flag --workspace: \"nowhere\" is not a folder that can be read",
    ];
    let told: Vec<&str> = stderr.lines().skip(1).map(str::trim).collect();
    assert_eq!(told.len(), expected.len(), "{stderr}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected), "{told:?} should start with {expected:?}");
    }
    assert!(!stderr.contains("canary"), "the value of an unknown variable may be a secret: {stderr}");
}

#[test]
fn check_says_whether_it_is_right() {
    let place = Place::new();
    place.write("right.json", r#"{"workspace": {"workspace": "books"}}"#);
    place.write("wrong.toml", "[workspace]\nworkspace = \"nowhere\"\n");
    place.write("server.ini", "");
    let check = |file| place.run(&["config", "check", "--config", file], &[]);
    assert_eq!(check("right.json"), (0, "ok\n".to_owned(), String::new()));
    for (file, problem) in [
        ("wrong.toml", "file wrong.toml, line 2: \"nowhere\" is not a folder"),
        ("server.ini", "file server.ini: its name must end with .toml, .yaml or .json"),
        ("missing.toml", "file missing.toml: it can't be read: No such file"),
    ] {
        let (code, stdout, stderr) = check(file);
        assert_eq!((code, stdout.as_str()), (64, ""), "{file}");
        assert!(stderr.contains(problem), "{stderr}");
    }
}

#[test]
fn files_of_secrets_have_to_be_there() {
    let place = Place::new();
    place.write("password", "hush\n");
    let database = ["--state-url", "postgres://sheets@db.example/sheets"];
    let check = |arguments: &[&str]| {
        place.run(&[&["config", "check", "--workspace", "books"], &database[..], arguments].concat(), &[])
    };
    assert_eq!(check(&["--state-password-file", "password"]).0, 0);
    for flag in ["--state-password-file", "--object-store-file"] {
        let (code, _, stderr) = check(&[flag, "/nope"]);
        assert_eq!(code, 64, "{flag}");
        assert!(stderr.contains(&format!("flag {flag}: can't be read: No such file")), "{stderr}");
    }
}

/// The example of several servers, but for the file of the password.
#[test]
fn the_example_of_replicas_is_right() {
    let place = Place::new();
    place.write("password", "hush\n");
    let page = include_str!("../../../../docs/replicas.md");
    let (_, rest) = page.split_once("```toml\n").expect("an example");
    let (example, _) = rest.split_once("```").expect("its end");
    assert!(example.contains("/run/secrets/db"), "{example}");
    place.write("server.toml", &example.replace("/run/secrets/db", "password"));
    let (code, _, stderr) = place.run(&["config", "check", "--config", "server.toml"], &[]);
    assert_eq!(code, 0, "{stderr}");
}

#[test]
fn help_shows_what_concerns_a_command() {
    let place = Place::new();
    let keys = ["--keys-file", "--state-dir", "--workspace"];
    let shown: [(&[&str], &[&str]); 3] = [
        (&["migrate"], &["--check", "--state-url", "--state-password-file", "--vault-addr"]),
        (&["keys", "create"], &[&["--role", "--expires"], &keys[..]].concat()),
        (&["keys", "revoke"], &keys),
    ];
    for (command, concerned) in shown {
        let (code, help, _) = place.run(&[command, &["--help"]].concat(), &[]);
        assert_eq!(code, 0);
        for flag in concerned {
            assert!(help.contains(flag), "{command:?} {flag}: {help}");
        }
        for flag in ["--oidc", "--screenshot", "--max-cells", "--backup"] {
            assert!(!help.contains(flag), "{command:?} {flag}: {help}");
        }
        assert!(help.contains("spreadsheet-mcp serve --help"), "{help}");
        assert!(help.lines().count() < 120, "{help}");
    }
    assert!(place.run(&["serve", "--help"], &[]).1.contains("--max-cells"));
    // What is not shown is taken.
    let line = ["keys", "list", "--workspace", "books", "--keys-file", "keys.toml", "--max-cells", "5"];
    assert_eq!(place.run(&line, &[]).0, 0);
}

#[test]
fn every_command_takes_the_file_and_refuses_a_wrong_one() {
    let place = Place::new();
    place.write("server.toml", "[tools]\ntools = [\"read_range\"]\n[listening]\nbind = \"127.0.0.1:1\"\n");
    let (code, stdout, _) = place.run(&["tools"], &[("SPREADSHEET_MCP_CONFIG", "server.toml")]);
    assert_eq!(code, 0);
    assert!(stdout.starts_with("read_range\n") && !stdout.contains("read_table\n"), "{stdout}");
    place.write("server.toml", "[listening]\nbind = \"here\"\n");
    let (code, _, stderr) = place.run(&["tools", "--config", "server.toml"], &[]);
    assert_eq!(code, 64);
    assert!(stderr.contains("file server.toml, line 2: listening.bind: invalid value 'here'"), "{stderr}");
}

/// A server starts all the same: what it cannot do is said before somebody needs it.
#[test]
fn a_scanner_that_is_not_there_is_warned_of() {
    let place = Place::new();
    let check = |command: &str| {
        let arguments = ["config", "check", "--workspace", "books", "--scan-command", command];
        place.run(&arguments, &[("PATH", "/usr/bin:/bin")])
    };
    for command in ["/nonexistent/scanner --quiet", "nonexistent-scanner"] {
        let (code, stdout, stderr) = check(command);
        assert_eq!((code, stdout.trim()), (0, "ok"), "{stderr}");
        let program = command.split(' ').next().expect("a word");
        assert!(
            stderr.contains(&format!("warning: scan_command: there is no program {program}")),
            "{stderr}"
        );
    }
    for command in ["/bin/true", "true"] {
        assert_eq!(check(command), (0, "ok\n".to_owned(), String::new()));
    }
}
