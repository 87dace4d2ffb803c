//! Tokens of an identity provider: JSON Web Tokens (RFC 7519) as OAuth 2.1 access tokens (RFC 9068), checked against the keys
//! that the provider publishes (RFC 7517).

use chrono::{DateTime, Utc};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Map, Value};

use crate::{Denied, PathScope, Principal, PrincipalId, Role, Source};

/// Algorithms with a public key. One with a shared secret would let whoever knows the public key make tokens.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];
/// Clocks may differ by so many seconds.
const LEEWAY_SECONDS: u64 = 60;
/// Bytes of a token at most.
const MAX_BYTES: usize = 16 << 10;

/// What a token has to be, and what it is read for.
#[derive(Debug, Clone)]
pub struct Verifier {
    /// The provider, as its tokens name it (`iss`).
    pub issuer: String,
    /// This server, as tokens for it name it (`aud`).
    pub audience: String,
    /// A scope that every token needs, if any.
    pub required_scope: Option<String>,
    /// The claim that names roles: a text, or a list of them. `.` leads into objects, as in `realm_access.roles`.
    pub role_claim: String,
    /// The role of who has none of ours.
    pub default_role: Option<Role>,
    /// The claim that names the tenant, if any.
    pub tenant_claim: Option<String>,
}

/// What a token says of the key that signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The bearer.
    Known(Box<Principal>),
    /// The provider's keys have no such one: they may be old.
    KeyNotFound,
}

impl Verifier {
    /// Who presents a token.
    ///
    /// # Errors
    /// When it is not a token that the provider made for this server, its time has passed or not come, or it gives no role.
    pub fn verify(&self, token: &str, keys: &JwkSet, now: DateTime<Utc>) -> Result<Outcome, Denied> {
        if token.len() > MAX_BYTES {
            return Err(Denied::Malformed);
        }
        let header = decode_header(token).map_err(|_| Denied::Malformed)?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(Denied::InvalidToken("it is not signed with a public key's algorithm"));
        }
        let key = match &header.kid {
            Some(kid) => keys.find(kid),
            // Without a name there has to be one key only.
            None => keys.keys.first().filter(|_| keys.keys.len() == 1),
        };
        let Some(key) = key else { return Ok(Outcome::KeyNotFound) };
        let key = DecodingKey::from_jwk(key)
            .map_err(|_| Denied::InvalidToken("its provider's key can't be used"))?;
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // The time is looked at below: it is handed in.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let claims =
            decode::<Map<String, Value>>(token, &key, &validation).map_err(|error| refusal(&error))?.claims;
        check_time(&claims, now)?;
        self.principal(&claims).map(|principal| Outcome::Known(Box::new(principal)))
    }

    fn principal(&self, claims: &Map<String, Value>) -> Result<Principal, Denied> {
        if let Some(required) = &self.required_scope
            && !texts(claims, "scope").iter().chain(&texts(claims, "scp")).any(|scope| scope == required)
        {
            return Err(Denied::InsufficientScope(required.clone()));
        }
        let id = name(claims.get("sub")).ok_or(Denied::InvalidToken("its subject can't be a name"))?;
        let tenant = match &self.tenant_claim {
            None => None,
            // Whose forks they are must not be left open.
            Some(claim) => Some(name(at(claims, claim)).ok_or(Denied::InvalidToken("it names no tenant"))?),
        };
        let roles = texts(claims, &self.role_claim);
        let highest = roles.iter().filter_map(|role| role.parse::<Role>().ok()).max();
        let role = highest.or(self.default_role).ok_or(Denied::InvalidToken("it names no role"))?;
        Ok(Principal { id, tenant, role, scope: PathScope::everything(), source: Source::Token })
    }
}

fn check_time(claims: &Map<String, Value>, now: DateTime<Utc>) -> Result<(), Denied> {
    let seconds = |claim: &str| claims.get(claim).and_then(Value::as_f64);
    let (now, leeway) = (now.timestamp() as f64, LEEWAY_SECONDS as f64);
    match (seconds("exp"), seconds("nbf")) {
        (Some(expires), _) if expires + leeway <= now => Err(Denied::InvalidToken("it has expired")),
        (_, Some(from)) if from - leeway > now => Err(Denied::InvalidToken("it is not valid yet")),
        (Some(_), _) => Ok(()),
        (None, _) => Err(Denied::InvalidToken("it never ends")),
    }
}

/// The texts of a claim: a list of them, or one with spaces between them.
fn texts(claims: &Map<String, Value>, path: &str) -> Vec<String> {
    match at(claims, path) {
        Some(Value::String(text)) => text.split(' ').map(str::to_owned).collect(),
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn at<'c>(claims: &'c Map<String, Value>, path: &str) -> Option<&'c Value> {
    // Some providers name claims by URLs, which have dots.
    if let Some(found) = claims.get(path) {
        return Some(found);
    }
    let (first, rest) = path.split_once('.')?;
    at(claims.get(first)?.as_object()?, rest)
}

fn name(claim: Option<&Value>) -> Option<PrincipalId> {
    claim?.as_str()?.parse().ok()
}

fn refusal(error: &jsonwebtoken::errors::Error) -> Denied {
    use jsonwebtoken::errors::ErrorKind;
    Denied::InvalidToken(match error.kind() {
        ErrorKind::InvalidSignature => "its signature is wrong",
        ErrorKind::InvalidIssuer => "another provider made it",
        ErrorKind::InvalidAudience => "it is for another server",
        ErrorKind::InvalidAlgorithm => "its algorithm is not that of the key",
        ErrorKind::MissingRequiredClaim(_) => "it lacks one of exp, iss, aud and sub",
        _ => "it can't be read",
    })
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};
    use chrono::TimeDelta;
    use jsonwebtoken::{EncodingKey, Header, encode};
    use serde_json::json;

    use super::*;

    /// The key of RFC 8037, appendix A, in PKCS #8; `keys` is its public half as a provider would publish it.
    const PRIVATE: &str = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";

    fn keys() -> JwkSet {
        serde_json::from_value(json!({ "keys": [{
            "kty": "OKP", "crv": "Ed25519", "kid": "one", "alg": "EdDSA", "use": "sig",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
        }] }))
        .expect("a set of keys")
    }

    fn now() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(1_000)
    }

    fn verifier() -> Verifier {
        Verifier {
            issuer: "https://id.example.org".to_owned(),
            audience: "spreadsheet-mcp".to_owned(),
            required_scope: Some("spreadsheets".to_owned()),
            role_claim: "realm_access.roles".to_owned(),
            default_role: None,
            tenant_claim: Some("org".to_owned()),
        }
    }

    fn claims() -> Value {
        json!({
            "iss": "https://id.example.org", "aud": ["spreadsheet-mcp"], "sub": "ada", "org": "acme",
            "exp": now().timestamp() + 300, "scope": "openid spreadsheets",
            "realm_access": { "roles": ["offline_access", "viewer", "analyst"] }
        })
    }

    fn signed(claims: &Value, kid: &str) -> String {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(kid.to_owned());
        let private = BASE64.decode(PRIVATE).expect("base64");
        encode(&header, claims, &EncodingKey::from_ed_der(&private)).expect("a token")
    }

    #[track_caller]
    fn refused(change: impl FnOnce(&mut Value), expected: &Denied) {
        let mut claims = claims();
        change(&mut claims);
        assert_eq!(verifier().verify(&signed(&claims, "one"), &keys(), now()).as_ref(), Err(expected));
    }

    #[test]
    fn a_token_tells_its_bearer() {
        let Ok(Outcome::Known(found)) = verifier().verify(&signed(&claims(), "one"), &keys(), now()) else {
            panic!("it is not known");
        };
        assert_eq!((found.role, found.owner().as_str()), (Role::Analyst, "tenant:acme"));
        let unknown = verifier().verify(&signed(&claims(), "two"), &keys(), now());
        assert_eq!(unknown, Ok(Outcome::KeyNotFound));
    }

    #[test]
    fn what_is_not_for_us_is_refused() {
        refused(
            |claims| claims["iss"] = json!("https://evil.example.org"),
            &Denied::InvalidToken("another provider made it"),
        );
        refused(|claims| claims["aud"] = json!("mail"), &Denied::InvalidToken("it is for another server"));
        refused(
            |claims| claims["exp"] = json!(now().timestamp() - 61),
            &Denied::InvalidToken("it has expired"),
        );
        refused(
            |claims| claims["nbf"] = json!(now().timestamp() + 90),
            &Denied::InvalidToken("it is not valid yet"),
        );
        refused(
            |claims| claims["scope"] = json!("openid"),
            &Denied::InsufficientScope("spreadsheets".to_owned()),
        );
        refused(|claims| claims["realm_access"] = json!({}), &Denied::InvalidToken("it names no role"));
        refused(|claims| claims["org"] = json!("two words"), &Denied::InvalidToken("it names no tenant"));
        refused(|claims| claims["sub"] = json!(""), &Denied::InvalidToken("its subject can't be a name"));
    }

    #[test]
    fn tokens_without_a_sound_signature_are_refused() {
        let token = signed(&claims(), "one");
        let (head, signature) = token.rsplit_once('.').expect("three parts");
        let forged = format!("{head}.{}", signature.chars().rev().collect::<String>());
        assert!(matches!(verifier().verify(&forged, &keys(), now()), Err(Denied::InvalidToken(_))));
        // Signed with the public key as a shared secret.
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some("one".to_owned());
        let shared = encode(
            &header,
            &claims(),
            &EncodingKey::from_secret(b"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"),
        );
        let refused = verifier().verify(&shared.expect("a token"), &keys(), now());
        assert_eq!(refused, Err(Denied::InvalidToken("it is not signed with a public key's algorithm")));
        // Not signed at all.
        let none = format!("eyJhbGciOiJub25lIn0.{}.", head.split('.').nth(1).expect("claims"));
        assert_eq!(verifier().verify(&none, &keys(), now()), Err(Denied::Malformed));
    }
}
