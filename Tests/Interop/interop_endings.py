"""How sessions end, and what ends them: PROTOCOL §3.5, §7, §8, §11.
"""

import signal

import roamkey_wire as wire
from interop_support import CLOCKS, PATIENCE, Recorder, WithServer
from roamkey_client import drive
from roamkey_paths import Socket


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
        self.assertEqual({self.frames(client, arrival.datagram)[0] for arrival in answers}, {wire.Close(wire.DONE)})

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
        self.assertEqual([self.frames(client, a.datagram)[0] for a in answers], [wire.Close(wire.SHUTDOWN)] * 3)

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

    def test_wrong_signatures(self):
        ping = b"\x01\0\0"
        self.breaks(self.joined(), ping, wire.BAD_SIGNATURE, lambda t: bytes([t[0] ^ 1]) + t[1:])
        self.breaks(self.joined(), ping, wire.BAD_SIGNATURE, lambda t: t[:-1] + b"\x50")  # depth 5
        self.breaks(self.joined(), ping, wire.BAD_SIGNATURE, lambda t: t[:-1] + b"\x01")  # index 1 at depth 0
        self.breaks(self.joined(), ping, wire.BAD_SIGNATURE, lambda t: b"")
        somebody = wire.SigningKey()
        self.breaks(self.joined(), ping, wire.BAD_SIGNATURE, lambda t: somebody.sign(b"") + t[64:])

    def test_reserved_frames(self):
        for kind in (0x13, 0x1F, 0x30, 0x40, 0xFF):
            with self.subTest(kind=kind):
                self.breaks(self.joined(), bytes([kind]) + bytes(8), wire.PROTOCOL_VIOLATION)

    def test_malformed_frames(self):
        frames = {
            "no frames": b"",
            "an ACK of what was never sent": wire.Ack(0, [(1000, 1000)]).write(),
            "an ACK below 0": bytes.fromhex("0200000001"),
            "an ACK of 65 ranges": b"\x02\x41\0\x00\x40\x40" + bytes(130),
            "a CLOSE with a long text": b"\x03\0\x40\x81" + bytes(129),
            "a challenge cut off": b"\x04" + bytes(7),
            "a drop cut off": b"\x06" + bytes(7),
            "an id of no bytes": wire.NewConnectionID(1, 0, b"", bytes(16)).write(),
            "an id of 21 bytes": wire.NewConnectionID(1, 0, bytes(21), bytes(16)).write(),
            "an id that retires later ones": wire.NewConnectionID(1, 2, bytes(8), bytes(16)).write(),
            "a token cut off": wire.NewConnectionID(1, 0, bytes(8), bytes(15)).write(),
            "an id of who uses none": wire.NewConnectionID(1, 0, bytes(8), bytes(16)).write(),
            "no sequence to retire": b"\x08",
            "no epoch": b"\x09",
            "nine addresses": wire.Addresses(1, [(bytes(16), 7447)] * 9).write(),
            "an address cut off": wire.Addresses(1, [(bytes(16), 7447)]).write()[:-1],
            "an observed address cut off": b"\x0b\x01" + bytes(17),
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
            "an author's proof cut off": wire.Message(0, b"\x08" + bytes(79)).write(),
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
            "a SKIP with a byte too much": wire.Skip(wire.Stream(), 0, (1 << 20) + 214).write(),
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
                self.breaks(self.joined(), data, wire.PROTOCOL_VIOLATION)

    def test_reserved_bits(self):
        for reserved in (1, 2, 3):
            self.breaks(self.joined(), b"\x01\0\0", wire.PROTOCOL_VIOLATION, reserved=reserved)

    def test_limits(self):
        longest = (1 << 20) + 181
        self.breaks(self.joined(), wire.Message(0, b"a", 0, longest + 1).write(), wire.LIMIT_EXCEEDED)
        pieces = b"".join(wire.Message(n, b"a", 0, 10).write() for n in range(65))
        self.breaks(self.joined(), pieces, wire.LIMIT_EXCEEDED)
        content = wire.Content(b"far ahead").write()
        self.breaks(self.joined(), wire.Message(32_768, content).write(), wire.LIMIT_EXCEEDED)
        self.breaks(self.joined(), wire.Skip(wire.Stream(3, wire.UNORDERED), 32_768, 32).write(), wire.LIMIT_EXCEEDED)
        dearest = [wire.Skip(wire.Stream(), n, longest + 32).write() for n in range(2)]
        self.breaks(self.joined(), b"".join(dearest), wire.LIMIT_EXCEEDED)  # more than the 2 MiB of a stream

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
        elsewhere = self.elsewhere()
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
