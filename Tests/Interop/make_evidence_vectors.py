"""Writes Tests/Vectors/evidence.json: files of evidence (EVIDENCE §7), and attacks on them, from fixed seeds.

Written from EVIDENCE.md and PROTOCOL.md alone, so by nothing of what the vectors test. Run it by hand.
"""

import json
import os
import struct

import roamkey_wire as wire

VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Vectors")
PLAYER, SERVER, OTHER = (wire.SigningKey(bytes([seed]) * 32) for seed in (1, 2, 3))
START = 1_700_000_000_000_000


class Session:
    """Two keys, a handshake hash, and the keys of one direction."""

    def __init__(self, role: int, app: bytes = b"galaxy/1", h: bytes = bytes(range(32)), player=PLAYER):
        self.role, self.app, self.h, self.player = role, app, h, player
        self.sender, self.recorder = (player, SERVER) if role == 0 else (SERVER, player)
        ks = (bytes([0x10]) * 32, bytes([0x20]) * 32)
        keys = wire.SessionKeys(app, player.public, SERVER.public, h, ks)
        self.direction, self.phase = keys.directions[role], keys.directions[role].first_phase

    def packets(self, first: int, frames, signer=None):
        """Packets with one tree over them."""
        leaves, made = [], []
        for i, f in enumerate(frames):
            pn8 = struct.pack(">Q", first + i)
            b = wire.H("rk1 blind", pn8, self.phase.blind)
            leaves.append(wire.leaf(self.direction, self.phase, first + i, f))
            made.append({"kind": "packet", "number": first + i, "blinder": b.hex(), "frames": f.hex()})
        for packet, trailer in zip(made, wire.trailers(signer or self.sender, leaves)):
            packet["plaintext"] = packet["frames"] + trailer.hex()
        return made

    def header(self, part: int = 1, previous: bytes = bytes(32), player: bytes = None) -> bytes:
        return (
            b"RKEVID\0\1" + bytes([self.role, 1]) + struct.pack(">I", part) + SERVER.public
            + (player or self.player.public) + self.h + previous + bytes([len(self.app)]) + self.app
        )

    def part(self, records, part: int = 1, previous: bytes = bytes(32), header: bytes = None, recorder=None):
        """A file, and where its chain ends."""
        data = header or self.header(part, previous)
        chain, packets, missed = wire.H("rk1 record", data), 0, 0
        for index, record in enumerate(records, 1):
            time = struct.pack(">Q", record.setdefault("time", START + 1000 * index))
            if record["kind"] == "packet":
                kind, packets = 1, packets + 1
                body = time + struct.pack(">Q", record["number"]) + bytes.fromhex(record["blinder"])
                body += bytes.fromhex(record["plaintext"])
            elif record["kind"] == "gap":
                kind, missed = 2, missed + record["count"]
                body = time + struct.pack(">Q", record["count"])
            else:
                kind = 3 if record["kind"] == "checkpoint" else 4
                body = time + struct.pack(">QQ", packets + record.get("lie", 0), missed)
                body += bytes([record["why"]]) if kind == 4 else b""
            size = len(body) + (64 if kind > 2 else 0)
            whole = struct.pack(">BIH", kind, record.get("index", index), size) + body
            if kind > 2:
                statement = wire.label("roamkey/1 record") + wire.H("rk1 record", chain + whole)
                whole += (recorder or self.recorder).sign(statement)
            chain = wire.H("rk1 record", chain + whole)
            data += whole
        return data, chain


def message(text: str, sequence: int) -> bytes:
    return wire.Message(sequence, wire.Content(text.encode(), 1, "chat").write()).write()


CHECK, END, MORE = {"kind": "checkpoint"}, {"kind": "end", "why": 1}, {"kind": "end", "why": 0}


def copy(*records):
    return [dict(record) for record in records]


def genuine():
    cases = []
    for role in (0, 1):
        session = Session(role)
        one = copy(*session.packets(0, [b"\1"]), CHECK)
        for depth, count in enumerate((2, 3, 7, 16), 1):
            frames = [message(f"tree {depth}, packet {i}", 100 * depth + i) for i in range(count)]
            one += copy(*session.packets(100 * depth, frames), CHECK)
        session.phase = session.phase.next()
        two = copy(*session.packets(900, [b"\1\1", b"\1" * 1000]), {"kind": "gap", "count": 17}, CHECK)
        # One of the phase before that comes late.
        three = copy(*session.packets(499, [message("late", 7)]), {"kind": "gap", "count": 1}, END)
        parts, previous = [], bytes(32)
        for index, records in enumerate((one + copy(MORE), two + copy(MORE), three), 1):
            data, chain = session.part(records, index, previous)
            parts.append({"previous": previous.hex(), "records": records, "file": data.hex()})
            previous = chain
        cases.append({"name": f"role {role}", "role": role, "app": "galaxy/1", "h": session.h.hex(), "parts": parts})
    # What a terminal would obey: it must not get there.
    session = Session(0, app=b"\x1b]0;game\x07")
    texts = ["\x1b[2J\x1b[H  GENUINE", "\u202eENIUNEG", "a\r\nb\n  GENUINE"]
    records = copy(*session.packets(1, [message(text, i) for i, text in enumerate(texts)]), END)
    parts = [{"previous": bytes(32).hex(), "records": records, "file": session.part(records)[0].hex()}]
    cases.append(
        {"name": "hostile", "role": 0, "app": session.app.decode(), "h": session.h.hex(), "parts": parts})
    name = "\u00e4" * 127 + "x"
    session = Session(1, app=name.encode())
    records = copy({"kind": "gap", "count": 3}, {"kind": "end", "why": 2})
    data, _ = session.part(records)
    parts = [{"previous": bytes(32).hex(), "records": records, "file": data.hex()}]
    cases.append({"name": "no packets", "role": 1, "app": name, "h": session.h.hex(), "parts": parts})
    return cases


def refused():
    """Each beside what is told of it. In most of them the recorder has signed for the lie."""
    session, cases = Session(0), []

    def add(name, code, *parts):
        cases.append({"name": name, "code": code, "parts": [part.hex() for part in parts]})

    a, b, c = session.packets(0, [b"\1"]) + session.packets(1, [b"\1\1"]) + session.packets(2, [b"\0\1"])
    whole, chain = session.part(copy(a, b, CHECK, c, END))
    add("cut in the header", "truncated", whole[:100])
    add("no end", "truncated", session.part(copy(a, b, CHECK))[0])
    add("cut in a record", "truncated", whole[:-1])
    add("something behind the end", "continued", whole + b"\1")
    add("the end comes twice", "continued", whole + whole[-96:])
    add("another file", "notEvidence", b"-----BEGIN PUBLIC KEY-----")
    add("a later version", "unknownVersion", whole[:7] + b"\2" + whole[8:])
    add("sealedOnly", "notSigned", whole[:9] + b"\0" + whole[10:])
    add("part 0", "malformed", session.part(copy(a, END), 0)[0])
    add("part 1 goes on from somewhere", "malformed", session.part(copy(a, END), 1, bytes([1]) * 32)[0])
    add("swapped", "reordered", session.part([dict(b, index=2), dict(a, index=1), dict(END)])[0])
    size = 7 + 48 + len(a["plaintext"]) // 2
    start = len(session.header())
    add("one taken away", "reordered", whole[:start] + whole[start + size :])
    swapped = session.part(copy(b, a, END), recorder=OTHER)[0]
    add("swapped and numbered anew, by somebody who is not the recorder", "altered", swapped)
    add("another recorder", "altered", session.part(copy(a, END), recorder=OTHER)[0])
    add("the sender as recorder", "altered", session.part(copy(a, END), recorder=PLAYER)[0])
    altered = bytearray(whole)
    altered[start + 7 + 48] ^= 1
    add("an altered packet", "altered", bytes(altered))
    forged = dict(a, plaintext="0101" + a["plaintext"][2:])
    add("an altered packet that the recorder signs for", "wronglyAttributed", session.part(copy(forged, END))[0])
    header = session.header(player=OTHER.public)
    add("another player's id", "wronglyAttributed", session.part(copy(a, b, END), header=header)[0])
    elsewhere = Session(0, h=bytes([9]) * 32).packets(5, [b"\1"])[0]
    add("a packet of another session", "wronglyAttributed", session.part(copy(a, elsewhere, END))[0])
    back = Session(1).packets(5, [b"\1"])[0]
    add("a packet of the other direction", "wronglyAttributed", session.part(copy(a, back, END))[0])
    other_app = Session(0, app=b"galaxy/2").packets(5, [b"\1"])[0]
    add("a packet of another application", "wronglyAttributed", session.part(copy(a, other_app, END))[0])
    renumbered = dict(a, number=77)
    add("another number", "wronglyAttributed", session.part(copy(renumbered, END))[0])
    by_recorder = session.packets(6, [b"\1"], signer=SERVER)[0]
    add("made by the recorder", "wronglyAttributed", session.part(copy(by_recorder, END))[0])
    add("a packet twice", "repeated", session.part(copy(a, b, a, END))[0])
    late = session.packets(4096, [b"\1"])[0]
    add("long after its time", "repeated", session.part(copy(late, a, END))[0])
    add("too many packets counted", "miscounted", session.part(copy(a, dict(END, lie=1)))[0])
    add("an empty gap", "malformed", session.part(copy({"kind": "gap", "count": 0}, END))[0])
    add("ends for no reason", "malformed", session.part(copy(a, dict(END, why=3)))[0])
    first, chain = session.part(copy(a, MORE))
    _, middle = session.part(copy(b, MORE), 2, chain)
    add("a packet again behind a part that is missing", "repeated", first, session.part(copy(a, END), 3, middle)[0])
    add("a packet again in the next part", "repeated", first, session.part(copy(a, END), 2, chain)[0])
    add("another first part", "detached", session.part(copy(b, MORE))[0], session.part(copy(c, END), 2, chain)[0])
    add("a part twice", "partTwice", first, first)
    return cases


def main():
    vectors = {
        "playerSeed": (bytes([1]) * 32).hex(),
        "serverSeed": (bytes([2]) * 32).hex(),
        "genuine": genuine(),
        "refused": refused(),
    }
    with open(os.path.join(VECTORS, "evidence.json"), "w") as file:
        json.dump(vectors, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
