# The server with its native engines, and nothing else: no shell, no package manager. Dockerfile.full adds LibreOffice.
#
#   docker build -t spreadsheet-mcp .
#
# A release names its bases by digest: --build-arg RUST=1.95.0-bookworm@sha256:… --build-arg DEBIAN=…@sha256:…
# Up to "build" both files say the same: whoever builds both compiles once.
ARG RUST=1.95.0-bookworm
ARG DEBIAN=bookworm-slim

FROM rust:${RUST} AS manifests
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY crates crates
# What decides about dependencies, and nothing that changes every day: manifests, and empty crates.
RUN find crates -type f ! -name Cargo.toml ! -path '*/src/lib.rs' ! -path '*/src/main.rs' -delete \
    && find crates -type d -empty -delete \
    && find crates -name lib.rs -exec truncate --size 0 {} + \
    && for main in crates/*/src/main.rs; do echo 'fn main() {}' >"$main"; done

FROM rust:${RUST} AS build
WORKDIR /src
# It writes into the program which crates it is made of, for those who look for vulnerable ones.
RUN cargo install cargo-auditable --version 0.7.7 --locked
# Relocations take a twentieth of the program otherwise. What starts it has to know the short form: glibc 2.36 does.
ENV RUSTFLAGS="-C link-arg=-Wl,-z,pack-relative-relocs"
COPY --from=manifests /src ./
RUN cargo build --locked --release --bin spreadsheet-mcp && cargo clean --release --workspace
COPY crates crates
RUN cargo auditable build --locked --release --bin spreadsheet-mcp

FROM build AS stripped
RUN strip --strip-all -o /spreadsheet-mcp target/release/spreadsheet-mcp

FROM debian:${DEBIAN} AS root
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
ARG SOURCE_DATE_EPOCH=0
COPY --from=stripped /spreadsheet-mcp /root/usr/local/bin/
COPY --from=build /etc/ssl/certs/ca-certificates.crt /root/etc/ssl/certs/
COPY deploy/images/server.toml /root/etc/spreadsheet-mcp/
COPY LICENSE /root/usr/share/doc/spreadsheet-mcp/
COPY checklist/production.md checklist/production.yaml /root/usr/share/spreadsheet-mcp/checklist/
# The libraries that the program is linked against, time zones, what Debian says of their packages (scanners ask), and a user.
WORKDIR /root
RUN ldd usr/local/bin/spreadsheet-mcp | grep --only-matching '/[^ ]*' | xargs cp --parents --dereference --target-directory . \
    && for package in base-files libc6 libgcc-s1 tzdata; do \
        mkdir -p var/lib/dpkg/status.d "usr/share/doc/$package" \
        && dpkg-query --status "$package" >"var/lib/dpkg/status.d/$package" \
        && cp "/usr/share/doc/$package/copyright" "usr/share/doc/$package/"; \
    done \
    && cp --archive --parents /usr/share/zoneinfo . \
    && rm -r usr/share/zoneinfo/posix usr/share/zoneinfo/right \
    && cp /usr/lib/os-release etc/ \
    && echo 'hosts: files dns' >etc/nsswitch.conf \
    && echo 'spreadsheets:x:10001:10001::/state:/nonexistent' >etc/passwd \
    && echo 'spreadsheets:x:10001:' >etc/group \
    && install -d -m 1777 tmp && install -d /owned/data /owned/state \
    && find /root /owned -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE=
LABEL org.opencontainers.image.title="spreadsheet-mcp" \
    org.opencontainers.image.description="An MCP server for spreadsheets" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.source="${SOURCE}" \
    org.opencontainers.image.licenses="Apache-2.0"
COPY --from=root /root /
COPY --from=root --chown=10001:10001 /owned /
ENV PATH=/usr/local/bin
ENV SPREADSHEET_MCP_CONFIG=/etc/spreadsheet-mcp/server.toml
USER 10001:10001
WORKDIR /data
VOLUME ["/data", "/state"]
EXPOSE 8079 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["spreadsheet-mcp", "healthcheck"]
ENTRYPOINT ["spreadsheet-mcp"]
CMD ["serve"]
