//! The tools there are, in an order that never changes.

use crate::{
    config::ToolsConfig,
    error::{ErrorCode, ToolError},
    near_miss::near_misses,
    tool::ToolEntry,
    tools,
};

/// The tools that a server offers.
#[derive(Debug, Clone)]
pub struct Registry {
    entries: Vec<ToolEntry>,
}

impl Registry {
    /// All tools that the configuration allows, in the order of [`tools::all`].
    pub fn new(config: &ToolsConfig) -> Registry {
        let allowed = |entry: &ToolEntry| {
            let listed = config.tools.is_empty() || config.tools.iter().any(|name| name == entry.name);
            let enabled = entry.name != tools::VBA || config.vba_enabled;
            listed && enabled
        };
        Registry { entries: tools::all().into_iter().filter(allowed).collect() }
    }

    /// The tools, in their order.
    pub fn entries(&self) -> &[ToolEntry] {
        &self.entries
    }

    /// The tool of a name, if it is offered.
    pub fn get(&self, name: &str) -> Option<&ToolEntry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// The tool of a name.
    ///
    /// # Errors
    /// When there is none, with near misses.
    pub fn find(&self, name: &str) -> Result<&ToolEntry, ToolError> {
        self.get(name).ok_or_else(|| {
            let names: Vec<&str> = self.entries.iter().map(|entry| entry.name).collect();
            let switched_off = name == tools::VBA && tools::names().contains(&name);
            if switched_off {
                return ToolError::new(ErrorCode::Disabled, "the vba tool is switched off")
                    .at("name")
                    .hint("start the server with SPREADSHEET_MCP_VBA_ENABLED=true");
            }
            ToolError::new(ErrorCode::UnknownTool, format!("there is no tool \"{name}\""))
                .at("name")
                .hint(format!("the tools are: {}", names.join(", ")))
                .candidates(near_misses(name, names))
        })
    }
}
