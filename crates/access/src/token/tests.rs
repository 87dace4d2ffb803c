use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};
use chrono::TimeDelta;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;

use super::*;

/// The key of RFC 8037, appendix A, in PKCS #8; `keys` is its public half as a provider would publish it.
const PRIVATE: &str = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
const PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn keys() -> PublicKeys {
    let set = json!({ "keys": [
        { "kty": "OKP", "crv": "Ed25519", "kid": "one", "alg": "EdDSA", "use": "sig", "x": PUBLIC },
        { "kty": "OKP", "crv": "Ed25519", "kid": "sealed", "use": "enc", "x": PUBLIC },
        { "kty": "oct", "kid": "shared", "k": "c2VjcmV0" },
        { "kty": "AKP", "kid": "of tomorrow", "pub": "AAAA" },
    ] });
    PublicKeys::parse(set.to_string().as_bytes()).expect("a set of keys")
}

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::hours(1_000)
}

fn verifier() -> Verifier {
    Verifier {
        issuer: "https://id.example.org/realms/a".to_owned(),
        audiences: vec!["https://sheets.example.org/mcp".to_owned(), "spreadsheet-mcp".to_owned()],
        required_scopes: vec!["spreadsheets".to_owned()],
        role_claim: "realm_access.roles".to_owned(),
        default_role: None,
        tenant_claim: Some("org".to_owned()),
        paths_claim: None,
    }
}

fn claims() -> Value {
    json!({
        "iss": "https://id.example.org/realms/a", "aud": ["spreadsheet-mcp"], "sub": "ada", "org": "acme",
        "exp": now().timestamp() + 300, "scope": "openid spreadsheets",
        "realm_access": { "roles": ["offline_access", "viewer", "analyst"] }
    })
}

fn sign(claims: &Value, header: Header, key: &EncodingKey) -> String {
    signatures::install();
    encode(&header, claims, key).expect("a token")
}

fn signed(claims: &Value, kid: &str) -> String {
    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = Some(kid.to_owned());
    let private = BASE64.decode(PRIVATE).expect("base64");
    sign(claims, header, &EncodingKey::from_ed_der(&private))
}

fn known(verifier: &Verifier, claims: &Value) -> Principal {
    match verifier.verify(&signed(claims, "one"), &keys(), now()) {
        Ok(Outcome::Known(found)) => *found,
        other => panic!("it is not known: {other:?}"),
    }
}

#[track_caller]
fn refused(change: impl FnOnce(&mut Value), expected: TokenProblem) {
    let mut claims = claims();
    change(&mut claims);
    let denied = verifier().verify(&signed(&claims, "one"), &keys(), now()).expect_err("it is refused");
    assert!(matches!(denied, Denied::InvalidToken { problem, .. } if problem == expected), "{denied:?}");
}

#[test]
fn a_token_tells_its_bearer() {
    let found = known(&verifier(), &claims());
    assert_eq!((found.role, found.owner().as_str()), (Role::Analyst, "tenant:acme"));
    assert_eq!(found.id.as_str(), "ada@id.example.org:realms:a");
    let unknown = verifier().verify(&signed(&claims(), "two"), &keys(), now());
    assert_eq!(unknown, Ok(Outcome::KeyNotFound));
    let without_tenant = Verifier { tenant_claim: None, ..verifier() };
    assert_eq!(known(&without_tenant, &claims()).owner(), "token:ada@id.example.org:realms:a");
    let mut long = claims();
    long["sub"] = json!("a b".repeat(90));
    let named = known(&verifier(), &long).id.to_string();
    assert!(named.starts_with("sha256-") && named.ends_with("@id.example.org:realms:a"), "{named}");
}

#[test]
fn what_is_not_for_us_is_refused() {
    refused(|claims| claims["iss"] = json!("https://evil.example.org"), TokenProblem::Issuer);
    refused(|claims| claims["iss"] = json!("https://id.example.org/realms/a/"), TokenProblem::Issuer);
    refused(|claims| claims["iss"] = json!(["https://id.example.org/realms/a"]), TokenProblem::Issuer);
    refused(|claims| claims["aud"] = json!("mail"), TokenProblem::Audience);
    refused(|claims| drop(claims.as_object_mut().and_then(|all| all.remove("aud"))), TokenProblem::Audience);
    refused(|claims| claims["exp"] = json!(now().timestamp() - 61), TokenProblem::Expired);
    refused(|claims| claims["nbf"] = json!(now().timestamp() + 90), TokenProblem::NotYetValid);
    // A time that is no number does not count as left out.
    refused(|claims| claims["nbf"] = json!("9999999999"), TokenProblem::Claims);
    refused(|claims| claims["exp"] = json!("9999999999"), TokenProblem::Claims);
    refused(|claims| drop(claims.as_object_mut().and_then(|all| all.remove("exp"))), TokenProblem::Claims);
    refused(|claims| claims["org"] = json!("two words"), TokenProblem::Claims);
    refused(|claims| claims["sub"] = json!(""), TokenProblem::Claims);
}

#[test]
fn roles_come_from_claims_and_scopes_bound_them() {
    let role = |roles: Value, scope: &str| {
        let mut claims = claims();
        claims["realm_access"] = json!({ "roles": roles });
        claims["scope"] = json!(format!("spreadsheets {scope}"));
        match verifier().verify(&signed(&claims, "one"), &keys(), now()) {
            Ok(Outcome::Known(found)) => Ok(found.role),
            Err(Denied::InsufficientScope { scope, .. }) => Err(scope),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(role(json!(["editor"]), ""), Ok(Role::Editor));
    assert_eq!(role(json!([]), "spreadsheet:edit spreadsheet:read"), Ok(Role::Editor));
    assert_eq!(role(json!(["admin"]), "spreadsheet:read"), Ok(Role::Viewer));
    assert_eq!(role(json!(["viewer"]), "spreadsheet:admin"), Ok(Role::Viewer));
    assert_eq!(role(json!(["king"]), "openid"), Err("spreadsheet:read".to_owned()));
    let mut claims = claims();
    claims["scope"] = json!("openid");
    let denied = verifier().verify(&signed(&claims, "one"), &keys(), now()).expect_err("it lacks a scope");
    assert_eq!(denied.principal().map(PrincipalId::as_str), Some("ada@id.example.org:realms:a"));
    assert_eq!(denied.reason(), "insufficient_scope");
}

#[test]
fn paths_come_from_a_claim_that_has_to_be_there() {
    let verifier = Verifier { paths_claim: Some("folders".to_owned()), ..verifier() };
    let mut claims = claims();
    for wrong in [json!(null), json!(["../other"]), json!([7])] {
        claims["folders"] = wrong;
        let denied = verifier.verify(&signed(&claims, "one"), &keys(), now());
        assert!(matches!(denied, Err(Denied::InvalidToken { problem: TokenProblem::Claims, .. })));
    }
    claims["folders"] = json!(["finance"]);
    let scope = known(&verifier, &claims).scope;
    assert!(scope.contains("finance/a.xlsx") && !scope.contains("sales/a.xlsx"));
}

#[test]
fn tokens_without_a_sound_signature_are_refused() {
    let problem = |token: &str| match verifier().verify(token, &keys(), now()) {
        Err(Denied::InvalidToken { problem, .. }) => problem,
        other => panic!("{other:?}"),
    };
    let token = signed(&claims(), "one");
    let (head, signature) = token.rsplit_once('.').expect("three parts");
    let forged = format!("{head}.{}", signature.chars().rev().collect::<String>());
    assert!(matches!(problem(&forged), TokenProblem::Signature | TokenProblem::Malformed));
    // Signed with the public key as a shared secret.
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("one".to_owned());
    let shared = sign(&claims(), header, &EncodingKey::from_secret(PUBLIC.as_bytes()));
    assert_eq!(problem(&shared), TokenProblem::Algorithm);
    // Not signed at all.
    let none = format!("eyJhbGciOiJub25lIn0.{}.", head.split('.').nth(1).expect("claims"));
    assert_eq!(problem(&none), TokenProblem::Algorithm);
    assert_eq!(problem(&signed(&claims(), "sealed")), TokenProblem::UnusableKey);
    assert_eq!(problem("garbage"), TokenProblem::Malformed);
    assert_eq!(problem(&"x.".repeat(20_000)), TokenProblem::Malformed);
    // Shared secrets are no keys of a provider.
    assert_eq!(verifier().verify(&signed(&claims(), "shared"), &keys(), now()), Ok(Outcome::KeyNotFound));
    assert_eq!(keys().len(), 2);
    assert!(PublicKeys::parse(b"{}").is_err());
}

#[test]
fn the_examples_of_the_standard_verify() {
    // RFC 7515, appendix A.3 (ES256): a token for nobody, whose signature is right.
    const CLAIMS: &str =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let curve = json!({ "keys": [{
        "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
    }] });
    let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    let keys = PublicKeys::parse(curve.to_string().as_bytes()).expect("a set of keys");
    let joe = Verifier { issuer: "joe".to_owned(), ..verifier() };
    let problem = |header: &str, signature: &str| match joe.verify(
        &format!("{header}.{CLAIMS}.{signature}"),
        &keys,
        now(),
    ) {
        Err(Denied::InvalidToken { problem, .. }) => problem,
        other => panic!("{other:?}"),
    };
    assert_eq!(problem("eyJhbGciOiJFUzI1NiJ9", signature), TokenProblem::Audience);
    assert_eq!(problem("eyJhbGciOiJFUzI1NiJ9", &signature.replace("DtEh", "DtEi")), TokenProblem::Signature);
    // A key of one kind is for no algorithm of another.
    assert_eq!(problem("eyJhbGciOiJSUzI1NiJ9", signature), TokenProblem::UnusableKey);
    assert_eq!(problem("eyJhbGciOiJFUzM4NCJ9", signature), TokenProblem::UnusableKey);
}
