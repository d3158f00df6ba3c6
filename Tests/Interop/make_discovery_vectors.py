"""Writes Tests/Vectors/discovery.json: questions and beacons (PROTOCOL §15) from fixed seeds.

Written from PROTOCOL.md alone, so by nothing of what the vectors test. Run it by hand.
"""

import ipaddress
import json
import os
import struct

import roamkey_wire as wire

VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Vectors")
VERSION = bytes.fromhex("524b0001")
NONCE = bytes(range(0xA0, 0xB0))


def text(words: str) -> bytes:
    """A text with its size before it."""
    data = words.encode()
    return bytes([len(data)]) + data


def seek(nonce: bytes, application: str) -> bytes:
    """A question (§15.1)."""
    return (b"\xc0" + VERSION + b"\0\0" + nonce + text(application)).ljust(512, b"\0")


def beacon(key: wire.SigningKey, nonce: bytes, fields: dict, more: bytes = b"") -> bytes:
    """An answer (§15.2)."""
    signed = b"\xd0" + VERSION + b"\0\0" + nonce + key.public
    signed += struct.pack(">QQB", fields["instance"], fields["sequence"], fields["flags"])
    signed += ipaddress.IPv6Address(fields["ip"]).packed
    signed += struct.pack(">HII", fields["port"], fields["players"], fields["capacity"])
    signed += text(fields["application"]) + text(fields["name"]) + more
    return signed + key.sign(wire.label("roamkey/1 beacon") + signed)


def main():
    seed = bytes(range(32))
    key = wire.SigningKey(seed)
    fields = {
        "instance": 0x0102030405060708,
        "sequence": 7,
        "flags": 0,
        "ip": "::ffff:192.0.2.20",
        "port": 7447,
        "players": 3,
        "capacity": 64,
        "application": "galaxy/1",
        "name": "Anna's Räume",
    }
    beacons = [
        ("usual", fields, b""),
        ("withoutName", {**fields, "name": "", "players": 0xFFFFFFFF, "capacity": 0}, b""),
        ("farewell", {**fields, "ip": "fe80::20", "sequence": 8, "flags": 1}, b""),
        ("ofLaterVersions", {**fields, "flags": 0x80}, b"more of it"),
        ("longest", {**fields, "application": "a" * 255, "name": "n" * 64}, b""),
    ]
    result = {
        "nonce": NONCE.hex(),
        "seed": seed.hex(),
        "publicKey": key.public.hex(),
        "seeks": [{"application": words, "datagram": seek(NONCE, words).hex()} for words in ("", "galaxy/1", "ä" * 127)],
        "beacons": [
            {"name": name, "fields": values, "more": more.hex(), "datagram": beacon(key, NONCE, values, more).hex()}
            for name, values, more in beacons
        ],
    }
    with open(os.path.join(VECTORS, "discovery.json"), "w") as file:
        json.dump(result, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
