"""A client written from docs/PROTOCOL.md alone, against the vectors of §14 and against the real command."""

import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import roamkey_wire as wire  # noqa: E402

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))


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
            player, inputs["dcid"], inputs["scid"], server.public, inputs["ephemeralInitiator"], inputs["staticInitiator"]
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
        self.assertEqual(inputs["cookieTime"] + wire.H("rk1 cookie", covered, inputs["cookieKey"], 16), values["cookie"])
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
            "21000008" "0104636861746869": wire.Message(0, content),
            "23000743e84bb803aabbcc": wire.Message(7, bytes.fromhex("aabbcc"), 1000, 3000),
            "03010469646c65": wire.Close(wire.KICKED, b"idle"),
            "030000": wire.Close(wire.DONE),
            "0c804f4240": wire.MaxData(5_194_304),
            "0b0100000000000000000000ffffc63364071388": wire.ObservedAddress(
                1, wire.address_bytes("198.51.100.7", 0)[:16], 5000
            ),
        }
        for text, frame in examples.items():
            self.assertEqual(frame.write().hex(), text)
            self.assertEqual(list(wire.read_frames(bytes.fromhex(text))), [frame])
        self.assertEqual(list(wire.read_frames(bytes.fromhex("200000") + content)), [wire.Message(0, content)])
        self.assertEqual(wire.Content.read(content), wire.Content(b"hi"))

    def test_parameters(self):
        text = "010867616c6178792f31" "020101" "0300" "0408b0b1b2b3b4b5b6b7" "0504524b0001"
        text += "060480400000" "070480100000" "0803416461"
        read = wire.Parameters.read(bytes.fromhex(text))
        expected = wire.Parameters(b"galaxy/1", wire.EVERY_PACKET, b"", bytes.fromhex("b0b1b2b3b4b5b6b7"))
        expected.versions, expected.credit, expected.longest, expected.name = (wire.VERSION,), 4 << 20, 1 << 20, b"Ada"
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


if __name__ == "__main__":
    unittest.main(verbosity=2)
