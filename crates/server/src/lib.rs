//! MCP tools, transports, cache and limits.
