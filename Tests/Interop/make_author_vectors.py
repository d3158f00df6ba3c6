"""Writes Tests/Vectors/authors.json: messages that their authors have signed (PROTOCOL §9.8), from fixed seeds.

Written from PROTOCOL.md alone, so by nothing of what the vectors test. Run it by hand.
"""

import json
import os

import roamkey_wire as wire

VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Vectors")
AUTHOR = bytes(range(32))
SERVER = wire.SigningKey(bytes(range(32, 64))).public


def case(application: str, run: int, number: int, content: wire.Content) -> dict:
    key = wire.SigningKey(AUTHOR)
    wire.sign_content(content, key, application, SERVER, run, number)
    content.author = key.public
    return {
        "application": application,
        "run": f"{run:016x}",
        "number": number,
        "format": content.format,
        "action": content.action,
        "body": content.body.hex(),
        "statement": wire.author_statement(application, SERVER, run, number, content).hex(),
        "proof": content.proof.hex(),
        "content": content.write().hex(),
    }


def main():
    key = wire.SigningKey(AUTHOR)
    cases = [
        case("galaxy/1", 0x0123456789ABCDEF, 1, wire.Content("I take Vega".encode(), 1, "order")),
        case("galaxy/1", 0x0123456789ABCDEF, 2, wire.Content(b"", 0, "")),
        case("\u00e4" * 127 + "x", 1, 2**64 - 1, wire.Content(b"\xa1\x61x\x01", 2, "a" * 64, time=1_234_567)),
        case("x", 2**64 - 1, 300, wire.Content(bytes(1000), 0, "b", wants_receipt=True)),
    ]
    vectors = {"seed": AUTHOR.hex(), "author": key.public.hex(), "server": SERVER.hex(), "cases": cases}
    with open(os.path.join(VECTORS, "authors.json"), "w") as file:
        json.dump(vectors, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
