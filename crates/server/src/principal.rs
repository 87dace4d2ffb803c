//! Who calls.

use std::sync::Arc;

use access::{PathScope, PrincipalId, Role};
use axum::http::request::Parts;
use rmcp::model::Extensions;

/// Who calls, and what they may. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal(Arc<access::Principal>);

impl Principal {
    /// Whoever started the program: a shell, or the client of standard input and output.
    pub fn local() -> Principal {
        Principal(Arc::new(access::Principal::local()))
    }

    /// Anybody who connects and does not have to say who they are.
    pub fn anonymous() -> Principal {
        Principal(Arc::new(access::Principal::anonymous()))
    }

    /// The name.
    pub fn id(&self) -> &str {
        self.0.id.as_str()
    }

    /// What they may do.
    pub fn role(&self) -> Role {
        self.0.role
    }

    /// Whether nobody had to say who they are.
    pub fn is_local(&self) -> bool {
        self.0.source == access::Source::Local
    }

    /// Whether they started the program, and have its files at hand.
    pub fn has_files(&self) -> bool {
        self.is_local() && self.id() == Principal::local().id()
    }

    /// Where they may do it.
    pub fn scope(&self) -> &PathScope {
        &self.0.scope
    }

    /// The same caller with no more than a role.
    pub(crate) fn as_role(&self, role: Role) -> access::Principal {
        access::Principal { role: role.min(self.role()), ..(*self.0).clone() }
    }

    /// Whose forks they work on, if those are not their own alone.
    pub fn tenant(&self) -> Option<&PrincipalId> {
        self.0.tenant.as_ref()
    }

    /// Whose forks they work on.
    pub fn owner(&self) -> String {
        self.0.owner()
    }

    /// Whose pictures they see: those of who works on the same forks, and may see the same of the workspace.
    pub fn gallery(&self) -> String {
        let paths: Vec<&str> = self.scope().paths().collect();
        format!("{}\n{}", self.owner(), paths.join("\n"))
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

impl From<access::Principal> for Principal {
    fn from(principal: access::Principal) -> Principal {
        Principal(Arc::new(principal))
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
    use crate::testing::named;

    #[test]
    fn requests_come_from_whom_authentication_found() {
        let mut extensions = Extensions::new();
        assert_eq!(Principal::of_request(&extensions), Principal::local());
        let (parts, ()) = axum::http::Request::new(()).into_parts();
        extensions.insert(parts);
        assert_eq!(Principal::of_request(&extensions), Principal::anonymous());
        let (mut parts, ()) = axum::http::Request::new(()).into_parts();
        parts.extensions.insert(named("key-7"));
        extensions.insert(parts);
        assert_eq!(Principal::of_request(&extensions).id(), "key-7");
    }
}
