"""The MCP inspector's command line lists and calls every tool.

    inspector_client.py INSPECTOR TARGET…    an http URL, or a command that serves on its standard streams
"""

import json
import subprocess
import sys

from calls import calls_over, check_answer, check_covered, filled

inspector, target = sys.argv[1], sys.argv[2:]


def ask(*arguments):
    """What the inspector prints."""
    where = [*target, *arguments] if target[0].startswith("http") else [*arguments, "--", *target]
    done = subprocess.run([inspector, "--cli", *where], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout)


# --strict also fails when strict clients would refuse a schema.
tools = ask("--method", "tools/list", "--strict")["tools"]
calls = calls_over(target)
check_covered([tool["name"] for tool in tools], calls)
kept = {}
for call in calls:
    pairs = [
        part
        for name, value in filled(call["arguments"], kept).items()
        for part in ["--tool-arg", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]
    ]
    result = ask("--method", "tools/call", "--tool-name", call["tool"], *pairs)
    assert not result.get("isError"), result
    check_answer(call, result["structuredContent"], result["content"][0]["text"], kept)
print(f"mcp inspector, {target[0]}: {len(calls)} tools called")
