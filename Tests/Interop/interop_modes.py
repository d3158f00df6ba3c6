"""Delivery modes, expiry, receipts, clocks and rest: PROTOCOL §9, §10.7, §11.1.
"""

import signal

import roamkey_handshake as handshake
import roamkey_wire as wire
from interop_support import CLOCKS, Recorder, WithServer
from roamkey_client import drive


class Modes(WithServer):
    """§9: streams, modes, expiry, receipts; §10.7, §11.1."""

    def said(self, sequence, text, stream):
        return wire.Message(sequence, wire.Content(text.encode()).write(), stream=stream)

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
        client = self.joined(parameters=handshake.Parameters(longest=1000, credit=100_000, channel_credit=2_000))
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
