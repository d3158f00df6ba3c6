"""A neighbour who means no good: hears every question for servers, and answers with what is not its own.

It knows no key. So it asks the servers itself, with the questions of others, and alters, keeps or hands on what they
say (PROTOCOL §15).
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time
from typing import List, Tuple

import packets
from packets import Endpoint
from world import Namespace

GROUP, PORT = "239.255.82.75", 7446
SEEK, BEACON = 0xC0, 0xD0
NONCE = slice(7, 23)
IP = slice(72, 88)
"""Where a beacon has the address that it was signed for; IPv4 stands in the last four bytes."""
NAME = -66
"""A byte of the name, which stands right before the signature."""
STALE = 4.0
"""Seconds after which a beacon answers no question any more."""


class Forger:
    """Works on a thread of its own, until it is closed."""

    def __init__(self, machine: Namespace, far: Namespace):
        self.counts = {"altered": 0, "handed on": 0, "from far": 0, "replayed": 0, "renewed": 0}
        self._kept: List[Tuple[float, bytes]] = []
        self._machine = machine
        self._ears = machine.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._ears.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._ears.bind(("", PORT))
        member = socket.inet_aton(GROUP) + bytes(4) + struct.pack("@i", machine.inside(lambda: _index("eth0")))
        self._ears.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        self._mouth = machine.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._far = far.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._raw = machine.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """No more of it."""
        self._stop.set()
        self._thread.join(5)
        for each in (self._ears, self._mouth, self._far, self._raw):
            each.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            ready, _, _ = select.select([self._ears], [], [], 0.1)
            if not ready:
                continue
            question, asker = self._ears.recvfrom(2048)
            if question[:1] == bytes([SEEK]) and asker[0] != "10.6.0.66":
                with contextlib.suppress(OSError):
                    self._mislead(question, Endpoint(*asker))

    def _mislead(self, question: bytes, asker: Endpoint) -> None:
        """Answers a question in every way that must not work."""
        target = (asker.ip, asker.port)
        # What was kept comes first: the servers answer while it goes out.
        self._mouth.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        self._mouth.sendto(question, (GROUP, PORT))
        for _, beacon in [kept for kept in self._kept if time.time() - kept[0] > STALE][:4]:
            self._send_as_server(beacon, asker, "replayed")
            renewed = bytearray(beacon)
            renewed[NONCE] = question[NONCE]
            self._send_as_server(bytes(renewed), asker, "renewed")
        for beacon in self._answers():
            altered = bytearray(beacon)
            altered[NAME] ^= 1
            self._send_as_server(bytes(altered), asker, "altered")
            self._mouth.sendto(beacon, target)
            self.counts["handed on"] += 1
            self._far.sendto(beacon, target)
            self.counts["from far"] += 1
            self._kept = (self._kept + [(time.time(), beacon)])[-40:]

    def _answers(self) -> List[bytes]:
        """What the servers say within a moment."""
        found: List[bytes] = []
        deadline = time.monotonic() + 0.02
        while len(found) < 2:
            ready, _, _ = select.select([self._mouth], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                break
            data = self._mouth.recv(2048)
            if data[:1] == bytes([BEACON]):
                found.append(data)
        return found

    def _send_as_server(self, beacon: bytes, asker: Endpoint, what: str) -> None:
        """Sends from the very address that the beacon was signed for."""
        source = Endpoint(socket.inet_ntoa(beacon[IP][12:]), PORT)
        size = 28 + len(beacon)
        header = bytes([0x45, 0]) + size.to_bytes(2, "big") + bytes([0, 0, 0x40, 0, 1, packets.UDP, 0, 0])
        header += socket.inet_aton(source.ip) + socket.inet_aton(asker.ip)
        udp = source.port.to_bytes(2, "big") + asker.port.to_bytes(2, "big") + (size - 20).to_bytes(2, "big")
        self._raw.sendto(packets.with_source(header + udp + b"\0\0" + beacon, source), (asker.ip, 0))
        self.counts[what] += 1


def _index(device: str) -> int:
    return socket.if_nametoindex(device)
