"""The Python SDK's client lists and calls every tool, in both eras of the protocol.

    python_client.py TARGET…    an http URL, or a command that serves on its standard streams
"""

import asyncio
import sys

import jsonschema
from mcp import Client, StdioServerParameters, stdio_client

from calls import calls_over, check_answer, check_covered, filled


async def check(target, mode):
    server = target[0] if target[0].startswith("http") else stdio_client(
        StdioServerParameters(command=target[0], args=target[1:])
    )
    async with Client(server, mode=mode) as client:
        tools = (await client.list_tools()).tools
        calls = calls_over(target)
        check_covered([tool.name for tool in tools], calls)
        schemas = {tool.name: tool.output_schema for tool in tools}
        kept = {}
        for call in calls:
            result = await client.call_tool(call["tool"], filled(call["arguments"], kept))
            assert not result.is_error, f"{call['tool']}: {result.content}"
            jsonschema.validate(result.structured_content, schemas[call["tool"]])
            check_answer(call, result.structured_content, result.content[0].text, kept)
            for link in (block for block in result.content if block.type == "resource_link"):
                assert any(block.type == "image" for block in result.content), call["tool"]
                picture = (await client.read_resource(str(link.uri))).contents[0]
                assert picture.mime_type == "image/png" and len(picture.blob) > 1000, picture
        refused = await client.call_tool("read_range", {"workbook": "sales-ledger.xlsx", "ranges": ["Ledgr!A1"]})
        assert refused.is_error and refused.structured_content["error"]["candidates"] == ["Ledger"], refused
        resources = (await client.list_resources()).resources
        contents = (await client.read_resource(str(resources[0].uri))).contents
        assert contents[0].mime_type == "application/json", contents
        print(f"python mcp, {client.protocol_version}, {target[0]}: {len(calls)} tools called")


async def main():
    for mode in ["legacy", "auto"]:
        await check(sys.argv[1:], mode)


asyncio.run(main())
