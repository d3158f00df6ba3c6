"""Discovery (PROTOCOL §15): a question in Python, and the answer of the real command.

Over loopback, whose broadcast address reaches every server on this machine: each test has an application of its own.
"""

import ipaddress
import os
import signal
import socket
import struct
import time
from typing import List, NamedTuple

import roamkey_wire as wire
from interop_support import PATIENCE, WithServer, drive

PORT = 7446
EVERYBODY = "127.255.255.255"
HEADER = bytes.fromhex("524b00010000")


class Beacon(NamedTuple):
    """§15.2."""

    nonce: bytes
    key: bytes
    instance: int
    sequence: int
    flags: int
    address: str
    port: int
    players: int
    capacity: int
    application: str
    name: str


def seek(nonce: bytes, application: str) -> bytes:
    """§15.1."""
    words = application.encode()
    return (b"\xc0" + HEADER + nonce + bytes([len(words)]) + words).ljust(512, b"\0")


def read_beacon(datagram: bytes) -> Beacon:
    """Raises where it is none, or not signed by the key that it names."""
    reader = wire.Reader(datagram[:-64])
    assert reader.take(7) == b"\xd0" + HEADER
    nonce, key = reader.take(16), reader.take(32)
    instance, sequence, flags = struct.unpack(">QQB", reader.take(17))
    address = ipaddress.IPv6Address(reader.take(16))
    port, players, capacity = struct.unpack(">HII", reader.take(10))
    application, name = (reader.take(reader.byte()).decode() for _ in range(2))
    assert wire.verify(key, datagram[-64:], wire.label("roamkey/1 beacon") + datagram[:-64])
    ip = str(address.ipv4_mapped or address)
    return Beacon(nonce, key, instance, sequence, flags, ip, port, players, capacity, application, name)


class Discovery(WithServer):
    """Who asks, and who answers."""

    def setUp(self):
        super().setUp()
        self.application = "interop-" + os.urandom(8).hex()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self.addCleanup(self.socket.close)

    def ask(self, datagram: bytes, to: str = EVERYBODY, within: float = 0.5, count: int = 9) -> List["tuple[bytes, tuple]"]:
        """What comes back."""
        self.socket.sendto(datagram, (to, PORT))
        return self.take(within, count)

    def take(self, within: float, count: int) -> List["tuple[bytes, tuple]"]:
        found, end = [], time.monotonic() + within
        while len(found) < count and time.monotonic() < end:
            self.socket.settimeout(max(0.001, end - time.monotonic()))
            try:
                found.append(self.socket.recvfrom(2048))
            except socket.timeout:
                break
        return found

    def test_question_and_answer(self):
        """§15.2: all fields, the signature, and where it comes from."""
        self.serve("--app", self.application, "--name", "Anna's room")
        nonce = os.urandom(16)
        ((datagram, source),) = self.ask(seek(nonce, self.application), within=PATIENCE, count=1)
        beacon = read_beacon(datagram)
        self.assertLessEqual(len(datagram), 512)
        self.assertEqual(source, ("127.0.0.1", PORT))
        self.assertEqual((beacon.nonce, beacon.key), (nonce, self.server_key.public))
        self.assertEqual((beacon.address, beacon.port), ("127.0.0.1", self.port))
        self.assertEqual((beacon.players, beacon.capacity, beacon.flags), (0, 1024, 0))
        self.assertEqual((beacon.application, beacon.name), (self.application, "Anna's room"))
        # The next one has a higher sequence, and counts who is in.
        self.joined_under(self.application)
        later = read_beacon(self.ask(seek(os.urandom(16), self.application), within=PATIENCE, count=1)[0][0])
        self.assertEqual((later.instance, later.players), (beacon.instance, 1))
        self.assertGreater(later.sequence, beacon.sequence)

    def joined_under(self, application: str):
        """The real client, since the application is not the usual one."""
        self.swift_client("player", "--app", application)
        self.assertTrue(drive([], lambda: self.server.all("joined"), PATIENCE))

    def test_what_is_not_answered(self):
        """§15.2, rules 1, 2, 4 and 5."""
        self.serve("--app", self.application)
        good = seek(os.urandom(16), self.application)
        for bad in (good[:-1], good + b"\0", good[:1] + b"\0\0\0\1" + good[5:], b"\x80" + good[1:]):
            self.assertEqual(self.ask(bad, within=0.2), [])
        self.assertEqual(self.ask(seek(os.urandom(16), self.application + "x"), within=0.2), [])
        # To this machine alone, as whoever is further away would send it.
        self.assertEqual(self.ask(good, to="127.0.0.1", within=0.2), [])
        self.assertEqual(len(self.ask(good, within=PATIENCE, count=1)), 1)
        # The same again is a copy.
        self.assertEqual(self.ask(good, within=0.3), [])

    def test_farewell(self):
        """A server that stops says so to who asked lately, under the last nonce."""
        self.serve("--app", self.application)
        nonce = os.urandom(16)
        ((first, _),) = self.ask(seek(nonce, self.application), within=PATIENCE, count=1)
        self.server.process.send_signal(signal.SIGTERM)
        ((last, _),) = self.take(PATIENCE, 1)
        beacon, farewell = read_beacon(first), read_beacon(last)
        self.assertEqual((farewell.nonce, farewell.instance, farewell.flags), (nonce, beacon.instance, 1))
        self.assertGreater(farewell.sequence, beacon.sequence)

    def test_switched_off(self):
        """The one switch; a server without it, beside, answers."""
        self.serve("--app", self.application, "--no-discovery")
        self.assertEqual(self.ask(seek(os.urandom(16), self.application), within=0.5), [])
        self.serve("--app", self.application)
        self.assertEqual(len(self.ask(seek(os.urandom(16), self.application), within=PATIENCE, count=1)), 1)
