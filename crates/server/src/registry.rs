//! The tools there are, in an order that never changes.

use crate::{
    config::LiveConfig,
    error::{ErrorCode, ToolError},
    flags::Flag,
    near_miss::near_misses,
    principal::Principal,
    tool::ToolEntry,
    tools,
};

/// All tools. What is offered depends on the configuration and on who asks.
#[derive(Debug, Clone)]
pub struct Registry {
    entries: Vec<ToolEntry>,
}

impl Default for Registry {
    /// The tools in the order of [`tools::all`].
    fn default() -> Registry {
        Registry { entries: tools::all() }
    }
}

impl Registry {
    /// The tools that a caller may use, in their order.
    pub fn offered(&self, config: &LiveConfig, principal: &Principal) -> Vec<&ToolEntry> {
        self.entries.iter().filter(|entry| is_offered(entry, config, principal)).collect()
    }

    /// The tool of a name, offered or not.
    pub fn get(&self, name: &str) -> Option<&ToolEntry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// The tool of a name, if a caller may use it.
    ///
    /// # Errors
    /// When there is none, with near misses; when it is switched off, or not for the caller's role.
    pub fn find(
        &self,
        name: &str,
        config: &LiveConfig,
        principal: &Principal,
    ) -> Result<&ToolEntry, ToolError> {
        let known = self.get(name);
        if let Some(entry) = known.filter(|entry| is_offered(entry, config, principal)) {
            return Ok(entry);
        }
        if let Some(entry) = known.filter(|entry| entry.role > principal.role()) {
            return Err(ToolError::new(
                ErrorCode::Forbidden,
                format!("{name} takes the role {}, and yours is {}", entry.role, principal.role()),
            )
            .at("name")
            .hint("ask whoever runs the server for a key with that role"));
        }
        if known.is_some() && name == tools::TRANSFER_URL {
            return Err(ToolError::new(
                ErrorCode::Disabled,
                "there are no URLs over standard input and output",
            )
            .at("name")
            .hint("the files are in the workspace, on this machine"));
        }
        if known.is_some() && name == tools::VBA {
            return Err(ToolError::new(ErrorCode::Disabled, "the vba tool is switched off")
                .at("name")
                .hint("start the server with SPREADSHEET_MCP_VBA_ENABLED=true"));
        }
        let names: Vec<&str> = self.offered(config, principal).into_iter().map(|entry| entry.name).collect();
        Err(ToolError::new(ErrorCode::UnknownTool, format!("there is no tool \"{name}\""))
            .at("name")
            .hint(format!("the tools are: {}", names.join(", ")))
            .candidates(near_misses(name, names)))
    }
}

fn is_offered(entry: &ToolEntry, config: &LiveConfig, principal: &Principal) -> bool {
    let listed = &config.tools.tools;
    let is_listed = listed.is_empty() || listed.iter().any(|tool| tool == entry.name);
    let is_on = entry.name != tools::VBA || config.flags.is_on(Flag::Vba, principal);
    // Who started the program has its files.
    let is_of_use = entry.name != tools::TRANSFER_URL || !principal.has_files();
    is_listed && is_on && is_of_use && entry.role <= principal.role()
}

#[cfg(test)]
mod tests {
    use access::Role;

    use super::*;
    use crate::testing;

    #[test]
    fn callers_see_what_is_rolled_out_to_them() {
        let registry = Registry::default();
        let config = testing::config(&["--vba-enabled=50%"]).live;
        let callers: Vec<Principal> = (0..100).map(|id| testing::named(&format!("key-{id}"))).collect();
        let sees = |principal: &Principal| {
            let is_listed = registry.offered(&config, principal).iter().any(|entry| entry.name == tools::VBA);
            assert_eq!(registry.find(tools::VBA, &config, principal).is_ok(), is_listed);
            is_listed
        };
        let seeing = callers.iter().filter(|principal| sees(principal)).count();
        assert!((30..=70).contains(&seeing), "{seeing}");
    }

    #[test]
    fn roles_see_what_they_may_do() {
        let registry = Registry::default();
        let config = testing::config(&[]).live;
        let seen = |role: Role| {
            let principal = Principal::from(access::Principal { role, ..access::Principal::local() });
            let refused = registry.find("save_fork", &config, &principal).err().map(|error| error.code);
            (registry.offered(&config, &principal).len(), refused)
        };
        assert_eq!(Role::ALL.map(seen).map(|(tools, _)| tools), [13, 20, 21, 21]);
        assert_eq!(seen(Role::Analyst).1, Some(ErrorCode::Forbidden));
        assert_eq!(seen(Role::Editor).1, None);
    }
}
