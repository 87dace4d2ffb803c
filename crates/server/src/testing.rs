//! What the tests of several modules start from.

use std::sync::Arc;

use access::{PathScope, Role, Source};
use clap::Parser;

use crate::{call::Context, config::Config, principal::Principal};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    config: Config,
}

/// The configuration that flags give.
pub(crate) fn config(arguments: &[&str]) -> Config {
    Line::try_parse_from(["test"].iter().chain(arguments)).expect("the arguments parse").config
}

/// Somebody with a key that lets them do everything.
pub(crate) fn named(id: &str) -> Principal {
    Principal::from(access::Principal {
        id: id.parse().expect("a name"),
        tenant: None,
        role: Role::Admin,
        scope: PathScope::everything(),
        source: Source::Key,
    })
}

/// What calls share, over an empty temporary folder.
pub(crate) fn context(arguments: &[&str]) -> (Arc<Context>, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut config = config(arguments);
    config.fixed.workspace.workspace = folder.path().to_path_buf().into();
    let context = Context::open(config).expect("the folder opens");
    (Arc::new(context), folder)
}
