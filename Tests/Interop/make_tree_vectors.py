"""Writes Tests/Vectors/signature_trees.json: trees of each depth (PROTOCOL §4.1) over packets of the reference session.

Made by the reader of the protocol in roamkey_wire, so by nothing of what the vectors test. Run it by hand.
"""

import json
import os
import struct

import roamkey_wire as wire

VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Vectors")


def frames_of(i: int) -> bytes:
    """Bytes of all sizes; they only stand for something, and are not whole frames."""
    return bytes((7 * i + 3 * j + 1) % 256 for j in range(5 + 23 * i))


def main():
    with open(os.path.join(VECTORS, "roamkey_reference.json")) as file:
        reference = json.load(file)["scid0"]
    key = wire.SigningKey(bytes.fromhex(reference["inputs"]["edSeedInitiator"]))
    sid, blind = bytes.fromhex(reference["sid"]), bytes.fromhex(reference["blind0_0"])
    trees = []
    for count in (2, 3, 7, 16):
        packets, leaves = [], []
        for i in range(count):
            pn8 = struct.pack(">Q", 1000 * count + i)
            b = wire.H("rk1 blind", pn8, blind)
            leaves.append(wire.H("rk1 leaf", sid + b"\0" + pn8 + frames_of(i), b))
            packets.append({"number": 1000 * count + i, "frames": frames_of(i).hex(), "leaf": leaves[-1].hex()})
        for packet, trailer in zip(packets, wire.trailers(key, leaves)):
            packet["trailer"] = trailer.hex()
        trees.append({"depth": (count - 1).bit_length(), "packets": packets})
    text = "session scid0 of roamkey_reference.json, direction 0, phase 0"
    with open(os.path.join(VECTORS, "signature_trees.json"), "w") as file:
        json.dump({"of": text, "trees": trees}, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
