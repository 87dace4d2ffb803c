//! Why a request to an object store failed.

use std::{error::Error, time::Duration};

/// Everything that can go wrong. A message ends with what to do, after its last `; `.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ObjectError {
    /// There is no such object.
    #[error("there is no object {key}; it may have been deleted")]
    NotFound {
        /// Its key.
        key: String,
    },
    /// The object is not what the writer believed it to be: nothing was written. After a failure that the store's client
    /// repeated by itself it may be the writer's own content.
    #[error("the object {key} is another one by now; read it again")]
    Changed {
        /// Its key.
        key: String,
    },
    /// The store does not let us.
    #[error("{store} refuses access: {problem}; {hint}")]
    Denied {
        /// The URL of the store.
        store: String,
        /// What it said.
        problem: String,
        /// Where to look.
        hint: &'static str,
    },
    /// The store answers, and there is no such bucket.
    #[error(
        "there is no bucket {bucket} in {store}; have it made, or correct the URL, the endpoint or the region"
    )]
    NoBucket {
        /// The name of the bucket, or of the container.
        bucket: String,
        /// The URL of what was to be in it.
        store: String,
    },
    /// The store works and does not take this request: it says something about its key or its bytes.
    #[error("{store} refuses the request: {problem}; see that the name is one that the store takes")]
    Refused {
        /// The URL of the store.
        store: String,
        /// What it said.
        problem: String,
    },
    /// The store cannot do what was asked, now or ever.
    #[error("{store} cannot do that: {problem}; use a store that can")]
    Unsupported {
        /// The URL of the store.
        store: String,
        /// What is missing.
        problem: String,
    },
    /// What was to be written could not be read, or what was read not be written down. The store is not at fault.
    #[error("the bytes of the object {key} could not be moved: {problem}; see that the disk works")]
    Source {
        /// Its key.
        key: String,
        /// What happened.
        problem: String,
    },
    /// The store did not answer, not in time, or with a failure of its own. A write may have happened.
    #[error("{store} does not answer as it should: {problem}; repeat the call in a moment")]
    Unavailable {
        /// The URL of the store.
        store: String,
        /// What happened.
        problem: String,
    },
    /// The store failed again and again, and is left alone for a moment: nothing was asked of it.
    #[error("{store} failed a moment ago and is not asked again yet; repeat the call in {} s", pause.as_secs().max(1))]
    Suspended {
        /// The URL of the store.
        store: String,
        /// For how long it is left alone.
        pause: Duration,
    },
}

impl ObjectError {
    /// When the same request may succeed, if it may at all.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            ObjectError::Unavailable { .. } => Some(Duration::from_secs(2)),
            ObjectError::Suspended { pause, .. } => Some(*pause),
            _ => None,
        }
    }
}

/// What happened, in few words: a code that the store gave, a status, or what the system says. Answers of stores repeat the
/// key and more, which is nobody's business.
pub(crate) fn reason(error: &object_store::Error) -> String {
    let text = error.to_string();
    let within = |from: &str, to: &str| {
        let (_, rest) = text.split_once(from)?;
        rest.split_once(to).map(|(found, _)| found.to_owned()).filter(|found| found.len() < 80)
    };
    let status = within("status code: ", ": ");
    let code = within("<Code>", "</Code>");
    match (status, code) {
        (Some(status), Some(code)) => format!("{status} ({code})"),
        (Some(status), None) => status,
        (None, Some(code)) => code,
        (None, None) => {
            let mut innermost: &dyn Error = error;
            while let Some(source) = innermost.source() {
                innermost = source;
            }
            innermost.to_string()
        }
    }
}

/// Codes of refusals that come with `400 Bad Request`.
const REFUSED_AS_BAD: [&str; 3] = ["ExpiredToken", "InvalidToken", "TokenRefreshRequired"];

/// Whether a reason tells that the store does not let us, and not that it fails.
pub(crate) fn is_refusal(reason: &str) -> bool {
    let is_status = |status: &str| reason.starts_with(status);
    is_status("401") || is_status("403") || REFUSED_AS_BAD.iter().any(|code| reason.contains(code))
}

/// Whether a reason tells that there is no bucket at all.
pub(crate) fn is_about_bucket(reason: &str) -> bool {
    ["NoSuchBucket", "ContainerNotFound"].iter().any(|code| reason.contains(code))
}

/// Statuses and codes of the class of refusals by which a store says that it is too busy, or that a request was too slow for it.
const FAILED_AS_REFUSED: [&str; 5] = ["408", "425", "429", "RequestTimeout", "SlowDown"];

/// Whether a reason is about the one request, and says nothing against the store.
pub(crate) fn is_of_request(reason: &str) -> bool {
    let is_refused = reason.starts_with('4') && reason.as_bytes().get(3) == Some(&b' ');
    is_refused
        && !FAILED_AS_REFUSED.iter().any(|failed| {
            if failed.starts_with('4') { reason.starts_with(failed) } else { reason.contains(failed) }
        })
}

/// Which setting or permission a refusal is about. A store that answers `HEAD` says no more than the status.
pub(crate) fn hint_for(reason: &str) -> &'static str {
    let says = |codes: &[&str]| codes.iter().any(|code| reason.contains(code));
    if says(&["SignatureDoesNotMatch", "AuthenticationFailed"]) {
        "the secret is not that of the key (aws_secret_access_key, azure_storage_account_key), or the region is another one"
    } else if says(&["InvalidAccessKeyId"]) {
        "the store does not know the key: check aws_access_key_id"
    } else if says(&REFUSED_AS_BAD) {
        "its credentials ran out: renew them"
    } else if says(&["RequestTimeTooSkewed", "RequestExpired"]) {
        "the clock of this machine is wrong: set it"
    } else if says(&["AccessDenied", "AuthorizationPermissionMismatch", "AuthorizationFailure"]) {
        "its credentials lack a permission: they have to list the bucket, and to get, put and delete objects below the prefix"
    } else {
        "check its credentials, and that they permit to list the bucket, and to get, put and delete objects below the prefix"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_from_failures() {
        for (reason, hint) in [
            ("403 Forbidden (SignatureDoesNotMatch)", Some("aws_secret_access_key")),
            ("403 Forbidden (InvalidAccessKeyId)", Some("aws_access_key_id")),
            ("403 Forbidden (AccessDenied)", Some("lack a permission")),
            ("403 Forbidden (RequestTimeTooSkewed)", Some("clock")),
            ("400 Bad Request (ExpiredToken)", Some("renew")),
            ("401 Unauthorized", Some("check its credentials")),
            ("403 Forbidden", Some("check its credentials")),
            ("400 Bad Request (InvalidRequest)", None),
            ("503 Service Unavailable (SlowDown)", None),
        ] {
            let told = is_refusal(reason).then(|| hint_for(reason));
            let is_right = match (told, hint) {
                (Some(told), Some(hint)) => told.contains(hint),
                (told, hint) => told.is_none() && hint.is_none(),
            };
            assert!(is_right, "{reason}: {told:?}");
        }
    }

    #[test]
    fn what_one_request_is_refused_for_is_no_failure_of_the_store() {
        for (reason, is_of_it) in [
            ("400 Bad Request", true),
            ("400 Bad Request (KeyTooLongError)", true),
            ("404 Not Found (NoSuchKey)", true),
            ("405 Method Not Allowed", true),
            ("414 URI Too Long", true),
            ("416 Range Not Satisfiable (InvalidRange)", true),
            ("400 Bad Request (RequestTimeout)", false),
            ("408 Request Timeout", false),
            ("429 Too Many Requests", false),
            ("500 Internal Server Error", false),
            ("503 Service Unavailable (SlowDown)", false),
            ("4 of 8 bytes came", false),
            ("Connection refused (os error 111)", false),
        ] {
            assert_eq!(is_of_request(reason), is_of_it, "{reason}");
        }
    }

    #[test]
    fn reasons_are_short_and_tell_no_key() {
        let generic = |source: &str| object_store::Error::Generic { store: "S3", source: source.into() };
        for (said, reason_of_it) in [
            (
                "Error performing PUT http://a/b/secret.xlsx in 2ms - Server returned non-2xx status code: \
                 503 Service Unavailable: <Error><Code>SlowDown</Code><Key>secret.xlsx</Key></Error>",
                "503 Service Unavailable (SlowDown)",
            ),
            ("Server returned non-2xx status code: 500 Internal Server Error: ", "500 Internal Server Error"),
            ("Connection refused (os error 111)", "Connection refused (os error 111)"),
        ] {
            assert_eq!(reason(&generic(said)), reason_of_it);
        }
    }
}
