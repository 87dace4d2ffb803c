//! Who calls.

use std::sync::Arc;

use axum::http::request::Parts;
use rmcp::model::Extensions;

/// Who calls, by an id that stays the same. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Principal(Arc<str>);

impl Principal {
    /// Whoever started the program: a shell, or the client of standard input and output.
    pub fn local() -> Principal {
        Principal::named("local")
    }

    /// Anybody who connects and does not say who they are.
    pub fn anonymous() -> Principal {
        Principal::named("anonymous")
    }

    /// Somebody with an id.
    pub fn named(id: impl Into<Arc<str>>) -> Principal {
        Principal(id.into())
    }

    /// The id.
    pub fn id(&self) -> &str {
        &self.0
    }

    /// Who sent a request: whom authentication put into its HTTP extensions, or nobody known. What did not come by
    /// HTTP came from whoever started the program.
    pub fn of_request(extensions: &Extensions) -> Principal {
        match extensions.get::<Parts>() {
            Some(parts) => parts.extensions.get().cloned().unwrap_or_else(Principal::anonymous),
            None => Principal::local(),
        }
    }
}

impl Default for Principal {
    fn default() -> Principal {
        Principal::local()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_come_from_whom_authentication_found() {
        let mut extensions = Extensions::new();
        assert_eq!(Principal::of_request(&extensions), Principal::local());
        let (parts, ()) = axum::http::Request::new(()).into_parts();
        extensions.insert(parts);
        assert_eq!(Principal::of_request(&extensions), Principal::anonymous());
        let (mut parts, ()) = axum::http::Request::new(()).into_parts();
        parts.extensions.insert(Principal::named("key-7"));
        extensions.insert(parts);
        assert_eq!(Principal::of_request(&extensions).id(), "key-7");
    }
}
