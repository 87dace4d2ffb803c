//! Who is let in, and whom the store trusts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use components::{Postgres, PostgresOptions};
use forks::{Store, StoreError};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::database::{migrate, open, open_with, options};

/// An authority, as PEM, and what it signs.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut parameters = CertificateParams::new(Vec::<String>::new()).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

/// A server that speaks TLS under the name `localhost`, and wants the password `right`; the folder has its authority's
/// certificate, and that of another one.
fn server() -> &'static (Postgres, tempfile::TempDir, String) {
    static SERVER: OnceLock<(Postgres, tempfile::TempDir, String)> = OnceLock::new();
    SERVER.get_or_init(|| {
        let authority_of_server = authority();
        let key = KeyPair::generate().unwrap();
        let named = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let certificate = named.signed_by(&key, &authority_of_server).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("own.pem"), authority_of_server.pem()).unwrap();
        std::fs::write(folder.path().join("other.pem"), authority().pem()).unwrap();
        let access = "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n";
        let postgres = Postgres::start(&PostgresOptions {
            tls: Some((certificate.pem(), key.serialize_pem())),
            access: Some(access.to_owned()),
            ..PostgresOptions::default()
        })
        .unwrap();
        let database = postgres.new_database();
        postgres.execute(&database, "CREATE ROLE sheets LOGIN PASSWORD 'right'");
        postgres.execute(&database, &format!("GRANT CREATE ON DATABASE {database} TO sheets"));
        let url = postgres.url(&database).replace("postgres@127.0.0.1", "sheets@HOST");
        (postgres, folder, url)
    })
}

fn with_password(password: &'static str) -> forks::PostgresOptions {
    forks::PostgresOptions { password: Box::new(move || Ok(Some(password.to_owned()))), ..options() }
}

/// What the store says of a server that is found under that name, trusted as the parameters say.
fn check(host: &str, parameters: &str, password: &'static str) -> Result<(), StoreError> {
    let (_, folder, url) = server();
    let folder = folder.path().display().to_string();
    let url = format!("{}?{}", url.replace("HOST", host), parameters.replace("DIR", &folder));
    match open_with(&url, with_password(password)).check() {
        // It let us in: there are no tables, which is another matter.
        Err(StoreError::NotMigrated { .. }) => Ok(()),
        other => other,
    }
}

#[test]
fn the_certificate_is_looked_at_as_the_url_says() {
    for (host, parameters) in [
        ("localhost", "sslmode=verify-full&sslrootcert=DIR/own.pem"),
        ("127.0.0.1", "sslmode=verify-ca&sslrootcert=DIR/own.pem"),
        ("127.0.0.1", "sslmode=require&sslrootcert=DIR/own.pem"),
        ("127.0.0.1", "sslmode=require"),
        ("127.0.0.1", "sslmode=prefer"),
        ("127.0.0.1", ""),
        ("127.0.0.1", "sslmode=require&channel_binding=require"),
    ] {
        check(host, parameters, "right").unwrap_or_else(|error| panic!("{host} {parameters}: {error}"));
    }
    for (host, parameters) in [
        ("127.0.0.1", "sslmode=verify-full&sslrootcert=DIR/own.pem"),
        ("localhost", "sslmode=verify-full&sslrootcert=DIR/other.pem"),
        ("localhost", "sslmode=verify-ca&sslrootcert=DIR/other.pem"),
        ("localhost", "sslmode=require&sslrootcert=DIR/other.pem"),
    ] {
        let error = check(host, parameters, "right").expect_err(parameters);
        assert!(matches!(error, StoreError::Refused { .. }), "{host} {parameters}: {error}");
        assert!(error.to_string().contains("certificate"), "{error}");
    }
    let plain = check("127.0.0.1", "sslmode=disable", "right").unwrap_err().to_string();
    assert!(plain.contains("no encryption"), "{plain}");
}

#[test]
fn what_an_authority_is_must_be_there() {
    let (_, folder, url) = server();
    let missing = folder.path().join("nothing.pem");
    let url =
        format!("{}?sslmode=verify-full&sslrootcert={}", url.replace("HOST", "localhost"), missing.display());
    let refused = forks::PostgresStore::new(&url.parse().unwrap(), options(), crate::database::runtime());
    let said = refused.err().expect("refused").to_string();
    assert!(said.contains("nothing.pem"), "{said}");
}

#[test]
fn a_wrong_password_is_said_without_it() {
    let said = check("127.0.0.1", "sslmode=require", "wrong-canary").unwrap_err();
    assert!(matches!(said, StoreError::Refused { .. }), "{said}");
    let said = said.to_string();
    assert!(said.contains("password authentication failed for user \"sheets\" (28P01)"), "{said}");
    assert!(said.contains("check the user, its password"), "{said}");
    assert!(!said.contains("canary"), "{said}");
    let (_, _, url) = server();
    let without = open(&url.replace("HOST", "127.0.0.1")).check().unwrap_err().to_string();
    assert!(without.contains("asks for a password, and none is given"), "{without}");
}

#[test]
fn a_password_that_changes_is_read_for_the_next_connection() {
    let is_right = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&is_right);
    let password = move || {
        let password = if asked.load(Ordering::SeqCst) { "right" } else { "wrong" };
        Ok(Some(password.to_owned()))
    };
    let (_, _, url) = server();
    let options = forks::PostgresOptions { password: Box::new(password), ..options() };
    let store = open_with(&url.replace("HOST", "127.0.0.1"), options);
    assert!(matches!(store.check(), Err(StoreError::Refused { .. })));
    is_right.store(true, Ordering::SeqCst);
    assert!(matches!(store.check(), Err(StoreError::NotMigrated { .. })));
}

#[test]
fn a_database_that_is_not_there_is_said() {
    let postgres = Postgres::shared();
    let error = migrate(&postgres.url("nowhere")).unwrap_err();
    assert!(matches!(error, StoreError::Refused { .. }), "{error}");
    assert!(error.to_string().contains("database \"nowhere\" does not exist"), "{error}");
}
