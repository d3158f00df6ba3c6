"""What the tests with the real command stand on: its process, networks, a server for each test.
"""

import json
import os
import random
import signal
import subprocess
import tempfile
import threading
import unittest

import roamkey_wire as wire
from roamkey_client import Client, drive
from roamkey_paths import Socket

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
COMMAND = os.environ.get("ROAMKEY", os.path.join(ROOT, ".build", "debug", "roamkey"))
PATIENCE = 20  # seconds for anything that should take a moment, on a busy machine
CLOCKS = 1.2  # seconds in which both have asked each other for the time (§10.7)


class Command:
    """A running `roamkey`, and the events it prints."""

    def __init__(self, *arguments: str):
        self.process = subprocess.Popen(
            [COMMAND, *arguments, "--json"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.events = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.events.append(json.loads(line))

    def all(self, event: str, **fields):
        return [e for e in list(self.events) if e["event"] == event and fields.items() <= e.items()]

    def say(self, lines) -> None:
        self.process.stdin.write("".join(line + "\n" for line in lines))
        self.process.stdin.flush()

    def stop(self, clients=()) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        drive(list(clients), lambda: self.process.poll() is not None, PATIENCE)
        return self.process.poll()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join(PATIENCE)
        self.process.stdin.close()
        self.process.stdout.close()


class BadNetwork(Socket):
    """Loses datagrams both ways; the same ones for the same seed and the same traffic."""

    def __init__(self, loss: float, seed: int):
        self._loss, self._random = loss, random.Random(seed)
        super().__init__()

    def _survives(self) -> bool:
        return self._random.random() >= self._loss

    def send(self, datagram, to, udp=None):
        if self._survives():
            super().send(datagram, to, udp)

    def receive(self):
        return [arrival for arrival in super().receive() if self._survives()]


class Recorder(Socket):
    """Keeps what was sent, and by which socket, and what has arrived; can hold back what is sent."""

    def __init__(self):
        self.sent, self.senders, self.arrivals, self.holds = [], [], [], False
        super().__init__()

    def send(self, datagram, to, udp=None):
        self.sent.append(datagram)
        self.senders.append(udp or self.udp)
        if not self.holds:
            super().send(datagram, to, udp)

    def receive(self):
        arrivals = super().receive()
        self.arrivals += arrivals
        return arrivals

    def sent_by(self, udp):
        """Its packets, without the long headers."""
        return [datagram for datagram, sender in zip(self.sent, self.senders) if sender is udp and datagram[0] < 0x20]


class WithServer(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="roamkey-interop-")
        self.addCleanup(self.folder.cleanup)

    def file(self, name: str, content: bytes = None, mode: int = 0o600) -> str:
        path = os.path.join(self.folder.name, name)
        if content is not None:
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
                file.write(content)
        return path

    def start(self, *arguments: str) -> Command:
        command = Command(*arguments)
        self.addCleanup(command.end)
        return command

    def serve(self, *arguments: str, host="127.0.0.1") -> Command:
        """A server on a port of the system's choice, whose key Python made."""
        self.server_key = wire.SigningKey()
        self.file("server.pem", self.server_key.pem())
        return self._listen(f"{host}:0", *arguments)

    def _listen(self, address, *arguments: str) -> Command:
        self.server = self.start("serve", "--listen", address, "--key", self.file("server.pem"), *arguments)
        self.assertTrue(drive([], lambda: self.server.all("listening"), PATIENCE))
        self.port = int(self.server.all("listening")[0]["address"].rsplit(":", 1)[1])
        return self.server

    def kill_and_restart(self, *arguments: str) -> Command:
        """The server's process ends without a word; another one has its key, and listens where it did."""
        self.server.process.kill()
        self.server.process.wait()
        return self._listen(f"127.0.0.1:{self.port}", *arguments)

    def client(self, key=None, pinned=None, kind=Client, **options) -> Client:
        pinned = self.server_key.public if pinned is None else pinned
        client = kind(("127.0.0.1", self.port), key or wire.SigningKey(), b"roamkey/1", pinned, **options)
        self.addCleanup(lambda: client.link.close())
        return client

    def joined(self, **options) -> Client:
        client = self.client(**options)
        self.drive([client], lambda: client.joined)
        return client

    def swift_client(self, name: str = "player", *options: str) -> Command:
        self.swift_key = wire.SigningKey()
        key = self.file(name + ".pem", self.swift_key.pem())
        server = wire.player_id(self.server_key.public)
        command = self.start("connect", f"127.0.0.1:{self.port}", "--server", server, "--key", key, *options)
        self.assertTrue(drive([], lambda: command.all("connected"), PATIENCE), command.events)
        return command

    def elsewhere(self) -> Socket:
        """An address of somebody, who may be the client itself."""
        socket = Socket()
        self.addCleanup(socket.close)
        return socket

    def packet(self, client, *frames, by=None, size=0, cid=None) -> int:
        """One packet of these frames, whatever the client itself thinks of them; the bytes of its datagram."""
        pn, client.pn = client.pn, client.pn + 1
        data = wire.pad_frames(b"".join(frame.write() for frame in frames), 1)
        without = len(client.seal(pn, data))
        datagram = client.seal(pn, data + bytes(max(0, size - without)), cid=cid)
        (by or client.link).send(datagram, client.address)
        return len(datagram)

    def frames(self, client, datagram, d=1, cid_size=0):
        """The frames of a packet under the keys of its first phase; none where it is something else. `d`: 0 for what the
        client sent."""
        direction = client.directions[d]
        try:
            packet = wire.unmask(direction, cid_size, datagram, client._received.highest + 1 if d else client.pn)
        except wire.Dropped:
            return []
        plaintext = wire.open_packet(direction.first_phase, packet)
        return list(wire.read_frames(plaintext[:-65])) if plaintext else []

    def heard(self, socket, client, seconds=0.5, driven=()):
        """The frames of what arrives at a socket of its own in so many seconds."""
        arrivals = []
        drive(list(driven), lambda: arrivals.extend(socket.receive()), seconds)
        return [self.frames(client, arrival.datagram) for arrival in arrivals]

    def texts(self):
        """What was said in the room."""
        return [message["text"] for message in self.server.all("message")]

    def breaks(self, client, frames: bytes, code: int, tamper=lambda trailer: trailer, reserved=0):
        """A packet of these frames ends the session with this code, and no word more."""
        pn, client.pn = client.pn, client.pn + 1
        (trailer,) = wire.trailers(client.key, [wire.leaf(client.out, client.phase, pn, frames)])
        client.link.send(client.seal(pn, frames, tamper(trailer), reserved=reserved), client.address)
        self.assert_closed(client, code)
        self.assertEqual(client.ended[1], "")

    def drive(self, clients, until, seconds=PATIENCE):
        states = lambda: [(client.state, client.ended) for client in clients]
        self.assertTrue(drive(clients, until, seconds), f"not within {seconds} s; clients are {states()}")

    def assert_closed(self, client, code):
        self.drive([client], lambda: client.ended)
        self.assertEqual(client.ended[0], code, client.ended)
