"""Writes Tests/Vectors/keys.json: keys for one application (PROTOCOL §12.5) and hand-overs (§12.6), from fixed seeds.

Written from PROTOCOL.md alone, so by nothing of what the vectors test. Run it by hand.
"""

import base64
import json
import os

import roamkey_wire as wire

VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Vectors")
ROOT, OTHER = bytes(range(32)), bytes(range(100, 132))


def child(root: bytes, application: str, number: int) -> dict:
    name = application.encode()
    seed = wire.H("rk1 child", bytes([len(name)]) + name + number.to_bytes(4, "big"), key=root)
    return {
        "root": root.hex(),
        "application": application,
        "number": number,
        "seed": seed.hex(),
        "public": wire.SigningKey(seed).public.hex(),
    }


def handover(old_seed: bytes, new_seed: bytes, time: int) -> dict:
    old, new = wire.SigningKey(old_seed), wire.SigningKey(new_seed)
    body = b"\x01" + old.public + new.public + time.to_bytes(8, "big")
    digest = wire.H("rk1 handover", body)
    statement = body + old.sign(wire.label("roamkey/1 hand over") + digest)
    statement += new.sign(wire.label("roamkey/1 take over") + digest)
    lines = base64.b64encode(statement).decode()
    lines = [lines[start : start + 64] for start in range(0, len(lines), 64)]
    text = "\n".join(["-----BEGIN ROAMKEY HANDOVER-----", *lines, "-----END ROAMKEY HANDOVER-----", ""])
    return {
        "old_seed": old_seed.hex(),
        "new_seed": new_seed.hex(),
        "time": time,
        "statement": statement.hex(),
        "text": text,
    }


def main():
    vectors = {
        "children": [
            child(ROOT, "galaxy/1", 0),
            child(ROOT, "galaxy/1", 1),
            child(ROOT, "galaxy/2", 0),
            child(OTHER, "galaxy/1", 0),
            child(ROOT, "\u00e4" * 127 + "x", 2**32 - 1),
        ],
        "handovers": [
            handover(ROOT, OTHER, 1_795_000_000),
            handover(OTHER, ROOT, 0),
            handover(bytes(32), ROOT, 2**64 - 1),
        ],
    }
    with open(os.path.join(VECTORS, "keys.json"), "w") as file:
        json.dump(vectors, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
