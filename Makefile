.PHONY: run test lint
run:
	cargo run --release -p spreadsheet-mcp -- serve --workspace examples/workspace
test: lint
	cargo test --workspace
lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
