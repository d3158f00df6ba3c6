"""Reads and checks files of evidence, written from docs/EVIDENCE.md and docs/PROTOCOL.md alone.

Without arguments it reads Tests/Vectors/evidence.json; else the files that are named, parts of one session.
"""

import json
import os
import sys

import roamkey_wire as wire

VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Vectors", "evidence.json")
SIZES = {1: range(49, 48 + 1400 + 1), 2: range(16, 17), 3: range(88, 89), 4: range(89, 90)}


class Refused(Exception):
    """Why a file is no good evidence; `code` as `roamkey verify --json` has it."""

    def __init__(self, code: str, record: int = 0):
        super().__init__(f"{code} at record {record}")
        self.code, self.record = code, record


def number(data: bytes) -> int:
    return int.from_bytes(data, "big")


class Header:
    """§2."""

    def __init__(self, data: bytes):
        if data[:6] != b"RKEVID"[: len(data)]:
            raise Refused("notEvidence")
        if len(data) >= 8 and number(data[6:8]) != 1:
            raise Refused("unknownVersion")
        if len(data) < 143:
            raise Refused("truncated")
        self.role, policy, self.part = data[8], data[9], number(data[10:14])
        self.server, self.player, self.h, self.previous = (data[at : at + 32] for at in range(14, 142, 32))
        size = data[142]
        if self.role > 1 or size == 0:
            raise Refused("malformed")
        if policy != 1:
            raise Refused("notSigned")
        self.app = data[143 : 143 + size]
        if len(self.app) < size:
            raise Refused("truncated")
        try:
            self.app.decode()
        except UnicodeDecodeError:
            raise Refused("malformed")
        if self.part == 0 or (self.part == 1) != (self.previous == bytes(32)):
            raise Refused("malformed")
        self.bytes = data[: 143 + size]
        names = bytes([size]) + self.app + self.player + self.server + self.h
        self.sid = wire.H("rk1 session", names)
        self.sender, self.recorder = (self.player, self.server) if self.role == 0 else (self.server, self.player)


class Part:
    """One file (§3, §4). `seen` has the numbers of packets in the parts before."""

    def __init__(self, data: bytes, seen=frozenset()):
        self.header = header = Header(data)
        self.packets, self.missed, self.why, self.seen = [], 0, None, set(seen)
        chain, at, index, suspect = wire.H("rk1 record", header.bytes), len(header.bytes), 0, None
        signed = 0
        while self.why is None:
            head = data[at : at + 7]
            if len(head) < 7:
                raise Refused("altered", suspect) if suspect else Refused("truncated", signed)
            index += 1
            kind, size = head[0], number(head[5:7])
            if size not in SIZES.get(kind, ()):
                raise Refused("altered", suspect) if suspect else Refused("malformed", index)
            if number(head[1:5]) != index:
                raise Refused("altered", suspect) if suspect else Refused("reordered", index)
            record = data[at : at + 7 + size]
            if len(record) < 7 + size:
                raise Refused("altered", suspect) if suspect else Refused("truncated", signed)
            body = record[7:]
            if kind == 1:
                frames = self.signed_frames(body)
                if frames is None:
                    suspect = suspect or index
                self.packets.append((number(body[:8]), number(body[8:16]), frames))
                if suspect is None:
                    self.check_number(number(body[8:16]), index)
            elif kind == 2:
                if not 0 < number(body[8:]) < 2**62:
                    raise Refused("altered", suspect) if suspect else Refused("malformed", index)
                self.missed += number(body[8:])
            else:
                statement = wire.label("roamkey/1 record") + wire.H("rk1 record", chain + record[:-64])
                if not wire.verify(header.recorder, record[-64:], statement):
                    raise Refused("altered", suspect or index)
                if suspect:
                    raise Refused("wronglyAttributed", suspect)
                if (number(body[8:16]), number(body[16:24])) != (len(self.packets), self.missed):
                    raise Refused("miscounted", index)
                signed = index
                if kind == 4:
                    if body[24] > 2:
                        raise Refused("malformed", index)
                    self.why = body[24]
            chain = wire.H("rk1 record", chain + record)
            at += len(record)
        if at < len(data):
            raise Refused("continued", index)
        self.chain = chain

    def signed_frames(self, body: bytes):
        """The frames of a packet, or None where its sender has not signed it (PROTOCOL §4.2)."""
        pn8, b, plaintext = body[8:16], body[16:48], body[48:]
        depth, place = plaintext[-1] >> 4, plaintext[-1] & 15
        size = 65 + 32 * depth
        if depth > 4 or place >= 1 << depth or size > len(plaintext):
            return None
        frames, trailer = plaintext[:-size], plaintext[-size:]
        x = wire.H("rk1 leaf", self.header.sid + bytes([self.header.role]) + pn8 + frames, b)
        for i in range(depth):
            sibling = trailer[64 + 32 * i : 96 + 32 * i]
            x = wire.node(sibling, x) if place >> i & 1 else wire.node(x, sibling)
        return frames if wire.verify(self.header.sender, trailer[:64], wire.root_message(depth, x)) else None

    def check_number(self, pn: int, index: int) -> None:
        if pn >= 2**62 or pn in self.seen or (self.seen and pn + 4096 <= max(self.seen)):
            raise Refused("repeated", index)
        self.seen.add(pn)


def read_session(files):
    """The parts of one session, checked one after the other; and the parts that are missing."""
    headers = [Header(data) for data in files]
    if len({(header.sid, header.role) for header in headers}) > 1:
        raise ValueError("these are files of several sessions")
    parts, missing, last = [], [], None
    for data in sorted(files, key=lambda data: Header(data).part):
        expected = last.header.part + 1 if last else 1
        header = Header(data)
        if header.part == expected - 1:
            raise Refused("partTwice")
        if header.part > expected:
            missing += range(expected, min(header.part, expected + 1000))
        elif last and header.previous != last.chain:
            raise Refused("detached")
        last = Part(data, last.seen if last else frozenset())
        parts.append(last)
    return parts, missing


def check_vectors() -> None:
    with open(VECTORS) as file:
        vectors = json.load(file)
    for case in vectors["genuine"]:
        parts, missing = read_session([bytes.fromhex(part["file"]) for part in case["parts"]])
        assert missing == [], case["name"]
        for part, expected in zip(parts, case["parts"]):
            packets = [record for record in expected["records"] if record["kind"] == "packet"]
            assert [pn for _, pn, _ in part.packets] == [packet["number"] for packet in packets], case["name"]
            assert [frames.hex() for _, _, frames in part.packets] == [packet["frames"] for packet in packets]
    for case in vectors["refused"]:
        try:
            read_session([bytes.fromhex(part) for part in case["parts"]])
        except Refused as refusal:
            assert refusal.code == case["code"], f"{case['name']}: {refusal}"
        else:
            raise AssertionError(f"{case['name']} was accepted")
    print(f"evidence: {len(vectors['genuine'])} sessions were read, {len(vectors['refused'])} were refused")


def main() -> None:
    if len(sys.argv) == 1:
        return check_vectors()
    files = []
    for path in sys.argv[1:]:
        with open(path, "rb") as file:
            files.append(file.read())
    try:
        parts, missing = read_session(files)
    except Refused as refusal:
        sys.exit(f"refused: {refusal}")
    header = parts[0].header
    print(f"genuine: {header.app.decode()}, player {wire.player_id(header.player)}, "
          f"server {wire.player_id(header.server)}, {sum(len(part.packets) for part in parts)} packets"
          + (f", parts missing: {missing}" if missing else ""))


if __name__ == "__main__":
    main()
