//! Grants: what a signed URL carries, so that whoever has it may make one request in the name of who asked for it.
//!
//! `KEY.CLAIMS.MAC`, each in base64url: the number of a key, JSON, and HMAC-SHA256 (RFC 2104) over both. Keys follow each other by
//! time, so that every replica knows which one signs now; who verifies takes the one before and the one after as well.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use chrono::{DateTime, Utc};
use ring::hmac;
use serde::{Deserialize, Serialize};

use crate::{Denied, PathScope, Principal, PrincipalId, Role, Source};

/// How long a key signs, in seconds: a week.
const PERIOD: i64 = 7 * 86_400;
/// Bytes of a key.
pub const KEY_BYTES: usize = 32;

/// The number of a key: it signs within the week of that number since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyNumber(i64);

/// The key of a number. It is not printed.
pub struct GrantKey(hmac::Key);

/// What somebody may do who has no other credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// In whose name, with no more than the role that it takes.
    pub principal: Principal,
    /// The one request that it is for, as text.
    pub request: String,
    /// Whether it is for a file that is not there yet: it replaces none.
    pub is_for_new: bool,
    /// Until when.
    pub expires: DateTime<Utc>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    request: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_for_new: bool,
    expires: i64,
    id: String,
    source: Source,
    role: Role,
    scope: PathScope,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tenant: Option<PrincipalId>,
}

impl KeyNumber {
    /// The key that signs at a moment.
    pub fn at(now: DateTime<Utc>) -> KeyNumber {
        KeyNumber(now.timestamp().div_euclid(PERIOD))
    }

    /// The number itself.
    pub fn get(self) -> i64 {
        self.0
    }

    /// Whether what this key signed may be taken at a moment. Clocks of replicas differ, and grants outlive the end of a week.
    fn is_taken(self, now: DateTime<Utc>) -> bool {
        self.0.abs_diff(KeyNumber::at(now).0) <= 1
    }
}

impl GrantKey {
    /// A key of random bytes.
    pub fn new(secret: &[u8; KEY_BYTES]) -> GrantKey {
        GrantKey(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }
}

impl std::fmt::Debug for GrantKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GrantKey")
    }
}

impl Grant {
    /// The grant as text, for a URL.
    pub fn sign(&self, number: KeyNumber, key: &GrantKey) -> String {
        let principal = &self.principal;
        let claims = Claims {
            request: self.request.clone(),
            is_for_new: self.is_for_new,
            expires: self.expires.timestamp(),
            id: principal.id.to_string(),
            source: principal.source,
            role: principal.role,
            scope: principal.scope.clone(),
            tenant: principal.tenant.clone(),
        };
        let claims =
            serde_json::to_vec(&claims).expect("invariant: claims are texts and numbers, which JSON can say");
        let signed = format!("{}.{}", number.0, BASE64.encode(claims));
        let mac = hmac::sign(&key.0, signed.as_bytes());
        format!("{signed}.{}", BASE64.encode(mac))
    }

    /// The key that a grant says it was signed with.
    ///
    /// # Errors
    /// When it is none of those that are taken at this moment: its time has passed, or it is no grant.
    pub fn key_of(text: &str, now: DateTime<Utc>) -> Result<KeyNumber, Denied> {
        let number = text.split('.').next().and_then(|number| number.parse().ok()).map(KeyNumber);
        match number {
            Some(number) if number.is_taken(now) => Ok(number),
            Some(number) if number < KeyNumber::at(now) => Err(Denied::ExpiredUrl),
            _ => Err(Denied::InvalidUrl),
        }
    }

    /// Reads a grant that was signed with `key`, for a request that is made now.
    ///
    /// # Errors
    /// `InvalidUrl` when nobody signed it, or for another request; `ExpiredUrl` when its time has passed.
    pub fn verify(text: &str, key: &GrantKey, request: &str, now: DateTime<Utc>) -> Result<Grant, Denied> {
        let (signed, mac) = text.rsplit_once('.').ok_or(Denied::InvalidUrl)?;
        let mac = BASE64.decode(mac).map_err(|_| Denied::InvalidUrl)?;
        hmac::verify(&key.0, signed.as_bytes(), &mac).map_err(|_| Denied::InvalidUrl)?;
        let claims = signed.split_once('.').and_then(|(_, claims)| BASE64.decode(claims).ok());
        let claims: Option<Claims> = claims.and_then(|claims| serde_json::from_slice(&claims).ok());
        let claims = claims.filter(|claims| claims.request == request).ok_or(Denied::InvalidUrl)?;
        let expires = DateTime::from_timestamp(claims.expires, 0).ok_or(Denied::InvalidUrl)?;
        if expires <= now {
            return Err(Denied::ExpiredUrl);
        }
        let principal = Principal {
            id: PrincipalId::vouched_for(claims.id).ok_or(Denied::InvalidUrl)?,
            tenant: claims.tenant,
            role: claims.role,
            scope: claims.scope,
            source: claims.source,
        };
        Ok(Grant { principal, request: claims.request, is_for_new: claims.is_for_new, expires })
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn moment(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).expect("a moment")
    }

    fn grant() -> Grant {
        let principal = Principal {
            id: PrincipalId::of_subject(&"x".repeat(100), "https://id.example.org"),
            tenant: Some("finance".parse().expect("a name")),
            role: Role::Viewer,
            scope: PathScope::new(["2026"]).expect("a scope"),
            source: Source::Token,
        };
        let request = "GET /files/2026/a.xlsx".to_owned();
        Grant { principal, request, is_for_new: true, expires: moment(600) }
    }

    fn key(byte: u8) -> GrantKey {
        GrantKey::new(&[byte; KEY_BYTES])
    }

    fn verify(text: &str, key: &GrantKey, request: &str, seconds: i64) -> Result<Grant, Denied> {
        Grant::key_of(text, moment(seconds))?;
        Grant::verify(text, key, request, moment(seconds))
    }

    #[test]
    fn a_grant_is_for_one_request_and_for_a_while() {
        let (grant, request) = (grant(), "GET /files/2026/a.xlsx");
        let text = grant.sign(KeyNumber::at(moment(0)), &key(1));
        assert_eq!(verify(&text, &key(1), request, 599), Ok(grant));
        assert_eq!(verify(&text, &key(1), request, 600), Err(Denied::ExpiredUrl));
        assert_eq!(verify(&text, &key(2), request, 0), Err(Denied::InvalidUrl));
        for other in ["PUT /files/2026/a.xlsx", "GET /files/2026/b.xlsx", "GET /files/2026/a.xlsx?x", ""] {
            assert_eq!(verify(&text, &key(1), other, 0), Err(Denied::InvalidUrl));
        }
    }

    #[test]
    fn a_grant_that_is_changed_anywhere_is_none() {
        let text = grant().sign(KeyNumber::at(moment(0)), &key(1));
        for place in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("text");
            let told = verify(&changed, &key(1), "GET /files/2026/a.xlsx", 0);
            assert_eq!(told, Err(Denied::InvalidUrl), "at {place}");
        }
        for cut in ["", ".", "..", &text[..text.len() - 1], &text[1..]] {
            assert!(verify(cut, &key(1), "GET /files/2026/a.xlsx", 0).is_err());
        }
    }

    #[test]
    fn keys_follow_each_other() {
        let now = moment(0);
        let number = |weeks: i64| KeyNumber::at(now + TimeDelta::weeks(weeks));
        let taken = |weeks| Grant::key_of(&format!("{}.x.y", number(weeks).get()), now);
        assert_eq!([-2, -1, 0, 1, 2].map(|weeks| taken(weeks).is_ok()), [false, true, true, true, false]);
        assert_eq!((taken(-2), taken(2)), (Err(Denied::ExpiredUrl), Err(Denied::InvalidUrl)));
    }
}
