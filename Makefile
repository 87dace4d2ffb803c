# Few targets, all true. `make test` is what continuous integration runs.

# Tools and builds that outlive a clone.
TOOLS := $(HOME)/.cache/spreadsheet-mcp/tools
ifeq ($(CI),true)
export CARGO_TARGET_DIR := $(HOME)/.cache/spreadsheet-mcp/target
endif
TARGET := $(or $(CARGO_TARGET_DIR),target)
# What tests found, for the deployment gate (docs/checklist.md).
EVIDENCE := $(TARGET)/evidence
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
export PATH := $(TOOLS)/bin:$(PATH)

.PHONY: run test images lint bench soak stress setup docs

## Build, and serve the example workspace on loopback.
run:
	cargo run --release -p spreadsheet-mcp -- serve --transport http --workspace examples/workspace

## Set up, lint, and run every test.
test: setup lint
	mkdir -p $(EVIDENCE)
	cargo test --workspace --no-fail-fast | tee $(EVIDENCE)/tests.log
	cargo build --release --bin spreadsheet-mcp
	tests/clients/run.sh $(abspath $(TARGET))/release/spreadsheet-mcp $(TOOLS) | tee $(EVIDENCE)/clients.log

## Build both images as their Dockerfiles say, and test them. PROGRAM=FILE puts that into them instead of compiling it again.
images: setup
	mkdir -p $(EVIDENCE)
	tests/images/run.sh $(TOOLS) $(PROGRAM) 2>&1 | tee $(EVIDENCE)/images.log

## Formatting, lints, licences and sources of dependencies, documentation.
lint: $(TOOLS)/bin/cargo-deny
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo deny --log-level error check bans licenses sources
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet

## Measure: ratios and floors, over workbooks that it generates. REPORT=FILE also writes them down.
bench:
	cargo build --release --bin spreadsheet-mcp --bin bench
	$(TARGET)/release/bench $(TARGET)/release/spreadsheet-mcp $(TARGET)/bench $(if $(REPORT),--report $(REPORT))

## Many clients use one server for DURATION (1h; 90s, 10m, 24h): what it takes is told each minute, and must not grow.
soak:
	cargo build --release --bin spreadsheet-mcp --bin bench
	mkdir -p $(EVIDENCE)
	$(TARGET)/release/bench $(TARGET)/release/spreadsheet-mcp $(TARGET)/bench --only endurance --endurance $(or $(DURATION),1h) 2>&1 | tee $(EVIDENCE)/soak.log

## Clients are doubled until calls are refused: refusals are quick, and the server is itself again when the clients are gone.
stress:
	cargo build --release --bin spreadsheet-mcp --bin bench
	mkdir -p $(EVIDENCE)
	$(TARGET)/release/bench $(TARGET)/release/spreadsheet-mcp $(TARGET)/bench --only stress 2>&1 | tee $(EVIDENCE)/stress.log

## Build and serve the documentation of the code.
docs:
	cargo doc --workspace --no-deps --open

## What the tests need besides Rust: Python, Node.js, unzip, LibreOffice and Prometheus of the system, the clients that talk to
## the server, the collector that it sends spans to, whom it asks (an OpenID provider, OpenBao, servers of objects), and what judges
## manifests and images: kubectl, schemas of Kubernetes, scanners.
setup: $(TOOLS)/bin/cargo-deny $(TOOLS)/bin/s3s-fs $(TOOLS)/python/ready $(TOOLS)/scanners/ready $(TOOLS)/node/ready

$(TOOLS)/python/ready: tests/clients/requirements.txt tests/clients/system-packages.sh
	tests/clients/system-packages.sh
	python3 -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

$(TOOLS)/scanners/ready: tests/clients/scanners.txt tests/clients/system-packages.sh
	tests/clients/system-packages.sh
	python3 -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

$(TOOLS)/node/ready: tests/clients/package.json
	tests/clients/system-packages.sh
	mkdir -p $(@D) && cp $< $(@D)
	npm install --prefix $(@D) --no-audit --no-fund --no-package-lock --silent
	touch $@

$(TOOLS)/bin/cargo-deny:
	cargo install cargo-deny --version 0.20.2 --locked --no-default-features --root $(TOOLS)

$(TOOLS)/bin/s3s-fs:
	cargo install s3s-fs --version 0.14.1 --locked --features binary --root $(TOOLS)
