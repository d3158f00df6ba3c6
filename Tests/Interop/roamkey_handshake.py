"""The handshake of the Roamkey protocol, version 1: what docs/PROTOCOL.md says in its §1, which every § here refers to.

Nothing in this file opens a socket or looks at a clock.
"""

import hashlib
import hmac
import struct
from dataclasses import dataclass
from typing import List, NamedTuple, Optional, Tuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from roamkey_wire import EVERY_PACKET, SEALED_ONLY, AgreementKey, Dropped, H, Reader, SessionKeys, SigningKey
from roamkey_wire import deceives, label, varint, verify

VERSION = bytes.fromhex("524b0001")
HELLO, WELCOME, RETRY, FINISH = 0x80, 0x90, 0xA0, 0xB0
COOKIE_SIZE, MAC_SIZE, TOKEN_SIZE = 20, 16, 16
INITIATOR, RESPONDER = 0, 1


# §1.1, §1.2: long headers


class LongHeader(NamedTuple):
    kind: int
    version: bytes
    destination: bytes
    source: bytes
    rest: bytes


def read_long_header(datagram: bytes) -> LongHeader:
    reader = Reader(datagram)
    try:
        kind, version = reader.byte(), reader.take(4)
        ids = []
        for _ in range(2):
            size = reader.byte()
            if size > 20:
                raise Dropped("long connection id")
            ids.append(reader.take(size))
    except ValueError:
        raise Dropped("header cut off")
    if not kind & 0x80:
        raise Dropped("not a long header")
    return LongHeader(kind, version, ids[0], ids[1], reader.rest())


def long_header(kind: int, destination: bytes, source: bytes, version: bytes = VERSION) -> bytes:
    return bytes([kind]) + version + bytes([len(destination)]) + destination + bytes([len(source)]) + source


def read_version_list(rest: bytes) -> List[bytes]:
    """What follows the header of a version negotiation (§1.7)."""
    if not rest or len(rest) % 4:
        raise Dropped("no versions in whole groups")
    return [rest[i : i + 4] for i in range(0, len(rest), 4)]


# §1.3: Noise


class Noise:
    """The symmetric state of Noise_XX_25519_ChaChaPoly_SHA256."""

    def __init__(self, prologue: bytes):
        self.h = self.ck = b"Noise_XX_25519_ChaChaPoly_SHA256"
        self.k, self.n = None, 0
        self.mix_hash(prologue)

    def copy(self) -> "Noise":
        other = object.__new__(Noise)
        other.h, other.ck, other.k, other.n = self.h, self.ck, self.k, self.n
        return other

    def _hkdf(self, x: bytes) -> Tuple[bytes, bytes]:
        mac = lambda key, data: hmac.new(key, data, hashlib.sha256).digest()
        t = mac(self.ck, x)
        a = mac(t, b"\x01")
        return a, mac(t, a + b"\x02")

    def mix_hash(self, x: bytes) -> None:
        self.h = hashlib.sha256(self.h + x).digest()

    def mix_key(self, x: bytes) -> None:
        (self.ck, self.k), self.n = self._hkdf(x), 0

    def _nonce(self) -> bytes:
        return bytes(4) + struct.pack("<Q", self.n)

    def enc(self, p: bytes) -> bytes:
        c = p
        if self.k:
            c = ChaCha20Poly1305(self.k).encrypt(self._nonce(), p, self.h)
            self.n += 1
        self.mix_hash(c)
        return c

    def dec(self, c: bytes) -> bytes:
        p = c
        if self.k:
            try:
                p = ChaCha20Poly1305(self.k).decrypt(self._nonce(), c, self.h)
            except InvalidTag:
                raise Dropped("a wrong tag in the handshake")
            self.n += 1
        self.mix_hash(c)
        return p

    def end(self) -> Tuple[bytes, bytes]:
        return self._hkdf(b"")


# §1.4, §1.5: identity and parameters


@dataclass
class Parameters:
    """§1.5, with the values that count when a tag is absent."""

    application: bytes = b""
    policy: int = EVERY_PACKET
    client_id: bytes = b""
    server_id: bytes = b""
    versions: Tuple[bytes, ...] = ()
    credit: int = 2_097_152
    longest: int = 1_048_576
    name: bytes = b""
    reset_token: Optional[bytes] = None
    channel_credit: Optional[int] = None

    def write(self) -> bytes:
        values = [(1, self.application), (2, bytes([self.policy])), (3, self.client_id), (4, self.server_id)]
        values += [(6, varint(self.credit)), (7, varint(self.longest))]
        values += [(8, self.name)] if self.name else []
        values += [(9, self.reset_token)] if self.reset_token is not None else []
        values += [(10, varint(self.channel_credit))] if self.channel_credit is not None else []
        return b"".join(bytes([tag, len(value)]) + value for tag, value in values)

    @staticmethod
    def read(tlvs: bytes) -> "Parameters":
        found, reader = {}, Reader(tlvs)
        try:
            while reader.left():
                tag = reader.byte()
                value = reader.take(reader.byte())
                if 1 <= tag <= 10 and tag in found:
                    raise Dropped("a tag that stands there twice")
                found[tag] = value
            return Parameters._check(found)
        except (ValueError, KeyError):
            raise Dropped("invalid parameters")

    @staticmethod
    def _check(found: dict) -> "Parameters":
        p = Parameters(found[1], found[2][0] if len(found[2]) == 1 else -1, found[3], found[4])
        p.application.decode("utf-8")
        if not p.application or p.policy not in (EVERY_PACKET, SEALED_ONLY) or max(map(len, (found[3], found[4]))) > 20:
            raise ValueError("wrong form")
        if 5 in found:
            p.versions = tuple(read_version_list(found[5])) if found[5] else ()
        p.credit = whole_varint(found[6]) if 6 in found else p.credit
        p.longest = whole_varint(found[7]) if 7 in found else p.longest
        p.channel_credit = whole_varint(found[10]) if 10 in found else None
        p.reset_token = found.get(9)
        if len(found.get(9, bytes(TOKEN_SIZE))) != TOKEN_SIZE:
            raise ValueError("wrong token")
        if 8 in found:
            p.name = found[8]
            if len(p.name) > 64 or any(deceives(c) for c in p.name.decode("utf-8")):
                raise ValueError("wrong name")
        return p


def whole_varint(data: bytes) -> int:
    reader = Reader(data)
    value = reader.varint()
    if reader.left():
        raise ValueError("bytes behind a varint")
    return value


def identity_message(role: int, h_before: bytes, e_pub: bytes, s_pub: bytes, ed_pub: bytes, tlvs: bytes) -> bytes:
    """The 193 bytes of §1.4 that are signed."""
    return label("roamkey/1 identity") + bytes([role]) + h_before + e_pub + s_pub + ed_pub + H("rk1 params", tlvs)


def mac_of(hello: bytes, server_ed_pub: bytes) -> bytes:
    """§1.6, over a Hello whose cookie and mac are zero."""
    return H("rk1 mac1", hello, H("rk1 mac1 key", server_ed_pub), MAC_SIZE)


class Initiator:
    """The client's side of the handshake, §1.2 to §1.7."""

    def __init__(self, key: SigningKey, dcid: bytes, scid: bytes = b"", pinned: Optional[bytes] = None, e=None, s=None):
        self.key, self.dcid, self.scid, self.pinned = key, dcid, scid, pinned
        self.e, self.s = AgreementKey(e), AgreementKey(s)
        ids = bytes([8]) + dcid + bytes([len(scid)]) + scid
        self.noise = Noise(b"roamkey/1" + VERSION + ids)
        self._begin_hello()

    def _begin_hello(self) -> None:
        self.noise.mix_hash(self.e.public)
        noise1 = self.e.public + self.noise.enc(bytes(1117 - len(self.scid)))
        self._head = long_header(HELLO, self.dcid, self.scid)
        without = self._head + bytes(COOKIE_SIZE + MAC_SIZE) + noise1
        self._behind_cookie = (mac_of(without, self.pinned) if self.pinned else bytes(MAC_SIZE)) + noise1

    def hello(self, cookie: bytes = bytes(COOKIE_SIZE)) -> bytes:
        """Only the cookie may differ between two Hellos of one handshake (§1.2)."""
        return self._head + cookie + self._behind_cookie

    def read_welcome(self, header: LongHeader) -> "Welcomed":
        """Check 5 of a client (§1.7), on a copy of the state: nothing changes if it fails."""
        noise, reader = self.noise.copy(), Reader(header.rest)
        try:
            e_pub, sealed_s = reader.take(32), reader.take(48)
        except ValueError:
            raise Dropped("Welcome cut off")
        h_before = noise.h  # before the whole of noise2, not only before its payload
        noise.mix_hash(e_pub)
        noise.mix_key(self.e.agree(e_pub))
        s_pub = noise.dec(sealed_s)
        noise.mix_key(self.e.agree(s_pub))
        ed_pub, parameters = read_identity(noise.dec(reader.rest()), RESPONDER, h_before, e_pub, s_pub)
        if parameters.client_id != self.scid or parameters.server_id != header.source or len(header.source) != 8:
            raise Dropped("ids that contradict the header")
        return Welcomed(self, noise, e_pub, ed_pub, parameters)


def read_identity(payload: bytes, role: int, h_before: bytes, e_pub: bytes, s_pub: bytes) -> Tuple[bytes, Parameters]:
    if len(payload) < 96:
        raise Dropped("payload too short")
    ed_pub, signature, tlvs = payload[:32], payload[32:96], payload[96:]
    if not verify(ed_pub, signature, identity_message(role, h_before, e_pub, s_pub, ed_pub, tlvs)):
        raise Dropped("wrong signature of an identity")
    return ed_pub, Parameters.read(tlvs)


class Welcomed:
    """A Welcome that was read; it can write the Finish."""

    def __init__(self, initiator: Initiator, noise: Noise, e_r: bytes, server: bytes, parameters: Parameters):
        self._initiator, self._noise, self._e_r = initiator, noise, e_r
        self.server, self.parameters = server, parameters

    def finish(self, tlvs: bytes) -> Tuple[bytes, "SessionKeys"]:
        """noise3; written once. The keys of the session follow from it."""
        noise, me = self._noise.copy(), self._initiator
        h_before = noise.h
        sealed_s = noise.enc(me.s.public)
        noise.mix_key(me.s.agree(self._e_r))
        message = identity_message(INITIATOR, h_before, me.e.public, me.s.public, me.key.public, tlvs)
        noise3 = sealed_s + noise.enc(me.key.public + me.key.sign(message) + tlvs)
        datagram = long_header(FINISH, self.parameters.server_id, me.scid) + noise3
        keys = SessionKeys(self.parameters.application, me.key.public, self.server, noise.h, noise.end())
        return datagram, keys
