"""The vectors and examples of PROTOCOL §14, and the readers alone: no command, no socket.
"""

import json
import os
import unittest

import roamkey_handshake as handshake
import roamkey_wire as wire
from interop_support import ROOT
from roamkey_delivery import Inbox, PeerClock


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
        initiator = handshake.Initiator(
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
        welcomed = initiator.read_welcome(handshake.read_long_header(values["welcome"]))
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

    def test_authors(self):
        with open(os.path.join(ROOT, "Tests", "Vectors", "authors.json")) as file:
            vectors = json.load(file)
        server = bytes.fromhex(vectors["server"])
        for case in vectors["cases"]:
            content = wire.Content.read(bytes.fromhex(case["content"]))
            self.assertEqual((content.action, content.body.hex()), (case["action"], case["body"]))
            self.assertTrue(wire.is_proven(content, case["application"], server))
            self.assertFalse(wire.is_proven(content, case["application"][1:], server))

    def test_parameters(self):
        text = "010867616c6178792f31" "020101" "0300" "0408b0b1b2b3b4b5b6b7" "0504524b0001"
        text += "060480400000" "070480100000" "0803416461" "0a0480200000"
        read = handshake.Parameters.read(bytes.fromhex(text))
        expected = handshake.Parameters(b"galaxy/1", wire.EVERY_PACKET, b"", bytes.fromhex("b0b1b2b3b4b5b6b7"))
        expected.versions, expected.credit, expected.longest, expected.name = (handshake.VERSION,), 4 << 20, 1 << 20, b"Ada"
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
        self.assert_violates(wire.PROTOCOL_VIOLATION, wire.Skip(stream, 2, 1214))  # 1000 + 181 + 32 at most
        self.assert_violates(wire.LIMIT_EXCEEDED, wire.Skip(stream, 2 + 32_768, 32))
        for sequence in (2, 3):
            self.inbox.skip(wire.Skip(stream, sequence, 1213))
        self.assert_violates(wire.LIMIT_EXCEEDED, wire.Skip(stream, 4, 1213))

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
