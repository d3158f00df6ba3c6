"""What both say to each other, and under which keys: PROTOCOL §2 to §4, §9, §10.
"""

import roamkey_handshake as handshake
import roamkey_wire as wire
from interop_support import PATIENCE, BadNetwork, WithServer
from roamkey_client import drive


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

    def test_signed_by_their_author(self):
        """§9.8: a room passes a proof on, a good one as well as a bad one, and whoever gets it can tell."""
        self.serve()
        speaker, listener = self.joined(), self.joined()
        good, altered, stolen = (wire.Content(b"I take Vega", 1, "order") for _ in range(3))
        for number, content in enumerate((good, altered), 1):
            wire.sign_content(content, speaker.key, "roamkey/1", self.server_key.public, 7, number)
        altered.body = b"I take Mars"
        wire.sign_content(stolen, listener.key, "roamkey/1", self.server_key.public, 7, 1)
        for content in (good, altered, stolen):
            speaker.send_content(content.write())
        self.drive([speaker, listener], lambda: len(listener.messages) == 3)
        heard = list(listener.messages)
        self.assertEqual({content.author for content in heard}, {speaker.key.public})
        self.assertEqual([content.proof for content in heard], [good.proof, altered.proof, stolen.proof])
        proven = [wire.is_proven(content, "roamkey/1", self.server_key.public) for content in heard]
        self.assertEqual(proven, [True, False, False])

    def test_another_port_in_mid_stream(self):
        self.serve()
        client, swift = self.joined(), self.swift_client()
        for noticed in (True, False):
            self.server.events = [e for e in self.server.events if e["event"] != "roamed"]
            del client.roamed[:]
            hops = [client.move if noticed else client.rebind]
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
        client.send_content(bytes(client.theirs.longest + 182))
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

    def test_trees_of_the_server(self):
        """§4.1: what leaves the server in one flush shares signatures; a lone line has one of its own."""
        self.serve()
        client, swift = self.joined(), self.swift_client()
        self.drive([client], client.is_delivered)
        client.tree_depths.clear()
        swift.say(["lone"])
        self.drive([client], lambda: client.messages)
        self.assertEqual((client.take().text, client.tree_depths), ("lone", {0}))
        long = "".join(f"{n:06} " for n in range(29_000))  # 203,000 bytes
        swift.say([long])
        self.drive([client], lambda: client.messages)
        self.assertEqual(client.take().text, long)
        self.assertGreaterEqual(max(client.tree_depths), 2)

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
        parameters = handshake.Parameters(longest=1000, credit=3000)
        client, swift = self.joined(parameters=parameters), self.swift_client()
        swift.say("line %d" % n for n in range(100))
        self.drive([client], lambda: len(client.messages) > 20)
        drive([client], lambda: False, 1)
        self.assertIsNone(client.ended)
        self.assertLess(len(client.messages), 100)
        heard = []
        self.drive([client], lambda: heard.extend(client.take() for _ in list(client.messages)) or len(heard) == 100)
        self.assertEqual([message.text for message in heard], ["line %d" % n for n in range(100)])
