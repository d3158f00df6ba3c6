"""The distance between the networks: every packet that crosses the core comes through here.

The core's routes hand whatever comes in to a TUN device. This process reads it there, holds it for the one-way delay,
and writes it back; then the core sends it on where it belongs. (The kernels that this runs on need no netem for it.)

A process of its own, so that nothing else in Python holds it up. Commands come as JSON, one object a line, and each is
answered by one line; it ends with its input. What it saw goes to a log, one line a UDP datagram: see `LogLine`.
"""

from __future__ import annotations

import fcntl
import heapq
import json
import os
import random
import select
import struct
import sys
import time
from typing import Dict, List, NamedTuple, Optional, TextIO, Tuple

import packets

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
LONGEST_PACKET = 65536
LOGGED_BYTES = 32


class LogLine(NamedTuple):
    """A datagram as the relay saw it."""

    time: float
    """When it came in, in seconds since the epoch."""
    fate: str
    """`sent`, `lost` (by chance, or while all is cut), `copy` (made by the forwarder) or `taken` (by the forwarder)."""
    source: packets.Endpoint
    destination: packets.Endpoint
    size: int
    """Bytes of payload."""
    head: bytes
    """The first bytes of the payload."""

    def __str__(self) -> str:
        return f"{self.time:.6f} {self.fate} {self.source} {self.destination} {self.size} {self.head.hex()}"

    @staticmethod
    def parse(line: str) -> "LogLine":
        """The reverse of `str`."""
        when, fate, source, destination, size, head = (line.split() + [""])[:6]
        ends = packets.Endpoint.parse(source), packets.Endpoint.parse(destination)
        return LogLine(float(when), fate, *ends, int(size), bytes.fromhex(head))


class Forwarder:
    """Somebody on the way who sends each datagram for `target` on a second time, from an address of their own, and
    faster than the original travels. What is sent to that address ends with them."""

    def __init__(self, settings: Dict):
        self.target = packets.Endpoint.parse(settings["target"])
        self.address = packets.Endpoint.parse(settings["address"])
        self.lead: float = settings["lead"]
        """How much earlier than the original a copy arrives, in seconds."""

    def copy(self, packet: bytes, datagram: packets.Datagram) -> Optional[bytes]:
        """What the forwarder makes of a datagram; nothing of what is not for the target."""
        if datagram.destination != self.target or datagram.source == self.address:
            return None
        return packets.with_source(packet, self.address)

    def takes(self, datagram: packets.Datagram) -> bool:
        """Whether a datagram is for the forwarder."""
        return datagram.destination.ip == self.address.ip


class Network:
    """What becomes of each packet, and when. It knows no device and no clock, so that it can be tested by itself."""

    def __init__(self, delay: float, seed: int, log: Optional[TextIO] = None):
        self.delay = delay
        self.loss = 0.0
        self.is_cut = False
        self.is_held = False
        self.forwarder: Optional[Forwarder] = None
        self._chance = random.Random(seed)
        self._log = log
        self._waiting: List[Tuple[float, int, bytes]] = []
        self._held: List[bytes] = []
        self._count = 0

    def command(self, settings: Dict, now: float) -> None:
        """Changes what happens from now on; see the methods of `world.Relay` for what there is."""
        for name, value in settings.items():
            if name == "hold":
                self._hold(value, now)
            elif name == "forwarder":
                self.forwarder = value and Forwarder(value)
            elif name in ("delay", "loss"):
                setattr(self, name, float(value))
            elif name == "cut":
                self.is_cut = bool(value)
            elif name == "flush":
                if self._log:
                    self._log.flush()
            else:
                raise ValueError(f"unknown setting {name}")

    def receive(self, packet: bytes, now: float, clock: float) -> None:
        """Takes a packet; `clock` is what the log calls now."""
        datagram = packets.read(packet)
        if datagram is None:
            # Losing a ping or an ICMP error would only blur what is measured.
            if not self.is_cut:
                self._schedule(packet, now + self.delay)
            return
        if self.forwarder and self.forwarder.takes(datagram):
            self._note(clock, "taken", datagram)
            return
        lost = self.is_cut or self._chance.random() < self.loss
        self._note(clock, "lost" if lost else "sent", datagram)
        if lost:
            return
        self._schedule(packet, now + self.delay)
        copy = self.forwarder and self.forwarder.copy(packet, datagram)
        if self.forwarder and copy:
            self._note(clock, "copy", datagram._replace(source=self.forwarder.address))
            self._schedule(copy, now + max(0.0, self.delay - self.forwarder.lead))

    def due(self, now: float) -> Optional[bytes]:
        """The next packet that has waited long enough."""
        return heapq.heappop(self._waiting)[2] if self._waiting and self._waiting[0][0] <= now else None

    def wait(self, now: float) -> Optional[float]:
        """Seconds until the next packet is due; nothing when none waits."""
        return max(0.0, self._waiting[0][0] - now) if self._waiting else None

    def _hold(self, held: bool, now: float) -> None:
        self.is_held = held
        if not held:
            for packet in self._held:
                self._schedule(packet, now + self.delay)
            self._held.clear()

    def _schedule(self, packet: bytes, due: float) -> None:
        if self.is_held:
            self._held.append(packet)
            return
        # The count keeps packets that are due together in the order in which they came.
        self._count += 1
        heapq.heappush(self._waiting, (due, self._count, packet))

    def _note(self, clock: float, fate: str, datagram: packets.Datagram) -> None:
        if self._log:
            source, destination, payload = datagram
            line = LogLine(clock, fate, source, destination, len(payload), payload[:LOGGED_BYTES])
            self._log.write(f"{line}\n")


def run(device: str, network: Network) -> None:
    """Carries packets until the input ends."""
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", device.encode(), IFF_TUN | IFF_NO_PI))
    print("ready", flush=True)
    while True:
        now = time.monotonic()
        while (packet := network.due(now)) is not None:
            try:
                os.write(tun, packet)
            except OSError:
                pass  # The core has no way for it, or no room: that is what networks are like.
        readable, _, _ = select.select([tun, 0], [], [], network.wait(time.monotonic()))
        if tun in readable:
            drain(tun, network)
        if 0 in readable and not obey(network):
            return


def drain(tun: int, network: Network) -> None:
    """Reads what is there, but not for ever: others are due meanwhile."""
    for _ in range(64):
        try:
            packet = os.read(tun, LONGEST_PACKET)
        except BlockingIOError:
            return
        network.receive(packet, time.monotonic(), time.time())


def obey(network: Network) -> bool:
    """Does what the next line of input says; false at its end."""
    line = sys.stdin.readline()
    if not line:
        return False
    network.command(json.loads(line), time.monotonic())
    print("done", flush=True)
    return True


def main() -> None:
    """relay.py DEVICE DELAY SEED LOG"""
    device, delay, seed, log = sys.argv[1:]
    try:
        # Other processes of this machine must not lengthen the way; it needs a few percent of a processor.
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except OSError:
        pass
    with open(log, "w") as file:
        run(device, Network(float(delay), int(seed), file))


if __name__ == "__main__":
    main()
