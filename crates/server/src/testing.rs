//! What the tests of several modules start from.

use std::sync::Arc;

use clap::Parser;

use crate::{call::Context, config::Config};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    config: Config,
}

/// The configuration that flags give.
pub(crate) fn config(arguments: &[&str]) -> Config {
    Line::try_parse_from(["test"].iter().chain(arguments)).expect("the arguments parse").config
}

/// What calls share, over an empty temporary folder.
pub(crate) fn context(arguments: &[&str]) -> (Arc<Context>, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut config = config(arguments);
    config.fixed.workspace.workspace = folder.path().to_path_buf();
    let context = Context::open(config).expect("the folder opens");
    (Arc::new(context), folder)
}
