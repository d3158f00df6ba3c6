"""A client written from docs/PROTOCOL.md alone, against the vectors of §14 and against the real command.

Run it with `make interop`. It uses loopback only, and every wait in it ends by itself. ROAMKEY names another command
than .build/debug/roamkey.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import roamkey_wire as wire  # noqa: E402
from roamkey_client import Client, Socket, drive  # noqa: E402
from roamkey_delivery import Inbox, PeerClock  # noqa: E402

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
COMMAND = os.environ.get("ROAMKEY", os.path.join(ROOT, ".build", "debug", "roamkey"))
PATIENCE = 20  # seconds for anything that should take a moment, on a busy machine
CLOCKS = 1.2  # seconds in which both have asked each other for the time (§10.7)
LONGEST_RUN = 300  # seconds after which the whole run is given up


class ReferenceSession(unittest.TestCase):
    """§14.1: every value of the reference session, in both cases."""

    def setUp(self):
        with open(os.path.join(ROOT, "Tests", "Vectors", "roamkey_reference.json")) as file:
            self.cases = json.load(file)

    def test_both_cases(self):
        for name, case in self.cases.items():
            inputs = {key: bytes.fromhex(value) for key, value in case.pop("inputs").items()}
            values = {key: bytes.fromhex(value) for key, value in case.items()}
            with self.subTest(case=name):
                keys = self.check_handshake(inputs, values)
                self.check_keys(keys, values)
                self.check_packet(keys, inputs, values)
                self.check_cookie_and_reset(inputs, values)

    def check_handshake(self, inputs, values):
        player, server = (wire.SigningKey(inputs["edSeed" + role]) for role in ("Initiator", "Responder"))
        initiator = wire.Initiator(
            player,
            inputs["dcid"],
            inputs["scid"],
            server.public,
            inputs["ephemeralInitiator"],
            inputs["staticInitiator"],
        )
        hello = initiator.hello(values["cookie"])
        self.assertEqual(hello, values["hello"])
        self.assertIn(values["mac1"], hello)
        welcomed = initiator.read_welcome(wire.read_long_header(values["welcome"]))
        self.assertEqual(welcomed.server, server.public)
        self.assertEqual(welcomed.parameters.application, b"galaxy/1")
        finish, keys = welcomed.finish(inputs["tlvs"])
        self.assertEqual(finish, values["finish"])
        return keys

    def check_keys(self, keys, values):
        self.assertEqual((keys.h, keys.sid), (values["h"], values["sid"]))
        self.assertEqual(keys.ks, (values["k0"], values["k1"]))
        for d, direction in enumerate(keys.directions):
            phase = direction.first_phase
            self.assertEqual(wire.H("rk1 base", keys.sid + bytes([d]), keys.ks[d]), values[f"base_{d}"])
            self.assertEqual(direction.hp, values[f"hp_{d}"])
            self.assertEqual((phase.aead, phase.blind), (values[f"aead0_{d}"], values[f"blind0_{d}"]))
            self.assertEqual(phase.next().aead, wire.K(values[f"root1_{d}"], 1))

    def check_packet(self, keys, inputs, values):
        direction, frames = keys.directions[0], inputs["frames"]
        phase, pn = direction.first_phase, int.from_bytes(inputs["packetNumber"], "big")
        player = wire.SigningKey(inputs["edSeedInitiator"])
        leaf = wire.leaf(direction, phase, pn, frames)
        self.assertEqual(wire.H("rk1 blind", inputs["packetNumber"], phase.blind), values["blinder"])
        self.assertEqual(leaf, values["leaf"])
        (trailer,) = wire.trailers(player, [leaf])
        self.assertEqual(trailer, values["signature"] + b"\0")
        packet = wire.seal_packet(direction, phase, inputs["serverCID"], pn, 2, frames + trailer)
        self.assertEqual(packet, values["packet"])
        unmasked = wire.unmask(direction, 8, packet, 40)
        self.assertEqual((unmasked.pn, unmasked.phase_bit, unmasked.reserved), (41, 0, 0))
        plaintext = wire.open_packet(phase, unmasked)
        self.assertEqual(wire.verified_frames(direction, phase, 41, plaintext, player.public), frames)

    def check_cookie_and_reset(self, inputs, values):
        ids = inputs["dcid"] + bytes([len(inputs["scid"])]) + inputs["scid"]
        noise1 = values["hello"][-(32 + 1117 - len(inputs["scid"])) :]
        source = inputs["clientIP"] + inputs["clientPort"]
        covered = inputs["cookieTime"] + source + ids + wire.H("rk1 hello", noise1)
        cookie = inputs["cookieTime"] + wire.H("rk1 cookie", covered, inputs["cookieKey"], 16)
        self.assertEqual(cookie, values["cookie"])
        reset_key = wire.H("rk1 reset", inputs["instanceID"], inputs["edSeedResponder"])
        self.assertEqual(wire.H("rk1 token", inputs["serverCID"], reset_key, 16), values["resetToken"])


class SmallPieces(unittest.TestCase):
    """§14.2 and §14.3."""

    def test_varints(self):
        for value, text in {0: "00", 63: "3f", 64: "4040", 15293: "7bbd", 16384: "80004000"}.items():
            self.assertEqual(wire.varint(value).hex(), text)
        self.assertEqual(wire.varint(1073741824).hex(), "c000000040000000")
        self.assertEqual(wire.Reader(bytes.fromhex("4001")).varint(), 1)

    def test_frames(self):
        content = wire.Content(b"hi").write()
        examples = {
            "023c45dc02000006" "0032": wire.Ack(1500, [(60, 60), (52, 58), (0, 50)]),
            "21000008" "1104636861746869": wire.Message(0, content),
            "2905412c08" "1104636861746869": wire.Message(300, content, stream=wire.Stream(5, wire.LATEST)),
            "2d40c80908" "1104636861746869": wire.Message(9, content, stream=wire.Stream(200, wire.UNRELIABLE)),
            "23000743e84bb803aabbcc": wire.Message(7, bytes.fromhex("aabbcc"), 1000, 3000),
            "03010469646c65": wire.Close(wire.KICKED, b"idle"),
            "030000": wire.Close(wire.DONE),
            "0c804f4240": wire.MaxData(5_194_304),
            "0d4321804f4240": wire.MaxChannelData(wire.Stream(200, wire.UNORDERED), 5_194_304),
            "0e000700": wire.Receipt(wire.Stream(), 7),
            "0e16412c04": wire.Receipt(wire.Stream(5, wire.LATEST), 300, 4),
            "0f000728": wire.Skip(wire.Stream(), 7, 40),
            "0f00074408": wire.Skip(wire.Stream(), 7, 1032),
            "10123456789abcdef0": wire.TimeRequest(0x123456789ABCDEF0),
            "11123456789abcdef0" "1fedcba98765432140fa": wire.TimeResponse(0x123456789ABCDEF0, 0x1FEDCBA987654321, 250),
            "120101": wire.Resting(1, 1),
            "120200": wire.Resting(2, 0),
            "0b0100000000000000000000ffffc63364071388": wire.ObservedAddress(
                1, wire.address_bytes("198.51.100.7", 0)[:16], 5000
            ),
        }
        for text, frame in examples.items():
            self.assertEqual(frame.write().hex(), text)
            self.assertEqual(list(wire.read_frames(bytes.fromhex(text))), [frame])
        self.assertEqual(list(wire.read_frames(bytes.fromhex("200000") + content)), [wire.Message(0, content)])
        self.assertEqual(wire.Message(0, content).write(is_last=True).hex(), "200000" + content.hex())

    def test_content(self):
        everything = wire.Content(b"hi", author=bytes(range(32)), wants_receipt=True, time=1_234_567)
        examples = {
            "1104636861746869": wire.Content(b"hi"),
            "016869": wire.Content(b"hi", action=""),
            "7112d687" "04636861746869": wire.Content(b"hi", wants_receipt=True, time=1_234_567),
            "7512d687" + bytes(range(32)).hex() + "04636861746869": everything,
        }
        for text, content in examples.items():
            self.assertEqual(content.write().hex(), text)
            read = wire.Content.read(bytes.fromhex(text))
            self.assertEqual((read, read.time), (content, content.time))

    def test_parameters(self):
        text = "010867616c6178792f31" "020101" "0300" "0408b0b1b2b3b4b5b6b7" "0504524b0001"
        text += "060480400000" "070480100000" "0803416461" "0a0480200000"
        read = wire.Parameters.read(bytes.fromhex(text))
        expected = wire.Parameters(b"galaxy/1", wire.EVERY_PACKET, b"", bytes.fromhex("b0b1b2b3b4b5b6b7"))
        expected.versions, expected.credit, expected.longest, expected.name = (wire.VERSION,), 4 << 20, 1 << 20, b"Ada"
        expected.channel_credit = 2 << 20
        self.assertEqual(read, expected)

    def test_keys_as_text(self):
        key = bytes.fromhex("f8bc146d0a6f94876b9c28b26522bf372bba85769badf1f018d8324547d3803b")
        text = "rk1lz7pgmg2d72gw6uu9zex2g4lxu4m4ptknwklruqcmqey237nsqas4vfjxr"
        self.assertEqual(wire.player_id(key), text)
        self.assertEqual(wire.read_player_id(text.upper()), key)
        self.assertEqual(wire.fingerprint(key), "juguf-kogib-dolal-lisoh-lufoz-higuj")

    def test_trees(self):
        key, direction = wire.SigningKey(), wire.Direction(bytes(32), 0, bytes(32))
        phase = direction.first_phase
        for count in range(1, 17):
            frames = [bytes([1, n]) for n in range(count)]
            leaves = [wire.leaf(direction, phase, n, f) for n, f in enumerate(frames)]
            for n, trailer in enumerate(wire.trailers(key, leaves)):
                opened = wire.verified_frames(direction, phase, n, frames[n] + trailer, key.public)
                self.assertEqual(opened, frames[n])


class Reading(unittest.TestCase):
    """§9.4, §9.5 and §10.7 on our own side: what the command never does by itself, such as giving a message up."""

    def setUp(self):
        self.inbox = Inbox(longest=1000, window=10_000, channel_window=3_000)

    def receive(self, sequence, text, mode, now=0.0, part=slice(None)):
        content = wire.Content(text.encode()).write()
        data, stream = content[part], wire.Stream(3, mode)
        whole = len(data) == len(content)
        frame = wire.Message(sequence, data, part.start or 0, None if whole else len(content), stream)
        return [message.text for message in self.inbox.receive(frame, now)]

    def assert_violates(self, code, frame):
        with self.assertRaises(wire.Violation) as caught:
            self.inbox.skip(frame)
        self.assertEqual(caught.exception.code, code)

    def test_skips(self):
        stream = wire.Stream(3, wire.ORDERED)
        self.assertEqual(self.receive(0, "given up", wire.ORDERED, part=slice(0, 4)), [])
        self.assertEqual(self.receive(1, "behind", wire.ORDERED), [])
        self.assert_violates(wire.PROTOCOL_VIOLATION, wire.Skip(stream, 0, 35))  # 36 were counted
        self.assert_violates(wire.PROTOCOL_VIOLATION, wire.Skip(stream, 0, 47))  # 46 if all of it had come
        self.assertEqual([m.text for m in self.inbox.skip(wire.Skip(stream, 0, 40))], ["behind"])
        self.assertEqual(self.receive(0, "given up", wire.ORDERED), [])
        self.assertEqual(self.inbox.skip(wire.Skip(stream, 1, 1 << 40)), [])  # handed out: nobody looks
        self.assert_violates(wire.PROTOCOL_VIOLATION, wire.Skip(stream, 2, 1134))  # 1000 + 101 + 32 at most
        self.assert_violates(wire.LIMIT_EXCEEDED, wire.Skip(stream, 2 + 32_768, 32))
        for sequence in (2, 3):
            self.inbox.skip(wire.Skip(stream, sequence, 1133))
        self.assert_violates(wire.LIMIT_EXCEEDED, wire.Skip(stream, 4, 1133))

    def test_modes(self):
        self.assertEqual([self.receive(n, str(n), wire.LATEST) for n in (1, 0, 1, 2)], [["1"], [], [], ["2"]])
        self.assertEqual([self.receive(n, str(n), wire.UNORDERED) for n in (1, 0, 1)], [["1"], ["0"], []])
        self.assertEqual([self.receive(n, str(n), wire.ORDERED) for n in (1, 0, 1)], [[], ["0", "1"], []])
        self.assertEqual([self.receive(n, str(n), wire.UNRELIABLE) for n in (1, 0)], [["1"], ["0"]])

    def test_pieces_of_unreliable_messages(self):
        first, second = slice(0, 5), slice(5, None)
        self.assertEqual(self.receive(0, "two pieces", wire.UNRELIABLE, 0.0, first), [])
        self.assertEqual(self.receive(0, "two pieces", wire.UNRELIABLE, 0.9, second), ["two pieces"])
        self.assertEqual(self.receive(1, "two pieces", wire.UNRELIABLE, 1.0, first), [])
        self.assertEqual(self.receive(1, "two pieces", wire.UNRELIABLE, 2.0, second), [])
        self.assertEqual(self.receive(0, "an older one", wire.LATEST, 3.0, first), [])
        self.assertEqual(self.receive(1, "a newer one", wire.LATEST, 3.0), ["a newer one"])
        self.assertEqual(self.receive(0, "an older one", wire.LATEST, 3.0, second), [])
        for sequence in range(10, 43):  # the 33rd takes the place of the first
            self.receive(sequence, "two pieces", wire.UNRELIABLE, 4.0, first)
        self.assertEqual(self.receive(10, "two pieces", wire.UNRELIABLE, 4.0, second), [])
        self.assertEqual(self.receive(42, "two pieces", wire.UNRELIABLE, 4.0, second), ["two pieces"])

    def test_ages(self):
        """A peer 5 s ahead, 40 ms away there and back; the 24 bits wrap between sending and receiving."""
        clock, ahead = PeerClock(), 5_000_000
        wrap = (1 << 24) * 1000
        now = wrap - ahead + 30_000  # by our clock; the peer's has just passed the wrap
        clock.learn(now - 40_000, now - 20_000 + ahead, 0, now)
        sent_at = now + ahead - 90_000  # by the peer's clock, before the wrap
        age, error = clock.age(sent_at // 1000 % (1 << 24), now)
        self.assertLessEqual(abs(age - 90_000), error)
        self.assertLess(error, 22_000)
        self.assertEqual(clock.age(((now + ahead) // 1000 + 5) % (1 << 24), now)[0], 0)  # from the future


# The real command


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

    def send(self, datagram, to):
        if self._survives():
            super().send(datagram, to)

    def receive(self):
        return [arrived for arrived in super().receive() if self._survives()]


class Recorder(Socket):
    """Keeps what was sent, and can hold it back."""

    def __init__(self):
        self.sent, self.holds = [], False
        super().__init__()

    def send(self, datagram, to):
        self.sent.append(datagram)
        if not self.holds:
            super().send(datagram, to)


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

    def serve(self, *arguments: str) -> Command:
        """A server on a port of the system's choice, whose key Python made."""
        self.server_key = wire.SigningKey()
        key = self.file("server.pem", self.server_key.pem())
        self.server = self.start("serve", "--listen", "127.0.0.1:0", "--key", key, *arguments)
        self.assertTrue(drive([], lambda: self.server.all("listening"), PATIENCE))
        self.port = int(self.server.all("listening")[0]["address"].rsplit(":", 1)[1])
        return self.server

    def client(self, key=None, pinned=None, kind=Client, **options) -> Client:
        pinned = self.server_key.public if pinned is None else pinned
        client = kind(("127.0.0.1", self.port), key or wire.SigningKey(), b"roamkey/1", pinned, **options)
        self.addCleanup(lambda: client.link.udp.close())
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

    def drive(self, clients, until, seconds=PATIENCE):
        states = lambda: [(client.state, client.ended) for client in clients]
        self.assertTrue(drive(clients, until, seconds), f"not within {seconds} s; clients are {states()}")

    def assert_closed(self, client, code):
        self.drive([client], lambda: client.ended)
        self.assertEqual(client.ended[0], code, client.ended)


class Joining(WithServer):
    """§1."""

    def test_server_and_player_know_each_other(self):
        server = self.serve("--name", "Café")
        self.assertEqual(server.all("listening")[0]["server"], wire.player_id(self.server_key.public))
        for scid in (b"", b"12345678"):
            client = self.joined(scid=scid)
            self.assertEqual(client.server, self.server_key.public)
            self.assertEqual((client.theirs.name.decode(), client.theirs.versions), ("Café", (wire.VERSION,)))
            player = wire.player_id(client.key.public)
            self.drive([client], lambda: server.all("joined", player=player) and client.observed)
            self.assertEqual(client.observed, "127.0.0.1:%d" % client.link.udp.getsockname()[1])

    def test_sealed_only(self):
        server = self.serve("--sealed-only")
        client = self.joined()
        self.assertEqual(client.theirs.policy, wire.SEALED_ONLY)
        client.send("no signature on this")
        self.drive([client], lambda: server.all("message", text="no signature on this"))

    def test_without_a_mac(self):
        self.serve()
        self.assertEqual(self.joined(pinned=b"").server, self.server_key.public)

    def test_one_finish_one_session(self):
        self.serve()
        client = self.client()
        self.drive([client], lambda: client.state == "session")
        # The first Finish is on its way; a second and a third one change nothing.
        for _ in range(2):
            client.link.send(client.finish, client.address)
        client.send("once")
        self.drive([client], lambda: self.server.all("message") and client.is_delivered())
        self.assertEqual(len(self.server.all("joined")), 1)

    def test_messages_before_the_finish(self):
        """§1.7, Finish, step 10: packets that overtake the Finish are kept, at most 4."""
        self.serve()
        link = Recorder()
        client = self.client(link=link)
        self.drive([client], lambda: self.hold_at_welcome(client, link))
        for number in range(3):
            client.send(f"early {number}")
            client.tick()  # a packet of its own for each
        finish, packets = link.sent[-5], link.sent[-4:]
        self.assertEqual((finish[0], len(packets)), (wire.FINISH, 4))
        link.holds = False
        for datagram in packets + [finish]:
            link.send(datagram, client.address)
        self.drive([client], lambda: len(self.server.all("message")) == 3, 1)

    @staticmethod
    def hold_at_welcome(client, link):
        link.holds = True
        return client.state == "session"

    def test_retry(self):
        """With 32 handshakes under way from one address the server wants its cookie back."""
        self.serve()
        crowd = Socket()
        self.addCleanup(crowd.udp.close)
        for _ in range(32):
            crowd.send(wire.Initiator(wire.SigningKey(), os.urandom(8)).hello(), ("127.0.0.1", self.port))
        drive([], lambda: False, 0.5)
        client = self.joined()
        self.assertEqual(client.retries, 1)

    def test_version_list(self):
        self.serve()
        client = self.client()
        other = bytes.fromhex("1a2a3a4a")
        hello = bytearray(client.initiator.hello())
        hello[1:5] = other
        link = Socket()
        self.addCleanup(link.udp.close)
        link.send(bytes(hello), ("127.0.0.1", self.port))
        answers = []
        drive([], lambda: answers.extend(link.receive()) or answers, PATIENCE)
        header = wire.read_long_header(answers[0][0])
        self.assertEqual((header.kind, header.version), (wire.HELLO, bytes(4)))
        self.assertEqual((header.destination, header.source), (b"", client.initiator.dcid))
        self.assertIn(wire.VERSION, wire.read_version_list(header.rest))

    def test_wrong_server(self):
        self.serve()
        client = self.client(pinned=wire.SigningKey().public)
        self.drive([client], lambda: client.ended)
        self.assertEqual(client.ended, (None, "wrong server"))
        self.assertFalse(self.server.all("joined"))


class Liar(Client):
    """States other parameters than it should."""

    lies = {}

    def answer(self, theirs):
        answer = super().answer(theirs)
        for name, value in self.lies.items():
            setattr(answer, name, value)
        return answer


def lying(**lies):
    return type("Liar", (Liar,), {"lies": lies})


class Refusals(WithServer):
    """§11.4."""

    def refused(self, key=None, kind=Client):
        client = self.client(key=key, kind=kind)
        self.drive([client], lambda: client.ended)
        self.assertFalse(client.joined)
        return client.ended

    def test_lists_of_players(self):
        banned, welcome = wire.SigningKey(), wire.SigningKey()
        deny = self.file("deny", wire.player_id(banned.public).encode() + b"\n")
        allow = self.file("allow", (wire.player_id(banned.public) + "\n" + wire.player_id(welcome.public)).encode())
        self.serve("--deny", deny, "--allow", allow)
        self.assertEqual(self.refused(banned), (0x23, "banned"))
        self.assertEqual(self.refused(), (0x22, "notAllowed"))
        self.joined(key=welcome)

    def test_another_application(self):
        self.serve("--app", "another/1")
        self.assertEqual(self.refused(), (None, "wrong application"))

    def test_parameters_that_are_not_the_servers(self):
        self.serve()
        self.assertEqual(self.refused(kind=lying(application=b"another/1")), (0x20, "wrongApplication"))
        self.assertEqual(self.refused(kind=lying(policy=wire.SEALED_ONLY)), (0x21, "wrongSigningPolicy"))

    def test_invalid_parameters_are_no_finish(self):
        """§1.7, Finish, steps 4 and 5: dropped without a word, so nobody answers."""
        self.serve()
        lies = [dict(policy=2), dict(application=b""), dict(application=b"\xff"), dict(server_id=bytes(8))]
        lies += [dict(client_id=b"1"), dict(name=b"\xe2\x80\xae"), dict(name=b"n" * 65)]
        clients = [self.client(kind=lying(**lie)) for lie in lies]
        self.drive(clients, lambda: all(client.ended for client in clients))
        self.assertEqual({client.ended for client in clients}, {(None, "nobody answered")})
        self.assertFalse(self.server.all("joined"))


class Conversation(WithServer):
    """§9, §10."""

    def test_300_lines_each_way(self):
        self.serve()
        client, swift = self.joined(), self.swift_client()
        self.converse(client, swift, 300)

    def converse(self, client, swift, count, seconds=PATIENCE, during=lambda: None):
        swift.events.clear()
        swift.say(f"swift {n}" for n in range(count))
        for n in range(count):
            client.send(f"python {n}")
        heard = []

        def is_done():
            during()
            while client.messages:
                heard.append(client.take())
            return len(heard) >= count and len(swift.all("message")) >= count and client.is_delivered()

        self.drive([client], is_done, seconds)
        self.assertEqual([message.text for message in heard], [f"swift {n}" for n in range(count)])
        self.assertEqual({message.author for message in heard}, {self.swift_key.public})
        printed = swift.all("message", **{"from": wire.player_id(client.key.public), "action": "chat"})
        self.assertEqual([message["text"] for message in printed], [f"python {n}" for n in range(count)])

    def test_20_percent_loss_both_ways(self):
        self.serve()
        client, swift = self.joined(link=BadNetwork(0.2, seed=7)), self.swift_client()
        self.converse(client, swift, 300, 60)

    def test_the_room(self):
        """§14.4: what a player says reaches the others as it was, with the player's key as author."""
        self.serve()
        speaker, listener = self.joined(), self.joined()
        said = [wire.Content(b"text", 1, ""), wire.Content(b"\x01\x02", 0, "bytes"), wire.Content(b"\xa0", 2, "cbor")]
        for content in said:
            content.author = listener.key.public  # a lie
            speaker.send_content(content.write())
            content.author = speaker.key.public
        self.drive([speaker, listener], lambda: len(listener.messages) == len(said))
        self.assertEqual(list(listener.messages), said)

    def test_another_port_in_mid_stream(self):
        self.serve()
        client, swift = self.joined(), self.swift_client()
        for noticed in (True, False):
            self.server.events = [e for e in self.server.events if e["event"] != "roamed"]
            del client.roamed[:]
            hops = [lambda: client.change_port(noticed)]
            hop = lambda: hops and client.messages and hops.pop()()
            self.converse(client, swift, 300, during=hop)
            self.drive([client], lambda: self.server.all("roamed") and client.roamed)
            new = "127.0.0.1:%d" % client.link.udp.getsockname()[1]
            self.assertEqual((client.roamed[-1][1], self.server.all("roamed")[-1]["to"]), (new, new))

    def test_long_messages(self):
        self.serve()
        client, swift = self.joined(), self.swift_client()
        long = "".join(f"{n:06} " for n in range(29_000))  # 203,000 bytes
        client.send(long)
        self.drive([client], lambda: self.server.all("message", text=long) and swift.all("message", text=long))
        swift.say([long])
        self.drive([client], lambda: client.messages)
        self.assertEqual(client.take().text, long)

    def test_the_longest_message(self):
        self.serve()
        client = self.joined()
        client.send("x" * client.theirs.longest, action="a" * 64)
        self.drive([client], lambda: client.is_delivered() and self.server.all("message"))
        client.send_content(bytes(client.theirs.longest + 102))
        self.assert_closed(client, wire.LIMIT_EXCEEDED)

    def test_trees(self):
        """§4.1: one signature for several packets. The server takes them, of any depth."""
        self.serve()
        client = self.joined()
        sequence = 0
        for count in (1, 2, 3, 16):
            self.send_tree(client, range(sequence, sequence + count))
            sequence += count
        self.drive([client], lambda: len(self.server.all("message")) == sequence)

    def send_tree(self, client, sequences):
        frames = {}
        for sequence in sequences:
            content = wire.Content(b"leaf %d" % sequence).write()
            frames[client.pn] = wire.Message(sequence, content).write()
            client.pn += 1
        leaves = [wire.leaf(client.out, client.phase, pn, data) for pn, data in frames.items()]
        for (pn, data), trailer in zip(frames.items(), wire.trailers(client.key, leaves)):
            client.link.send(client.seal(pn, data, trailer), client.address)

    def send_frames(self, client, *frames: str):
        for data in frames:
            pn, client.pn = client.pn, client.pn + 1
            client.link.send(client.seal(pn, bytes.fromhex(data)), client.address)

    def texts(self):
        return [message["text"] for message in self.server.all("message")]

    def test_what_another_writer_may_do(self):
        """Forms that our own writer never uses: no length, long varints, pieces that overlap, padding in front."""
        self.serve()
        client = self.joined()
        self.send_frames(client, "00000020 00 00 11046368617461")  # padding in front; no length
        self.send_frames(client, "214000 80000001 c000000000000007 11046368617462")
        # Message 3 before message 2, which comes in pieces that overlap, backwards, the last of them without a length.
        self.send_frames(client, "2100030711046368617464")
        self.send_frames(client, "220002 05 08 74 78", "230002 02 08 05 6368617478")
        self.send_frames(client, "230002 00 08 03 110463", "220002 05 08 747878")
        self.drive([client], lambda: len(self.texts()) == 4)
        self.assertEqual(self.texts(), ["a", "b", "xx", "d"])

    def test_numbers_left_out(self):
        """§3.2: a sender may leave packet numbers out; the size of the number grows with the gap."""
        self.serve()
        client = self.joined()
        for gap in (1, 200, 40_000, 5_000_000):
            client.pn += gap
            client.send(f"{gap}")
            client.tick()
        self.drive([client], lambda: client.is_delivered() and len(self.texts()) == 4)
        self.assertEqual(self.texts(), ["1", "200", "40000", "5000000"])

    def test_a_datagram_of_1400_bytes(self):
        self.serve()
        client = self.joined()
        frames = wire.Message(0, wire.Content(b"x" * 1200).write()).write()
        pn, client.pn = client.pn, client.pn + 1
        without = len(client.seal(pn, frames))
        packet = client.seal(pn, frames + bytes(1400 - without))
        self.assertEqual(len(packet), 1400)
        client.link.send(packet, client.address)
        self.drive([client], lambda: self.texts())

    def test_new_keys(self):
        """§2.2: the client moves to another phase again and again while both talk."""
        self.serve()
        client, swift = self.joined(), self.swift_client()
        for _ in range(4):
            self.converse(client, swift, 100, during=client.update_keys)
        self.assertGreater(client.phase.n, 2)

    def test_credit(self):
        """§9.5: the server never sends more than was granted, and goes on when there is more."""
        self.serve()
        parameters = wire.Parameters(longest=1000, credit=3000)
        client, swift = self.joined(parameters=parameters), self.swift_client()
        swift.say("line %d" % n for n in range(100))
        self.drive([client], lambda: len(client.messages) > 20)
        drive([client], lambda: False, 1)
        self.assertIsNone(client.ended)
        self.assertLess(len(client.messages), 100)
        heard = []
        self.drive([client], lambda: heard.extend(client.take() for _ in list(client.messages)) or len(heard) == 100)
        self.assertEqual([message.text for message in heard], ["line %d" % n for n in range(100)])


class Modes(WithServer):
    """§9: streams, modes, expiry, receipts; §10.7, §11.1."""

    def packet(self, client, *frames):
        """One packet of these frames, whatever the client itself thinks of them."""
        pn, client.pn = client.pn, client.pn + 1
        data = b"".join(frame.write() for frame in frames)
        client.link.send(client.seal(pn, wire.pad_frames(data, 1)), client.address)

    def said(self, sequence, text, stream):
        return wire.Message(sequence, wire.Content(text.encode()).write(), stream=stream)

    def texts(self):
        return [message["text"] for message in self.server.all("message")]

    def test_each_mode_there_and_back(self):
        self.serve("--echo")
        client = self.joined()
        for mode in (wire.ORDERED, wire.UNORDERED, wire.LATEST, wire.UNRELIABLE):
            for channel in (0, 7, 255):
                stream = wire.Stream(channel, mode)
                for text in (f"{mode} on {channel}", f"long {mode} on {channel}: " + "x" * 5000):
                    with self.subTest(stream=stream, size=len(text)):
                        client.send(text, "move", stream)
                        self.drive([client], lambda: client.messages)
                        heard = client.take()
                        self.assertEqual((heard.text, heard.action, heard.stream), (text, "move", stream))
                        self.assertEqual(heard.author, client.key.public)
        self.drive([client], client.is_delivered)

    def test_what_the_command_sends(self):
        modes = {"reliable": wire.ORDERED, "unordered": wire.UNORDERED}
        modes.update(latest=wire.LATEST, unreliable=wire.UNRELIABLE)
        self.serve()
        client = self.joined()
        for name, mode in modes.items():
            swift = self.swift_client(name, "--delivery", name)
            swift.say([f"{name} from Swift"])
            self.drive([client], lambda: client.messages)
            heard = client.take()
            self.assertEqual((heard.text, heard.stream), (f"{name} from Swift", wire.Stream(0, mode)))
            client.send(f"{name} from Python", stream=wire.Stream(0, mode))
            self.drive([client], lambda: swift.all("message", text=f"{name} from Python"))

    def test_only_ever_newer(self):
        self.serve()
        client, stream = self.joined(), wire.Stream(4, wire.LATEST)
        for sequence in (1, 0, 3, 2, 3, 4):
            self.packet(client, self.said(sequence, str(sequence), stream))
        self.drive([client], lambda: "4" in self.texts())
        self.assertEqual(self.texts(), ["1", "3", "4"])

    def test_nobody_waits_for_others(self):
        """Unordered messages are handed out as they come, and each once; ordered ones wait for the one before."""
        self.serve()
        client = self.joined()
        for sequence in (2, 0, 2, 1):
            self.packet(client, self.said(sequence, f"u{sequence}", wire.Stream(1, wire.UNORDERED)))
            self.packet(client, self.said(sequence, f"o{sequence}", wire.Stream(1, wire.ORDERED)))
        self.drive([client], lambda: len(self.texts()) == 6)
        self.assertEqual([text for text in self.texts() if text[0] == "u"], ["u2", "u0", "u1"])
        self.assertEqual([text for text in self.texts() if text[0] == "o"], ["o0", "o1", "o2"])

    def test_pieces_that_stay_alone(self):
        """§9.4: what is missing of an unreliable message is waited for during one second."""
        self.serve()
        client, stream = self.joined(), wire.Stream(0, wire.UNRELIABLE)
        content = wire.Content(b"in two pieces").write()
        first = wire.Message(0, content[:5], 0, len(content), stream)
        second = wire.Message(0, content[5:], 5, len(content), stream)
        self.packet(client, first)
        drive([client], lambda: False, 1.3)
        self.packet(client, second)
        drive([client], lambda: False, 0.3)
        self.assertEqual(self.texts(), [])
        self.packet(client, first)
        self.drive([client], lambda: self.texts() == ["in two pieces"])

    def test_receipts(self):
        """§9.7: what asks for a receipt gets one, in every mode; the others get none."""
        self.serve()
        client = self.joined()
        streams = [wire.Stream(mode + 60, mode) for mode in range(4)]
        for stream in streams:
            for n in range(3):
                client.send(f"{n}", stream=stream, wants_receipt=n != 1)
                client.tick()
        given = lambda stream: sorted(
            n for r in client.receipts if r.stream == stream for n in range(r.last - r.extra, r.last + 1)
        )
        self.drive([client], lambda: all(given(stream) == [0, 2] for stream in streams))

    def test_a_receipt_that_nobody_asked_for(self):
        self.serve("--echo")
        client = self.joined()
        client.send("once")
        self.drive([client], lambda: client.messages)
        self.packet(client, wire.Receipt(wire.Stream(), 0))
        client.send("still here")
        self.drive([client], lambda: len(client.messages) == 2)
        self.packet(client, wire.Receipt(wire.Stream(), 2))
        self.assert_closed(client, wire.PROTOCOL_VIOLATION)

    def test_an_expired_message(self):
        """§9.3: the sender gives a lost message up; what was sent behind it is handed out."""
        self.serve()
        link = Recorder()
        client = self.joined(link=link)
        link.holds = True
        stale = client.send("stale")
        client.tick()
        link.holds = False
        client.give_up(stale)
        client.send("fresh")
        self.drive([client], lambda: client.is_delivered() and self.texts())
        self.assertEqual(self.texts(), ["fresh"])

    def test_a_message_given_up_in_its_middle(self):
        self.serve()
        client = self.joined()
        self.packet(client, wire.Message(0, b"abc", 0, 1000))
        self.packet(client, self.said(1, "behind it", wire.Stream()))
        drive([client], lambda: False, 0.3)
        self.assertEqual(self.texts(), [])
        skip = wire.Skip(wire.Stream(), 0, 32 + 700)  # 697 bytes of it were lost
        self.packet(client, skip)
        self.drive([client], lambda: self.texts() == ["behind it"])
        self.packet(client, skip, wire.Message(0, b"too late", 3, 1000))
        self.packet(client, self.said(2, "and on", wire.Stream()))
        self.drive([client], lambda: self.texts() == ["behind it", "and on"])

    def test_skips_give_their_credit_back(self):
        """More than any window in all: each SKIP counts as taken at once."""
        self.serve()
        client = self.joined()
        limit = lambda: client.outbox.limits.get(wire.Stream(), client.outbox.channel_credit)
        for n in range(8):
            before = limit()
            self.packet(client, wire.Skip(wire.Stream(), n, (1 << 20) + 133))
            self.drive([client], lambda: limit() > before)
        self.packet(client, self.said(8, "after 8 MiB", wire.Stream()))
        self.drive([client], lambda: self.texts() == ["after 8 MiB"])

    def test_credit_of_a_channel(self):
        """§9.5: one channel that is not read holds up no other."""
        self.serve("--echo")
        client = self.joined(parameters=wire.Parameters(longest=1000, credit=100_000, channel_credit=2_000))
        slow, quick = wire.Stream(1), wire.Stream(2)
        for n in range(60):
            client.send(f"slow {n}", stream=slow)
        self.drive([client], lambda: len(client.messages) > 20)
        drive([client], lambda: False, 0.5)
        held, heard = [client.messages.popleft() for _ in range(len(client.messages))], []
        self.assertLess(len(held), 60)
        client.send("quick", stream=quick)
        self.drive([client], lambda: client.messages)
        self.assertEqual(client.take().text, "quick")
        client.messages.extend(held)
        self.drive([client], lambda: heard.extend(client.take() for _ in list(client.messages)) or len(heard) == 60)
        self.assertEqual([message.text for message in heard], [f"slow {n}" for n in range(60)])

    def presence(self, client):
        """What the server says of this player's session now."""
        seen = len(self.server.all("stats"))
        self.server.process.send_signal(signal.SIGUSR1)
        self.drive([client], lambda: len(self.server.all("stats")) > seen)
        return self.server.all("stats")[-1]["sessionOf"][wire.player_id(client.key.public)]

    def test_resting(self):
        """§11.1: who rests says so; an old frame says nothing; a message ends it."""
        self.serve()
        client = self.joined()
        self.assertEqual(self.presence(client)["presence"], "playing")
        client.rest()
        self.drive([client], lambda: self.presence(client)["presence"] == "resting")
        client.rest(False)
        self.drive([client], lambda: self.presence(client)["presence"] == "playing")
        self.packet(client, wire.Resting(1, 1))
        drive([client], lambda: False, 0.3)
        self.assertEqual(self.presence(client)["presence"], "playing")
        client.rest()
        self.drive([client], lambda: self.presence(client)["presence"] == "resting")
        client.send("I am back")
        self.drive([client], lambda: self.texts() and self.presence(client)["presence"] == "playing")

    def test_nothing_is_sent_while_resting(self):
        self.serve()
        client = self.joined()
        drive([client], lambda: False, CLOCKS)
        client.rest()
        drive([client], lambda: False, 0.5)
        heard = []
        drive([], lambda: heard.extend(client.link.receive()), 6)  # longer than a keep-alive interval
        self.assertEqual(heard, [])
        client.send("still in")
        self.drive([client], lambda: self.texts() == ["still in"])
        self.assertFalse(self.server.all("offline"))

    def test_clocks(self):
        """§10.7: both learn what the other's clock shows, and tell how old a message is."""
        self.serve("--echo")
        client = self.joined()
        client.ask_time()
        self.drive([client], lambda: client.age(wire.Content(b"", time=0)))
        self.drive([client], lambda: "clockError" in self.presence(client))
        drive([client], lambda: False, 0.2)
        sent_at = client.microseconds()
        client.send("how old?")
        drive([], lambda: False, 0.3)  # on the way for so long
        client.send("the first was late")
        self.drive([client], lambda: len(client.messages) == 2)
        elapsed = client.microseconds() - sent_at
        age, error = client.age(client.take())
        self.assertLess(error, 1_000_000)
        self.assertGreater(age + error, 300_000)
        self.assertLess(age - error, elapsed + 1_000)
        told = self.server.all("message", text="how old?")[0]["age"]
        self.assertGreater(told, 0.25)
        self.assertLess(told, elapsed / 1_000_000 + 0.1)

    def test_answers_that_nobody_wants(self):
        self.serve()
        client = self.joined()
        self.packet(client, wire.TimeResponse(1, 2, 3))
        self.packet(client, wire.TimeResponse(2**64 - 1, 2**64 - 1, 2**62 - 1))
        client.send("still here")
        self.drive([client], lambda: self.texts() == ["still here"])


class Paths(WithServer):
    """§5."""

    def test_the_server_answers_a_challenge(self):
        self.serve()
        client = self.joined()
        data = os.urandom(8)
        client.send_packet([wire.PathChallenge(data)])
        self.drive([client], lambda: client.path_responses)
        self.assertEqual(client.path_responses, [data])

    def test_a_probing_packet_moves_nothing(self):
        self.serve()
        client = self.joined()
        old = client.link.udp
        client.link.udp = None
        client.link.rebind()
        client.send_packet([wire.PathResponse(bytes(8))])
        client.link.udp.close()
        client.link.udp = old
        client.send("still here")
        self.drive([client], lambda: self.server.all("message") and client.is_delivered())
        self.assertFalse(self.server.all("roamed"))


    def test_a_packet_sent_on_by_somebody_else(self):
        """Somebody sends a packet on from his own address, in front of it: he gets little, and the player stays."""
        self.serve()
        link = Recorder()
        client, swift = self.joined(link=link), self.swift_client()
        stranger, loot = Socket(), []
        self.addCleanup(stranger.udp.close)
        link.holds = True
        client.send("on another way")
        client.tick()
        link.holds = False
        stranger.send(link.sent[-1], client.address)
        spent = len(link.sent[-1])
        swift.say(["x" * 100_000])
        drive([], lambda: loot.extend(stranger.receive()), 0.5)
        self.assertLessEqual(sum(len(datagram) for datagram, _ in loot), 3 * spent)
        self.assertTrue(loot)
        client.send("from where I am")
        self.drive([client], lambda: client.messages and client.is_delivered())
        self.assertFalse(self.server.all("roamed"))


class Endings(WithServer):
    """§11."""

    def test_three_echoes_at_most(self):
        self.serve()
        client = self.joined()
        answers = []
        drive([client], lambda: False, CLOCKS)  # until nothing is owed to each other
        client.send_packet([wire.Close(wire.DONE)])
        drive([], lambda: answers.extend(client.link.receive()) or answers, PATIENCE)
        for _ in range(10):
            client.send_packet([wire.Ping()])
        drive([], lambda: answers.extend(client.link.receive()), 0.5)
        self.assertLessEqual(len(answers), 3)
        self.assertEqual({self.opened(client, datagram) for datagram, _ in answers}, {wire.Close(wire.DONE)})

    def opened(self, client, datagram):
        """The first frame of a packet of the server."""
        direction = client.directions[1]
        packet = wire.unmask(direction, 0, datagram, client._received.highest + 1)
        plaintext = wire.open_packet(direction.first_phase, packet)
        return next(wire.read_frames(plaintext[:-65]))

    def test_three_closes_for_the_deaf(self):
        """§11.3: a server whose CLOSE nobody answers says it three times."""
        self.serve()
        link = Recorder()
        client = self.joined(link=link)
        drive([client], lambda: False, CLOCKS)
        self.server.process.send_signal(signal.SIGTERM)
        answers = []
        drive([], lambda: answers.extend(link.receive()) or self.server.process.poll() is not None, PATIENCE)
        answers.extend(link.receive())
        self.assertEqual([self.opened(client, d) for d, _ in answers], [wire.Close(wire.SHUTDOWN)] * 3)

    def test_the_client_closes(self):
        self.serve()
        client, swift = self.joined(), self.swift_client()
        client.close()
        player = wire.player_id(client.key.public)
        self.drive([client], lambda: client.state == "gone" and self.server.all("left", player=player))
        self.assertTrue(client.echoed)
        self.assertEqual(self.server.all("left", player=player)[0]["reason"], "closed")
        self.assertEqual(swift.stop(), 0)

    def test_the_server_stops(self):
        self.serve()
        client, swift = self.joined(), self.swift_client()
        self.assertEqual(self.server.stop([client]), 0)
        self.assert_closed(client, wire.SHUTDOWN)
        self.drive([client], lambda: client.state == "gone")
        self.drive([], lambda: swift.all("left"))

    def test_put_out(self):
        deny = self.file("deny", b"")
        self.serve("--deny", deny)
        client = self.joined()
        self.file("deny", wire.player_id(client.key.public).encode() + b"\n")
        self.server.process.send_signal(signal.SIGHUP)
        self.assert_closed(client, wire.KICKED)

    def test_replaced(self):
        self.serve()
        first = self.joined()
        second = self.client(key=first.key)
        self.drive([first, second], lambda: first.ended and second.joined)
        self.assertEqual(first.ended[0], wire.REPLACED)


class Violations(WithServer):
    """What the server says to those who break a rule."""

    def setUp(self):
        super().setUp()
        self.serve()
        self.other = self.joined()  # suffers nothing from what the rule breaker does

    def tearDown(self):
        self.other.send("I am still here")
        self.drive([self.other], lambda: self.server.all("message", text="I am still here"))

    def breaks(self, frames: bytes, code: int, tamper=lambda trailer: trailer, reserved=0):
        client = self.joined()
        pn, client.pn = client.pn, client.pn + 1
        (trailer,) = wire.trailers(client.key, [wire.leaf(client.out, client.phase, pn, frames)])
        client.link.send(client.seal(pn, frames, tamper(trailer), reserved=reserved), client.address)
        self.assert_closed(client, code)
        self.assertEqual(client.ended[1], "")

    def test_wrong_signatures(self):
        ping = b"\x01\0\0"
        self.breaks(ping, wire.BAD_SIGNATURE, lambda t: bytes([t[0] ^ 1]) + t[1:])
        self.breaks(ping, wire.BAD_SIGNATURE, lambda t: t[:-1] + b"\x50")  # depth 5
        self.breaks(ping, wire.BAD_SIGNATURE, lambda t: t[:-1] + b"\x01")  # index 1 at depth 0
        self.breaks(ping, wire.BAD_SIGNATURE, lambda t: b"")
        somebody = wire.SigningKey()
        self.breaks(ping, wire.BAD_SIGNATURE, lambda t: somebody.sign(b"") + t[64:])

    def test_reserved_frames(self):
        for kind in (0x06, 0x07, 0x08, 0x09, 0x0A, 0x13, 0x1F, 0x30, 0x40, 0xFF):
            with self.subTest(kind=kind):
                self.breaks(bytes([kind]) + bytes(8), wire.PROTOCOL_VIOLATION)

    def test_malformed_frames(self):
        frames = {
            "no frames": b"",
            "an ACK of what was never sent": wire.Ack(0, [(1000, 1000)]).write(),
            "an ACK below 0": bytes.fromhex("0200000001"),
            "an ACK of 65 ranges": b"\x02\x41\0\x00\x40\x40" + bytes(130),
            "a CLOSE with a long text": b"\x03\0\x40\x81" + bytes(129),
            "a challenge cut off": b"\x04" + bytes(7),
            "channel 256": bytes.fromhex("2141000000"),
            "a piece beyond the end": wire.Message(0, b"abc", 8, 10).write(),
            "a piece of nothing": wire.Message(0, b"", 0, 10).write(),
            "more bytes than there are": bytes.fromhex("2100000500"),
            "two sizes": wire.Message(0, b"ab", 0, 10).write() + wire.Message(0, b"c", 5, 11).write(),
            "two contents": wire.Message(0, b"ab", 0, 10).write() + wire.Message(0, b"c", 1, 10).write(),
            "empty content": wire.Message(0, b"").write(),
            "empty unreliable content": wire.Message(0, b"", stream=wire.Stream(0, wire.UNRELIABLE)).write(),
            "reserved flags": wire.Message(0, b"\x80").write(),
            "format 3": wire.Message(0, b"\x03").write(),
            "author's signature": wire.Message(0, b"\x08").write(),
            "a time cut off": wire.Message(0, b"\x20\0\0").write(),
            "text that is not UTF-8": wire.Message(0, b"\x01\xff").write(),
            "action that is empty": wire.Message(0, b"\x11\0").write(),
            "action that is too long": wire.Message(0, b"\x11\x41" + b"a" * 65).write(),
            "action that is not UTF-8": wire.Message(0, b"\x11\x01\xff").write(),
            "a limit for an unreliable stream": bytes.fromhex("0d0300"),
            "a limit for no stream": bytes.fromhex("0d440000"),
            "a receipt for no stream": bytes.fromhex("0e44000000"),
            "a receipt below 0": bytes.fromhex("0e000001"),
            "a receipt for what was never sent": wire.Receipt(wire.Stream(), 0).write(),
            "a receipt for a stream of which nothing was sent": wire.Receipt(wire.Stream(9, wire.LATEST), 5, 5).write(),
            "a SKIP of an unreliable stream": bytes.fromhex("0f020028"),
            "a SKIP with absurd credit": wire.Skip(wire.Stream(), 0, 1 << 40).write(),
            "a SKIP with a byte too much": wire.Skip(wire.Stream(), 0, (1 << 20) + 134).write(),
            "a SKIP of more than the message": wire.Message(0, b"ab", 0, 10).write()
            + wire.Skip(wire.Stream(), 0, 43).write(),
            "a SKIP of less than came": wire.Message(0, b"ab", 0, 10).write() + wire.Skip(wire.Stream(), 0, 33).write(),
            "a SKIP without the overhead": wire.Skip(wire.Stream(), 0, 31).write(),
            "a request cut off": b"\x10" + bytes(7),
            "an answer cut off": b"\x11" + bytes(16),
            "neither resting nor not": bytes.fromhex("120102"),
        }
        for name, data in frames.items():
            with self.subTest(name):
                self.breaks(data, wire.PROTOCOL_VIOLATION)

    def test_reserved_bits(self):
        for reserved in (1, 2, 3):
            self.breaks(b"\x01\0\0", wire.PROTOCOL_VIOLATION, reserved=reserved)

    def test_limits(self):
        longest = (1 << 20) + 101
        self.breaks(wire.Message(0, b"a", 0, longest + 1).write(), wire.LIMIT_EXCEEDED)
        pieces = b"".join(wire.Message(n, b"a", 0, 10).write() for n in range(65))
        self.breaks(pieces, wire.LIMIT_EXCEEDED)
        content = wire.Content(b"far ahead").write()
        self.breaks(wire.Message(32_768, content).write(), wire.LIMIT_EXCEEDED)
        self.breaks(wire.Skip(wire.Stream(3, wire.UNORDERED), 32_768, 32).write(), wire.LIMIT_EXCEEDED)
        dearest = [wire.Skip(wire.Stream(), n, longest + 32).write() for n in range(2)]
        self.breaks(b"".join(dearest), wire.LIMIT_EXCEEDED)  # more than the 2 MiB of a stream

    def test_more_than_was_granted(self):
        client = self.joined()
        client.outbox.limit = 1 << 40
        # Message 0 never comes, so nothing can be handed out, and 2 MiB are granted to a stream.
        client.outbox.sequences[wire.Stream()], client.outbox.channel_credit = 1, 1 << 40
        for _ in range(5):
            client.send_content(bytes(1 << 20))
        self.assert_closed(client, wire.LIMIT_EXCEEDED)

    def test_keys_that_run_backwards(self):
        """§2.2, step 5: the new key with a number below one that the old key had."""
        client = self.joined()
        pn, client.pn = client.pn, client.pn + 1
        client.send_packet([wire.Ping()])
        self.drive([client], lambda: client.loss.largest_acknowledged == pn + 1)
        packet = client.seal(pn, b"\x01\0\0", phase=client.phase.next())
        client.link.send(packet, client.address)
        self.assert_closed(client, wire.KEY_MISUSE)


class Replays(WithServer):
    """§3.5, step 4."""

    def test_what_comes_twice_counts_once(self):
        self.serve()
        link = Recorder()
        client = self.joined(link=link)
        for n in range(50):
            client.send(f"{n}")
            client.tick()
        self.drive([client], client.is_delivered)
        packets = [datagram for datagram in link.sent if datagram[0] < 0x20]
        self.assertGreaterEqual(len(packets), 50)
        elsewhere = Socket()
        self.addCleanup(elsewhere.udp.close)
        for datagram in packets:
            Socket.send(link, datagram, client.address)
            elsewhere.send(datagram, client.address)
        client.send("last")
        self.drive([client], lambda: self.server.all("message", text="last") and client.is_delivered())
        self.server.stop([client])
        self.drive([], lambda: self.server.all("stats"))
        stats = self.server.all("stats")[-1]
        self.assertEqual(len(self.server.all("message")), 51)
        self.assertEqual((stats["messagesReceived"], stats["moves"]), (51, 0))
        self.assertGreaterEqual(stats["dropped"], 2 * len(packets), stats)


if __name__ == "__main__":
    if not os.access(COMMAND, os.X_OK):
        sys.exit(f"There is no {COMMAND}: run `swift build --product roamkey`, or `make interop`.")
    signal.alarm(LONGEST_RUN)
    unittest.main(verbosity=2)
