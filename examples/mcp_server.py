#!/usr/bin/env python3
"""A server of the Model Context Protocol with one tool, for mcp.yml.

It reads a message a line from its standard input and writes its answers to its standard output. The
tool `price` adds up what a number of cups costs.
"""

import json
import sys

PRICES = {"tea": 2.5, "coffee": 3.0}
TOOL = {
    "name": "price",
    "description": "What a number of cups costs",
    "inputSchema": {
        "type": "object",
        "properties": {"drink": {"enum": sorted(PRICES)}, "cups": {"type": "integer", "minimum": 1}},
        "required": ["drink", "cups"],
    },
}


class Refused(Exception):
    """What the other side asked for is wrong: a code of JSON-RPC and a sentence."""


def call(name, arguments):
    if name != TOOL["name"]:
        raise Refused(-32602, f"Expected the tool price but found {name}")
    drink, cups = arguments.get("drink"), arguments.get("cups")
    if drink not in PRICES or not isinstance(cups, int):
        text = f"Expected a drink of {', '.join(sorted(PRICES))} and a number of cups"
        return {"content": [{"type": "text", "text": text}], "isError": True}
    total = PRICES[drink] * cups
    print(f"{cups} cups of {drink} were asked for", file=sys.stderr)
    return {
        "content": [{"type": "text", "text": f"{cups} cups of {drink} cost {total:.2f}"}],
        "structuredContent": {"total": total},
    }


def answer(method, params):
    if method == "initialize":
        return {
            "protocolVersion": "2025-06-18",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "kitchen", "version": "1"},
        }
    if method == "tools/list":
        return {"tools": [TOOL]}
    if method == "tools/call":
        return call(params.get("name"), params.get("arguments", {}))
    if method == "ping":
        return {}
    raise Refused(-32601, f"Expected a method that is known but found {method}")


def main():
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message:
            continue  # a notification asks for nothing
        reply = {"jsonrpc": "2.0", "id": message["id"]}
        try:
            reply["result"] = answer(message.get("method"), message.get("params", {}))
        except Refused as refused:
            code, text = refused.args
            reply["error"] = {"code": code, "message": text}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
