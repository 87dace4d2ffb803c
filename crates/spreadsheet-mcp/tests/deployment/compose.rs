//! The server of docker-compose.yml: what `tests/images` cannot say without starting it.

use serde_json::Value;

use crate::{
    manifests::{bytes, check_memory},
    source::{documents, text},
};

fn server() -> Value {
    documents(&text("docker-compose.yml"))[0]["services"]["spreadsheet-mcp"].clone()
}

#[test]
fn its_image_has_the_version_of_the_program() {
    assert_eq!(server()["image"], concat!("spreadsheet-mcp:", env!("CARGO_PKG_VERSION")));
}

/// What is in a `tmpfs` is in the memory of the container.
#[test]
fn all_that_it_takes_fits_into_its_memory() {
    let server = server();
    let option = |name: &str| -> u64 {
        let value = &server["environment"][format!("SPREADSHEET_MCP_{name}")];
        value.as_str().unwrap_or_else(|| panic!("no {name}")).parse().expect("a number")
    };
    let temporary: u64 = server["tmpfs"]
        .as_array()
        .expect("folders")
        .iter()
        .map(|folder| bytes(folder.as_str().and_then(|it| it.split_once("size=")).expect("a size").1))
        .sum();
    let libreoffice = option("MAX_CONCURRENT_RECALCS") * option("LIBREOFFICE_MEMORY");
    check_memory(
        option("MAX_MEMORY_BYTES") + libreoffice + temporary,
        bytes(server["mem_limit"].as_str().expect("a limit")),
    );
    assert!(option("MAX_TEMPORARY_BYTES") < temporary);
}
