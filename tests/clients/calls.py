"""The calls that every client makes, and what their answers hold."""

import json
import pathlib

CALLS = json.loads((pathlib.Path(__file__).parent / "calls.json").read_text())


def at(document, pointer):
    """The value at a JSON pointer."""
    for step in pointer.split("/")[1:]:
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


def filled(arguments, kept):
    """The arguments of a call, `$name` in a text being what an earlier answer was kept for."""

    def fill(value):
        for name, text in kept.items() if isinstance(value, str) else ():
            value = value.replace(name, text)
        return value

    return {name: fill(value) for name, value in arguments.items()}


def check_answer(call, structured, text, kept):
    """Holds an answer against what the call expects, and keeps what later calls need; both of its copies say the same."""
    for name, pointer in call.get("keep", {}).items():
        kept[name] = at(structured, pointer)
    assert json.loads(text) == structured, f"{call['tool']}: text and structured content differ"
    for pointer, expected in call["expect"].items():
        found = at(structured, pointer)
        assert found == expected, f"{call['tool']}: {pointer} is {found!r}, not {expected!r}"


def calls_over(target):
    """The calls to make over HTTP, where the target is a URL, or over standard streams."""
    over = "http" if target[0].startswith("http") else "stdio"
    return [call for call in CALLS if call.get("over", over) == over]


def check_covered(tools, calls):
    """Every tool that the server lists is called, and in the same order each time."""
    called = [call["tool"] for call in calls]
    assert tools == called, f"the server lists {tools}, the calls are of {called}"
