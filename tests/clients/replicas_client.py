"""Clients of the Python SDK edit shared forks through a balancer. What each did and saw is told as a line of JSON.

    replicas_client.py URL CALLS FORK…

Half of them speak the protocol with `initialize`, the others the one without.
"""

import asyncio
import json
import random
import sys
import time

from mcp import Client

CLIENTS = 4
CELLS = "Data!B2:G21"


async def calls(url, number, count, forks):
    chance = random.Random(number)
    async with Client(url, mode="legacy" if number % 2 else "auto") as client:
        for call in range(count):
            fork = chance.choice(forks)
            told = {"client": number, "fork": fork, "begun": time.monotonic_ns()}
            if chance.random() < 0.5:
                mark = f"p{number}-{call}"
                cell = f"{chance.choice('BCDEFG')}{chance.randint(2, 21)}"
                ops = [{"op": "set", "range": f"Data!{cell}", "values": [[mark]]}]
                arguments = {"workbook": fork, "ops": ops, "idempotency_key": mark}
                result = await client.call_tool("edit_cells", arguments)
                told |= {"mark": mark, "head": result.structured_content["head"]}
            else:
                result = await client.call_tool("read_range", {"workbook": fork, "ranges": [CELLS]})
                told |= {"values": result.structured_content["ranges"][0].get("values", [])}
            assert not result.is_error, result
            print(json.dumps(told | {"ended": time.monotonic_ns()}), flush=True)


async def main():
    url, count, forks = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    await asyncio.gather(*(calls(url, number, count // CLIENTS, forks) for number in range(CLIENTS)))


asyncio.run(main())
