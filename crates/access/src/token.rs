//! Tokens of an identity provider: JSON Web Tokens (RFC 7519) as OAuth 2.1 access tokens (RFC 9068), checked against the keys
//! that the provider publishes (RFC 7517).

use std::fmt;

use chrono::{DateTime, Utc};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::claims::Claims;
use crate::signatures::{self, ALGORITHMS};
use crate::{Denied, PathScope, Principal, PrincipalId, Role, Source};

/// Clocks may differ by so many seconds.
const LEEWAY_SECONDS: f64 = 60.0;
/// Bytes of a token at most.
const MAX_BYTES: usize = 16 << 10;
/// Keys of a provider at most.
const MAX_KEYS: usize = 200;

/// What a token has to be, and what it is read for.
#[derive(Debug, Clone)]
pub struct Verifier {
    /// The provider, as its tokens name it (`iss`).
    pub issuer: String,
    /// This server, as tokens for it name it (`aud`); one of them is enough.
    pub audiences: Vec<String>,
    /// Scopes that every token needs.
    pub required_scopes: Vec<String>,
    /// The claim that names roles: a text, or a list of them. `.` leads into objects, as in `realm_access.roles`.
    pub role_claim: String,
    /// The role of who has none of ours.
    pub default_role: Option<Role>,
    /// The claim that names the tenant, if any.
    pub tenant_claim: Option<String>,
    /// The claim that lists folders and files of the workspace, if any.
    pub paths_claim: Option<String>,
}

/// What is wrong with a token. A closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "`Display` says it of each")]
pub enum TokenProblem {
    Malformed,
    Algorithm,
    UnknownKey,
    UnusableKey,
    Signature,
    Issuer,
    Audience,
    Expired,
    NotYetValid,
    Claims,
}

impl TokenProblem {
    /// One word, for metrics and the audit trail.
    pub const fn as_str(self) -> &'static str {
        match self {
            TokenProblem::Malformed => "token_malformed",
            TokenProblem::Algorithm => "token_algorithm",
            TokenProblem::UnknownKey => "token_unknown_key",
            TokenProblem::UnusableKey => "token_unusable_key",
            TokenProblem::Signature => "token_signature",
            TokenProblem::Issuer => "token_issuer",
            TokenProblem::Audience => "token_audience",
            TokenProblem::Expired => "token_expired",
            TokenProblem::NotYetValid => "token_not_yet_valid",
            TokenProblem::Claims => "token_claims",
        }
    }
}

impl fmt::Display for TokenProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TokenProblem::Malformed => "it is no signed JSON Web Token",
            TokenProblem::Algorithm => "it is not signed with a public key's algorithm",
            TokenProblem::UnknownKey => "its provider publishes no key of that name",
            TokenProblem::UnusableKey => "its provider's key is not for this signature",
            TokenProblem::Signature => "its signature is wrong",
            TokenProblem::Issuer => "another provider made it",
            TokenProblem::Audience => "it is for another server",
            TokenProblem::Expired => "it has expired",
            TokenProblem::NotYetValid => "it is not valid yet",
            TokenProblem::Claims => {
                "it lacks a claim or has one of the wrong kind: exp, iss, aud, sub, or the configured ones of tenant and paths"
            }
        })
    }
}

/// What became of looking at a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The bearer.
    Known(Box<Principal>),
    /// The provider's keys have no such one: they may be old.
    KeyNotFound,
}

/// The keys that a provider publishes.
#[derive(Debug, Clone, Default)]
pub struct PublicKeys(Vec<Jwk>);

/// Bytes that are no set of keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is no JSON Web Key Set (RFC 7517 §5)")]
pub struct NoKeySet;

impl PublicKeys {
    /// Reads a JSON Web Key Set. Keys of kinds that are not known here are left out, as RFC 7517 §5 asks for.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(bytes: &[u8]) -> Result<PublicKeys, NoKeySet> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        let set: Set = serde_json::from_slice(bytes).map_err(|_| NoKeySet)?;
        let known = set.keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        let public = known.filter(|key| !matches!(key.algorithm, AlgorithmParameters::OctetKey(_)));
        Ok(PublicKeys(public.take(MAX_KEYS).collect()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn find(&self, kid: Option<&str>) -> Option<&Jwk> {
        match kid {
            Some(kid) => self.0.iter().find(|key| key.common.key_id.as_deref() == Some(kid)),
            // Without a name there has to be one key only.
            None => self.0.first().filter(|_| self.0.len() == 1),
        }
    }
}

impl Verifier {
    /// Who presents a token.
    ///
    /// # Errors
    /// When it is not a token that the provider made for this server, its time has passed or not come, or it gives no role.
    pub fn verify(&self, token: &str, keys: &PublicKeys, now: DateTime<Utc>) -> Result<Outcome, Denied> {
        if token.len() > MAX_BYTES {
            return Err(invalid(TokenProblem::Malformed));
        }
        let header = decode_header(token).map_err(|_| invalid(unreadable_header(token)))?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(invalid(TokenProblem::Algorithm));
        }
        let Some(key) = keys.find(header.kid.as_deref()) else { return Ok(Outcome::KeyNotFound) };
        if !is_for(key, header.alg) {
            return Err(invalid(TokenProblem::UnusableKey));
        }
        let key = DecodingKey::from_jwk(key).map_err(|_| invalid(TokenProblem::UnusableKey))?;
        signatures::install();
        let mut signed = Validation::new(header.alg);
        // What is said is looked at below, so that a refusal can name who was refused, and the time is handed in.
        signed.required_spec_claims.clear();
        signed.validate_exp = false;
        signed.validate_nbf = false;
        signed.validate_aud = false;
        let claims = decode::<Map<String, Value>>(token, &key, &signed).map_err(|error| refusal(&error))?;
        let claims = Claims(claims.claims);
        self.check_parties(&claims)?;
        let id = claims.text("sub").ok_or_else(|| invalid(TokenProblem::Claims))?;
        let id = PrincipalId::of_subject(id, &self.issuer);
        check_time(&claims, now).map_err(|problem| Denied::InvalidToken { problem, id: Some(id.clone()) })?;
        self.principal(id, &claims).map(|principal| Outcome::Known(Box::new(principal)))
    }

    /// Who made it, and for whom (RFC 9068 §4).
    fn check_parties(&self, claims: &Claims) -> Result<(), Denied> {
        if claims.text("iss") != Some(&self.issuer) {
            return Err(invalid(TokenProblem::Issuer));
        }
        let for_whom = claims.list("aud").unwrap_or_default();
        match for_whom.iter().any(|audience| self.audiences.iter().any(|own| own == audience)) {
            true => Ok(()),
            false => Err(invalid(TokenProblem::Audience)),
        }
    }

    fn principal(&self, id: PrincipalId, claims: &Claims) -> Result<Principal, Denied> {
        let scopes = [claims.words("scope"), claims.words("scp")].concat();
        let missing = self.required_scopes.iter().find(|required| !scopes.contains(&required.as_str()));
        if let Some(missing) = missing {
            return Err(Denied::InsufficientScope { scope: missing.clone(), id });
        }
        let claims_problem =
            |id: &PrincipalId| Denied::InvalidToken { problem: TokenProblem::Claims, id: Some(id.clone()) };
        let tenant = match &self.tenant_claim {
            None => None,
            // Whose forks they are must not be left open.
            Some(claim) => Some(claims.name(claim).ok_or_else(|| claims_problem(&id))?),
        };
        let scope = match &self.paths_claim {
            None => PathScope::everything(),
            // Nor what they see.
            Some(claim) => {
                let paths = claims.list(claim).and_then(|paths| PathScope::new(paths).ok());
                paths.ok_or_else(|| claims_problem(&id))?
            }
        };
        match self.role(claims, &scopes) {
            Some(role) => Ok(Principal { id, tenant, role, scope, source: Source::Token }),
            None => Err(Denied::InsufficientScope { scope: scope_of(Role::Viewer).to_owned(), id }),
        }
    }

    /// What they may do: as their role says, as far as their client was allowed to do it for them.
    fn role(&self, claims: &Claims, scopes: &[&str]) -> Option<Role> {
        let own =
            claims.words(&self.role_claim).into_iter().filter_map(|role| role.parse::<Role>().ok()).max();
        let allowed = Role::ALL.into_iter().rev().find(|role| scopes.contains(&scope_of(*role)));
        match (own, allowed) {
            (Some(own), Some(allowed)) => Some(own.min(allowed)),
            (own, allowed) => own.or(allowed).or(self.default_role),
        }
    }
}

/// The OAuth scope that lets its bearer act in a role.
pub const fn scope_of(role: Role) -> &'static str {
    match role {
        Role::Viewer => "spreadsheet:read",
        Role::Analyst => "spreadsheet:analyze",
        Role::Editor => "spreadsheet:edit",
        Role::Admin => "spreadsheet:admin",
    }
}

fn invalid(problem: TokenProblem) -> Denied {
    Denied::InvalidToken { problem, id: None }
}

/// Why a header was not read: there are algorithms that nobody should take.
fn unreadable_header(token: &str) -> TokenProblem {
    match token.split('.').count() {
        3 => TokenProblem::Algorithm,
        _ => TokenProblem::Malformed,
    }
}

/// Whether a key is for signatures of an algorithm (RFC 7517 §4.2 and §4.4, RFC 7518 §3.4).
fn is_for(key: &Jwk, algorithm: Algorithm) -> bool {
    let is_for_signatures = matches!(key.common.public_key_use, None | Some(PublicKeyUse::Signature));
    let named = key.common.key_algorithm.map(|named| named.to_string());
    let is_named = named.is_none_or(|named| named == format!("{algorithm:?}"));
    let is_of_kind = match (&key.algorithm, algorithm) {
        (AlgorithmParameters::EllipticCurve(curve), Algorithm::ES256) => curve.curve == EllipticCurve::P256,
        (AlgorithmParameters::EllipticCurve(curve), Algorithm::ES384) => curve.curve == EllipticCurve::P384,
        (AlgorithmParameters::OctetKeyPair(curve), Algorithm::EdDSA) => curve.curve == EllipticCurve::Ed25519,
        (AlgorithmParameters::RSA(_), Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA) => false,
        (AlgorithmParameters::RSA(_), _) => true,
        _ => false,
    };
    is_for_signatures && is_named && is_of_kind
}

fn check_time(claims: &Claims, now: DateTime<Utc>) -> Result<(), TokenProblem> {
    let moment = |claim| claims.moment(claim).map_err(|()| TokenProblem::Claims);
    let now = now.timestamp() as f64;
    match (moment("exp")?, moment("nbf")?) {
        (None, _) => Err(TokenProblem::Claims),
        (Some(expires), _) if expires + LEEWAY_SECONDS <= now => Err(TokenProblem::Expired),
        (_, Some(from)) if from - LEEWAY_SECONDS > now => Err(TokenProblem::NotYetValid),
        _ => Ok(()),
    }
}

fn refusal(error: &jsonwebtoken::errors::Error) -> Denied {
    use jsonwebtoken::errors::ErrorKind;
    invalid(match error.kind() {
        ErrorKind::InvalidSignature => TokenProblem::Signature,
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidKeyFormat => TokenProblem::UnusableKey,
        _ => TokenProblem::Malformed,
    })
}

#[cfg(test)]
mod tests;
