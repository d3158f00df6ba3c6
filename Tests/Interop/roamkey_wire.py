"""The bytes of the Roamkey protocol, version 1: a second reading of docs/PROTOCOL.md, which every § here refers to.

The handshake is in roamkey_handshake. Nothing in this file opens a socket or looks at a clock. It needs Python 3.9 and
the package `cryptography`.
"""

import hashlib
import struct
from dataclasses import dataclass, field
from typing import List, NamedTuple, Optional, Tuple

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

PACKET_SIZE, TAG_SIZE = 1200, 16
EVERY_PACKET, SEALED_ONLY = 1, 0
ORDERED, UNORDERED, LATEST, UNRELIABLE = 0, 1, 2, 3  # §9.1

# §11.2
DONE, KICKED, REPLACED, SHUTDOWN, TOO_SLOW = 0x00, 0x01, 0x02, 0x03, 0x04
PROTOCOL_VIOLATION, BAD_SIGNATURE, LIMIT_EXCEEDED, KEY_MISUSE = 0x10, 0x11, 0x12, 0x13
REFUSALS = {0x20: "wrongApplication", 0x21: "wrongSigningPolicy", 0x22: "notAllowed", 0x23: "banned", 0x24: "full"}


class Dropped(Exception):
    """This datagram is dropped without an answer."""


class Violation(Exception):
    """The peer broke a rule: the session closes with `code`."""

    def __init__(self, code: int, why: str):
        super().__init__(f"{why} (code {code:02x})")
        self.code = code


# Notation and primitives


def label(text: str, size: int = 32) -> bytes:
    """L(x) with 32 bytes, P(x) with 16."""
    return text.encode("ascii").ljust(size, b"\0")


def H(person: str, data: bytes, key: bytes = b"", n: int = 32) -> bytes:
    return hashlib.blake2b(data, digest_size=n, key=key, person=label(person, 16)).digest()


def K(key: bytes, i: int) -> bytes:
    salt = struct.pack("<Q", i) + bytes(8)
    return hashlib.blake2b(b"", digest_size=32, key=key, salt=salt, person=label("Roamkey1", 16)).digest()


def varint(value: int) -> bytes:
    for size, prefix in ((1, 0x00), (2, 0x40), (4, 0x80), (8, 0xC0)):
        if value < 1 << (8 * size - 2):
            out = bytearray(value.to_bytes(size, "big"))
            out[0] |= prefix
            return bytes(out)
    raise ValueError("no varint holds this number")


class Reader:
    """Takes fields from the front of some bytes; ValueError when they end early."""

    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def left(self) -> int:
        return len(self.data) - self.at

    def take(self, size: int) -> bytes:
        if size > self.left():
            raise ValueError("cut off")
        self.at += size
        return self.data[self.at - size : self.at]

    def byte(self) -> int:
        return self.take(1)[0]

    def rest(self) -> bytes:
        return self.take(self.left())

    def varint(self) -> int:
        first = self.byte()
        more = self.take((1 << (first >> 6)) - 1)
        return int.from_bytes(bytes([first & 0x3F]) + more, "big")


def address_bytes(host: str, port: int) -> bytes:
    """`ip16 ‖ port2` of an IPv4 address."""
    return bytes(10) + b"\xff\xff" + bytes(int(part) for part in host.split(".")) + struct.pack(">H", port)


def address_text(ip: bytes, port: int) -> str:
    if ip[:12] == bytes(10) + b"\xff\xff":
        return ".".join(str(part) for part in ip[12:]) + f":{port}"
    return f"[{ip.hex()}]:{port}"


# The y coordinates of the points of small order, with y = p and y = p + 1, which mean 0 and 1.
_P = 2**255 - 19
_Y8 = int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")
SMALL_ORDER = {0, 1, _P - 1, _Y8, _P - _Y8, _P, _P + 1}


def verify(public: bytes, signature: bytes, message: bytes) -> bool:
    """Ed25519. The library refuses a second half that is not below the group order; points of small order we refuse."""
    y = [int.from_bytes(point, "little") & ((1 << 255) - 1) for point in (public, signature[:32])]
    if y[0] in SMALL_ORDER or y[0] >= _P or y[1] in SMALL_ORDER:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        return True
    except (InvalidSignature, ValueError):
        return False


class SigningKey:
    """A player's or a server's Ed25519 key pair."""

    def __init__(self, seed: Optional[bytes] = None):
        self._key = Ed25519PrivateKey.from_private_bytes(seed) if seed else Ed25519PrivateKey.generate()
        self.public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)

    def pem(self) -> bytes:
        """§12.3, label PRIVATE KEY."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class AgreementKey:
    """An X25519 key pair."""

    def __init__(self, private: Optional[bytes] = None):
        self._key = X25519PrivateKey.from_private_bytes(private) if private else X25519PrivateKey.generate()
        self.public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def agree(self, public: bytes) -> bytes:
        try:
            return self._key.exchange(X25519PublicKey.from_public_bytes(public))
        except ValueError:  # an all-zero result
            raise Dropped("key of small order")


def deceives(character: str) -> bool:
    """§7: control, separator and bidirectional characters."""
    c = ord(character)
    return (
        c <= 0x1F
        or 0x7F <= c <= 0x9F
        or c in (0x2028, 0x2029, 0x061C, 0x200E, 0x200F)
        or 0x202A <= c <= 0x202E
        or 0x2066 <= c <= 0x2069
    )


# §2.1: keys


class Phase:
    """The keys of one phase of one direction."""

    def __init__(self, n: int, root: bytes):
        self.n, self._root = n, root
        self.aead, self.blind = K(root, 1), K(root, 2)

    def next(self) -> "Phase":
        return Phase(self.n + 1, K(self._root, 3))


class Direction:
    """One direction of a session: d is 0 from initiator to responder, 1 back."""

    def __init__(self, sid: bytes, d: int, k: bytes):
        self.sid, self.d = sid, d
        base = H("rk1 base", sid + bytes([d]), k)
        self.hp, self.first_phase = K(base, 1), Phase(0, K(base, 2))


class SessionKeys:
    def __init__(self, app: bytes, initiator: bytes, responder: bytes, h: bytes, ks: Tuple[bytes, bytes]):
        self.h, self.ks = h, ks
        self.sid = H("rk1 session", bytes([len(app)]) + app + initiator + responder + h)
        self.directions = [Direction(self.sid, d, ks[d]) for d in (0, 1)]


# §3: packets


def pn_size(pn: int, largest_acknowledged: Optional[int]) -> int:
    """§3.2, writing."""
    u = pn + 1 if largest_acknowledged is None else pn - largest_acknowledged
    return next(n for n in (1, 2, 3, 4) if u <= 1 << (8 * n - 1))


def restore_pn(truncated: int, size: int, expected: int) -> int:
    """§3.2, reading."""
    w = 1 << (8 * size)
    candidate = (expected & ~(w - 1)) | truncated
    if candidate + w // 2 <= expected and candidate < (1 << 62) - w:
        return candidate + w
    if candidate > expected + w // 2 and candidate >= w:
        return candidate - w
    return candidate


def mask(hp: bytes, sample: bytes) -> bytes:
    """§3.4, steps 1 and 2."""
    return Cipher(algorithms.ChaCha20(hp, sample), mode=None).encryptor().update(bytes(5))


def nonce(pn: int) -> bytes:
    return bytes(4) + struct.pack(">Q", pn)


def pad_frames(frames: bytes, size: int) -> bytes:
    """§3.3: enough bytes behind the packet number for the sample."""
    return frames.ljust(4 - size, b"\0")


def seal_packet(
    direction: Direction, phase: Phase, cid: bytes, pn: int, size: int, plaintext: bytes, reserved: int = 0
) -> bytes:
    """§3.3 and §3.4. `reserved` is for those who want to see what a peer says to reserved bits."""
    first = reserved << 3 | (phase.n & 1) << 2 | (size - 1)
    header = bytes([first]) + cid + pn.to_bytes(8, "big")[-size:]
    out = bytearray(header + ChaCha20Poly1305(phase.aead).encrypt(nonce(pn), plaintext, header))
    at = 1 + len(cid)
    m = mask(direction.hp, bytes(out[at + 4 : at + 20]))
    out[0] ^= m[0] & 0x1F
    for i in range(size):
        out[at + i] ^= m[1 + i]
    return bytes(out)


class Unmasked(NamedTuple):
    """A packet after step 3 of §3.5."""

    header: bytes
    sealed: bytes
    pn: int
    phase_bit: int
    reserved: int


def unmask(direction: Direction, cid_size: int, datagram: bytes, expected: int) -> Unmasked:
    if len(datagram) < 1 + cid_size + 20 or datagram[0] >> 5:
        raise Dropped("not a packet")
    at = 1 + cid_size
    m = mask(direction.hp, datagram[at + 4 : at + 20])
    first = datagram[0] ^ (m[0] & 0x1F)
    size = (first & 3) + 1
    number = bytes(datagram[at + i] ^ m[1 + i] for i in range(size))
    pn = restore_pn(int.from_bytes(number, "big"), size, expected)
    header = bytes([first]) + datagram[1:at] + number
    return Unmasked(header, datagram[at + size :], pn, first >> 2 & 1, first >> 3 & 3)


def open_packet(phase: Phase, packet: Unmasked) -> Optional[bytes]:
    try:
        return ChaCha20Poly1305(phase.aead).decrypt(nonce(packet.pn), packet.sealed, packet.header)
    except InvalidTag:
        return None


# §4: the signature trailer


def leaf(direction: Direction, phase: Phase, pn: int, frames: bytes) -> bytes:
    pn8 = struct.pack(">Q", pn)
    b = H("rk1 blind", pn8, phase.blind)
    return H("rk1 leaf", direction.sid + bytes([direction.d]) + pn8 + frames, b)


def node(left: bytes, right: bytes) -> bytes:
    return H("rk1 node", left + right)


def root_message(depth: int, root: bytes) -> bytes:
    return label("roamkey/1 packets") + bytes([depth]) + root


def trailers(key: SigningKey, leaves: List[bytes]) -> List[bytes]:
    """One signature over up to 16 packets: their trailers, in order (§4.1)."""
    depth = (len(leaves) - 1).bit_length()
    levels = [leaves + [bytes(32)] * ((1 << depth) - len(leaves))]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([node(below[i], below[i + 1]) for i in range(0, len(below), 2)])
    signature = key.sign(root_message(depth, levels[-1][0]))
    path = lambda index: b"".join(levels[i][(index >> i) ^ 1] for i in range(depth))
    return [signature + path(index) + bytes([depth << 4 | index]) for index in range(len(leaves))]


def verified_frames(direction: Direction, phase: Phase, pn: int, plaintext: bytes, ed_pub: bytes) -> bytes:
    """§4.2: the frames, or badSignature. The memory of roots in step 4 only saves time and is left out."""
    depth, index = (plaintext[-1] >> 4, plaintext[-1] & 15) if plaintext else (15, 0)
    size = 65 + 32 * depth
    if depth > 4 or index >= 1 << depth or size > len(plaintext):
        raise Violation(BAD_SIGNATURE, "malformed trailer")
    frames, trailer = plaintext[:-size], plaintext[-size:]
    x = leaf(direction, phase, pn, frames)
    for i in range(depth):
        sibling = trailer[64 + 32 * i : 96 + 32 * i]
        x = node(sibling, x) if index >> i & 1 else node(x, sibling)
    if not verify(ed_pub, trailer[:64], root_message(depth, x)):
        raise Violation(BAD_SIGNATURE, "wrong signature")
    return frames


# §8: frames


class Padding(NamedTuple):
    def write(self) -> bytes:
        return b"\x00"


class Ping(NamedTuple):
    def write(self) -> bytes:
        return b"\x01"


class Ack(NamedTuple):
    """`ranges`: (lowest, highest) pairs, the highest pair first; `delay` in microseconds."""

    delay: int
    ranges: List[Tuple[int, int]]

    def write(self) -> bytes:
        low, high = self.ranges[0]
        out = b"\x02" + varint(high) + varint(self.delay) + varint(len(self.ranges) - 1) + varint(high - low)
        for next_low, next_high in self.ranges[1:]:
            out += varint(low - next_high - 2) + varint(next_high - next_low)
            low = next_low
        return out


class Close(NamedTuple):
    code: int
    text: bytes = b""

    def write(self) -> bytes:
        return b"\x03" + varint(self.code) + varint(len(self.text)) + self.text


class PathChallenge(NamedTuple):
    data: bytes

    def write(self) -> bytes:
        return b"\x04" + self.data


class PathResponse(NamedTuple):
    data: bytes

    def write(self) -> bytes:
        return b"\x05" + self.data


class PathDrop(NamedTuple):
    data: bytes

    def write(self) -> bytes:
        return b"\x06" + self.data


class NewConnectionID(NamedTuple):
    """`retire`: all with a lower sequence are to be retired. §5.9"""

    sequence: int
    retire: int
    id: bytes
    token: bytes

    def write(self) -> bytes:
        return b"\x07" + varint(self.sequence) + varint(self.retire) + bytes([len(self.id)]) + self.id + self.token


class RetireConnectionID(NamedTuple):
    sequence: int

    def write(self) -> bytes:
        return b"\x08" + varint(self.sequence)


class Moved(NamedTuple):
    epoch: int

    def write(self) -> bytes:
        return b"\x09" + varint(self.epoch)


class Addresses(NamedTuple):
    """`addresses`: pairs of 16 bytes and a port, best first. §5.6"""

    sequence: int
    addresses: List[Tuple[bytes, int]]

    def write(self) -> bytes:
        listed = b"".join(ip + struct.pack(">H", port) for ip, port in self.addresses)
        return b"\x0a" + varint(self.sequence) + bytes([len(self.addresses)]) + listed


class ObservedAddress(NamedTuple):
    sequence: int
    ip: bytes
    port: int

    def write(self) -> bytes:
        return b"\x0b" + varint(self.sequence) + self.ip + struct.pack(">H", self.port)


class MaxData(NamedTuple):
    limit: int

    def write(self) -> bytes:
        return b"\x0c" + varint(self.limit)


class Stream(NamedTuple):
    """One channel in one delivery mode, §9.1."""

    channel: int = 0
    mode: int = ORDERED

    @property
    def number(self) -> int:
        return self.channel << 2 | self.mode

    @property
    def is_reliable(self) -> bool:
        return self.mode in (ORDERED, UNORDERED)


class MaxChannelData(NamedTuple):
    stream: Stream
    limit: int

    def write(self) -> bytes:
        return b"\x0d" + varint(self.stream.number) + varint(self.limit)


class Receipt(NamedTuple):
    """The messages from `last - extra` to `last`."""

    stream: Stream
    last: int
    extra: int = 0

    def write(self) -> bytes:
        return b"\x0e" + varint(self.stream.number) + varint(self.last) + varint(self.extra)


class Skip(NamedTuple):
    stream: Stream
    sequence: int
    credit: int

    def write(self) -> bytes:
        return b"\x0f" + varint(self.stream.number) + varint(self.sequence) + varint(self.credit)


class TimeRequest(NamedTuple):
    time: int

    def write(self) -> bytes:
        return b"\x10" + struct.pack(">Q", self.time)


class TimeResponse(NamedTuple):
    """`delay` in microseconds."""

    echo: int
    received: int
    delay: int

    def write(self) -> bytes:
        return b"\x11" + struct.pack(">QQ", self.echo, self.received) + varint(self.delay)


class Resting(NamedTuple):
    sequence: int
    state: int

    def write(self) -> bytes:
        return b"\x12" + varint(self.sequence) + bytes([self.state])


class Message(NamedTuple):
    """A MESSAGE frame, §9.1. `total` is None for a whole message."""

    sequence: int
    data: bytes
    offset: int = 0
    total: Optional[int] = None
    stream: Stream = Stream()

    def write(self, is_last: bool = False) -> bytes:
        """`is_last`: nothing follows in the packet, so that the length may go."""
        piece = self.total is not None
        out = bytes([0x20 | self.stream.mode << 2 | piece << 1 | (not is_last)])
        out += varint(self.stream.channel) + varint(self.sequence)
        if piece:
            out += varint(self.offset) + varint(self.total)
        return out + (b"" if is_last else varint(len(self.data))) + self.data


PROBING = (Padding, PathChallenge, PathResponse, PathDrop, NewConnectionID)
ACK_ELICITING = (Ping, PathChallenge, PathResponse, PathDrop, NewConnectionID, RetireConnectionID, Moved, Addresses)
ACK_ELICITING += (ObservedAddress, MaxData, MaxChannelData, Receipt, Skip, Resting, Message)


def read_frames(data: bytes):
    """Yields the frames in order; a violation where they end or mean nothing."""
    if not data:
        raise Violation(PROTOCOL_VIOLATION, "a packet without frames")
    reader = Reader(data)
    while reader.left():
        try:
            yield _read_frame(reader)
        except ValueError as error:
            raise Violation(PROTOCOL_VIOLATION, str(error))


def _read_frame(reader: Reader):
    kind = reader.byte()
    if kind == 0x00:
        return Padding()
    if kind == 0x01:
        return Ping()
    if kind == 0x02:
        return _read_ack(reader)
    if kind == 0x03:
        return _read_close(reader)
    if kind == 0x04:
        return PathChallenge(reader.take(8))
    if kind == 0x05:
        return PathResponse(reader.take(8))
    if kind == 0x06:
        return PathDrop(reader.take(8))
    if kind == 0x07:
        return _read_new_connection_id(reader)
    if kind == 0x08:
        return RetireConnectionID(reader.varint())
    if kind == 0x09:
        return Moved(reader.varint())
    if kind == 0x0A:
        return _read_addresses(reader)
    if kind == 0x0B:
        return ObservedAddress(reader.varint(), *_read_address(reader))
    if kind == 0x0C:
        return MaxData(reader.varint())
    if kind == 0x0D:
        return MaxChannelData(_read_reliable(reader), reader.varint())
    if kind == 0x0E:
        return _read_receipt(reader)
    if kind == 0x0F:
        return Skip(_read_reliable(reader), reader.varint(), reader.varint())
    if kind == 0x10:
        return TimeRequest(*struct.unpack(">Q", reader.take(8)))
    if kind == 0x11:
        return TimeResponse(*struct.unpack(">QQ", reader.take(16)), reader.varint())
    if kind == 0x12:
        return _read_resting(reader)
    if kind & 0xF0 == 0x20:
        return _read_message(kind, reader)
    raise ValueError(f"unknown frame {kind:02x}")


def _read_ack(reader: Reader) -> Ack:
    high, delay, count, first = (reader.varint() for _ in range(4))
    if count > 63 or first > high:
        raise ValueError("malformed ACK")
    ranges, low = [(high - first, high)], high - first
    for _ in range(count):
        high = low - reader.varint() - 2
        low = high - reader.varint()
        if low < 0:
            raise ValueError("malformed ACK")
        ranges.append((low, high))
    return Ack(min(delay, 60_000_000), ranges)


def _read_close(reader: Reader) -> Close:
    code, size = reader.varint(), reader.varint()
    if size > 128:
        raise ValueError("long reason")
    return Close(code, reader.take(size))


def _read_new_connection_id(reader: Reader) -> NewConnectionID:
    sequence, retire, size = reader.varint(), reader.varint(), reader.byte()
    if retire > sequence or not 1 <= size <= 20:
        raise ValueError("malformed NEW_CONNECTION_ID")
    return NewConnectionID(sequence, retire, reader.take(size), reader.take(16))


def _read_addresses(reader: Reader) -> Addresses:
    sequence, count = reader.varint(), reader.byte()
    if count > 8:
        raise ValueError("too many addresses")
    return Addresses(sequence, [_read_address(reader) for _ in range(count)])


def _read_address(reader: Reader) -> Tuple[bytes, int]:
    return reader.take(16), int.from_bytes(reader.take(2), "big")


def _read_stream(reader: Reader) -> Stream:
    number = reader.varint()
    if number >= 1024:
        raise ValueError("no such stream")
    return Stream(number >> 2, number & 3)


def _read_reliable(reader: Reader) -> Stream:
    stream = _read_stream(reader)
    if not stream.is_reliable:
        raise ValueError("a mode without credit")
    return stream


def _read_receipt(reader: Reader) -> Receipt:
    receipt = Receipt(_read_stream(reader), reader.varint(), reader.varint())
    if receipt.extra > receipt.last:
        raise ValueError("a receipt below 0")
    return receipt


def _read_resting(reader: Reader) -> Resting:
    frame = Resting(reader.varint(), reader.byte())
    if frame.state > 1:
        raise ValueError("neither resting nor not")
    return frame


def _read_message(kind: int, reader: Reader) -> Message:
    stream = Stream(reader.varint(), kind >> 2 & 3)
    if stream.channel > 255:
        raise ValueError("no such channel")
    sequence, piece = reader.varint(), kind & 2
    offset, total = (reader.varint(), reader.varint()) if piece else (0, None)
    data = reader.take(reader.varint()) if kind & 1 else reader.rest()
    if piece and (not data or offset + len(data) > total):
        raise ValueError("malformed piece")
    return Message(sequence, data, offset, total, stream)


# §9.2: content


@dataclass
class Content:
    body: bytes
    format: int = 1
    action: str = "chat"
    author: bytes = field(default=b"")
    wants_receipt: bool = False
    time: Optional[int] = field(default=None, compare=False)
    # Of a message that was received: where it stood.
    stream: Stream = field(default=Stream(), compare=False)
    sequence: int = field(default=0, compare=False)
    # §9.8; empty where there is none.
    proof: bytes = b""

    def write(self) -> bytes:
        action = self.action.encode("utf-8")
        flags = self.format | (4 if self.author else 0) | (8 if self.proof else 0)
        flags |= (0x10 if action else 0) | (0x40 if self.wants_receipt else 0)
        time = b"" if self.time is None else self.time.to_bytes(3, "big")
        named = bytes([len(action)]) + action if action else b""
        return bytes([flags | (0x20 if time else 0)]) + time + self.author + self.proof + named + self.body

    @staticmethod
    def read(data: bytes, stream: Stream = Stream(), sequence: int = 0) -> "Content":
        reader = Reader(data)
        try:
            flags = reader.byte()
            if flags & 0x80 or flags & 3 == 3:
                raise ValueError("reserved flags")
            content = Content(b"", flags & 3, "", b"", bool(flags & 0x40), None, stream, sequence)
            content.time = int.from_bytes(reader.take(3), "big") if flags & 0x20 else None
            content.author = reader.take(32) if flags & 4 else b""
            content.proof = reader.take(80) if flags & 8 else b""
            if flags & 0x10:
                size = reader.byte()
                if not 1 <= size <= 64:
                    raise ValueError("action that is too long, or empty")
                content.action = reader.take(size).decode("utf-8")
            content.body = reader.rest()
            if content.format == 1:
                content.body.decode("utf-8")
            return content
        except ValueError as error:
            raise Violation(PROTOCOL_VIOLATION, str(error))

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")


# §9.8: authors


def author_statement(application: str, server: bytes, run: int, number: int, content: Content) -> bytes:
    """What an author signs."""
    named = application.encode("utf-8")
    action = content.action.encode("utf-8")
    said = bytes([len(named)]) + named + server + struct.pack(">QQ", run, number)
    said += bytes([content.format, len(action)]) + action + content.body
    return label("roamkey/1 author") + H("rk1 author", said)


def sign_content(content: Content, key: SigningKey, application: str, server: bytes, run: int, number: int) -> None:
    statement = author_statement(application, server, run, number, content)
    content.proof = struct.pack(">QQ", run, number) + key.sign(statement)


def is_proven(content: Content, application: str, server: bytes) -> bool:
    run, number = struct.unpack(">QQ", content.proof[:16])
    statement = author_statement(application, server, run, number, content)
    return number > 0 and verify(content.author, content.proof[16:], statement)


# §12: keys as text

_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def _bech32m_checksum(values: List[int]) -> int:
    """BIP 350's polymod."""
    c = 1
    for value in values:
        top, c = c >> 25, (c & 0x1FFFFFF) << 5 ^ value
        for i, g in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            c ^= g if top >> i & 1 else 0
    return c


_HUMAN_PART = [ord(c) >> 5 for c in "rk"] + [0] + [ord(c) & 31 for c in "rk"]


def player_id(ed_pub: bytes) -> str:
    """§12.1."""
    bits = int.from_bytes(ed_pub, "big") << 4
    groups = [bits >> (5 * i) & 31 for i in reversed(range(52))]
    check = _bech32m_checksum(_HUMAN_PART + groups + [0] * 6) ^ 0x2BC830A3
    return "rk1" + "".join(_BECH32[g] for g in groups + [check >> (5 * i) & 31 for i in reversed(range(6))])


def read_player_id(text: str) -> bytes:
    text = text.strip()
    if text not in (text.lower(), text.upper()):
        raise ValueError("mixed case")
    text = text.lower()
    if len(text) != 61 or not text.startswith("rk1"):
        raise ValueError("not a PlayerID")
    groups = [_BECH32.index(c) for c in text[3:]]
    bits = sum(g << (5 * i) for i, g in enumerate(reversed(groups[:52])))
    if _bech32m_checksum(_HUMAN_PART + groups) != 0x2BC830A3 or bits & 15:
        raise ValueError("wrong checksum or padding")
    return (bits >> 4).to_bytes(32, "big")


def fingerprint(ed_pub: bytes) -> str:
    """§12.2."""
    consonants, vowels = "bdfghjklmnprstvz", "aiou"

    def word(w: int) -> str:
        parts = ((consonants, 12, 15), (vowels, 10, 3), (consonants, 6, 15), (vowels, 4, 3), (consonants, 0, 15))
        return "".join(letters[w >> shift & bits] for letters, shift, bits in parts)

    digest = H("rk1 fingerprint", ed_pub, n=12)
    return "-".join(word(w) for w in struct.unpack(">6H", digest))
