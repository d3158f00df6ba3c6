"""Resets, the server's and what a client makes of them: PROTOCOL §6."""

import os
import time

import roamkey_handshake as handshake
import roamkey_wire as wire
from interop_support import Recorder, WithServer
from roamkey_client import drive
from roamkey_wire import RetireConnectionID

ENOUGH, TOO_SMALL, SIZE = 44, 43, 43


def packet_of(id: bytes, size: int = ENOUGH) -> bytes:
    """What looks like a packet, of a session that nobody has."""
    return bytes([os.urandom(1)[0] & 0x1F]) + id + os.urandom(size - 9)


class ResetsOfTheServer(WithServer):
    def answers(self, *datagrams, seconds=0.5):
        """What a stranger gets for these."""
        stranger, arrivals = self.elsewhere(), []
        for datagram in datagrams:
            stranger.send(datagram, ("127.0.0.1", self.port))
        drive([], lambda: arrivals.extend(stranger.receive()), seconds)
        return [arrival.datagram for arrival in arrivals]

    def test_for_an_unknown_id(self):
        """43 bytes, which begin like a packet. The same id gets the same token, another one another."""
        self.serve()
        id = os.urandom(8)
        resets = self.answers(packet_of(id), packet_of(id, 1200), packet_of(os.urandom(8)))
        self.assertEqual([(len(reset), reset[0] >> 5) for reset in resets], [(SIZE, 0)] * 3)
        self.assertEqual(resets[0][-16:], resets[1][-16:])
        self.assertNotEqual(resets[0][-16:], resets[2][-16:])
        self.assertEqual(len({reset[:-16] for reset in resets}), 3)

    def test_none_for_less(self):
        """Below 44 bytes nothing comes back, so that two who know nothing do not answer each other without end."""
        self.serve()
        small = [packet_of(os.urandom(8), size) for size in (TOO_SMALL, 29, 9)]
        self.assertEqual(self.answers(*small, bytes(1), bytes(8)), [])
        self.assertEqual(self.answers(*self.answers(packet_of(os.urandom(8)))), [])

    def test_none_for_anything_else(self):
        self.serve()
        others = [bytes([first]) + os.urandom(99) for first in (0x20, 0x40, 0x7F)]
        finish = handshake.long_header(handshake.FINISH, os.urandom(8), b"") + os.urandom(200)
        self.assertEqual(self.answers(*others, finish), [])

    def test_none_for_a_handshake_under_way(self):
        """Its packets may only have overtaken the Finish."""
        self.serve()
        link = Recorder()
        client = self.client(link=link)
        self.drive([client], lambda: self.hold_at_welcome(client, link))
        self.assertEqual(self.answers(packet_of(client.theirs.server_id)), [])

    @staticmethod
    def hold_at_welcome(client, link):
        link.holds = True
        return client.state == "session"

    def test_none_for_who_was_put_out(self):
        """The session has ended, and its client was told; it is not to come back for that."""
        self.serve()
        client = self.joined()
        self.drive([client], lambda: len(client.ids.unretired) == 5)
        client.close()
        self.drive([client], lambda: client.state == "gone" and self.server.all("left"))
        drive([], lambda: False, 4)  # until the server has forgotten it, after 3 PTO
        ids = [id for id, _ in client.ids.unretired.values()]
        self.assertEqual(self.answers(*(packet_of(id) for id in ids)), [])
        self.assertEqual(len(self.answers(packet_of(os.urandom(8)))), 1)

    def test_the_token_is_the_one_that_was_given(self):
        """Ids that the client has retired are forgotten like those of a server that begins anew."""
        self.serve()
        client = self.joined()
        self.drive([client], lambda: len(client.ids.unretired) == 5)
        given = {sequence: client.ids.unretired[sequence] for sequence in (0, 3)}
        self.assertEqual(given[0][1], client.theirs.reset_token)
        client.move()  # retires 0
        client.ids.unretired.pop(3)
        self.packet(client, RetireConnectionID(3))
        drive([client], lambda: False, 4)
        for sequence, (id, token) in given.items():
            with self.subTest(sequence=sequence):
                resets = self.answers(packet_of(id))
                self.assertEqual([(len(reset), reset[-16:]) for reset in resets], [(SIZE, token)])

    def test_so_many_a_second(self):
        self.serve()
        stranger, got, began = self.elsewhere(), [], time.monotonic()
        for n in range(4000):
            stranger.send(packet_of(os.urandom(8)), ("127.0.0.1", self.port))
            if n % 50 == 0:
                got.extend(stranger.receive())
        drive([], lambda: got.extend(stranger.receive()), 0.5)
        seconds = time.monotonic() - began
        self.assertGreater(len(got), 100)
        self.assertLessEqual(len(got), 1000 + 1000 * seconds)


class ResetsAtTheClient(WithServer):
    """A reset is a reset whoever sends it: who knows the token is the server. Here the test does."""

    def forged(self, token: bytes, size: int = SIZE) -> bytes:
        return bytes([os.urandom(1)[0] & 0x1F]) + os.urandom(size - 17) + token

    def joined_with_words_on_the_way(self, **options):
        self.serve("--echo")
        client = self.joined(link=Recorder(), **options)
        self.drive([client], lambda: len(client.ids.unretired) == 5)
        client.link.holds = True
        client.send("on its way")
        client.tick()
        client.link.holds = False
        return client

    def test_a_new_session(self):
        """What was not acknowledged is handed back; what is said meanwhile waits for the new session."""
        for scid in (b"", b"12345678"):
            for sequence in (0, 4):
                with self.subTest(scid=scid, sequence=sequence):
                    client = self.joined_with_words_on_the_way(scid=scid)
                    _, token = client.ids.unretired[sequence]
                    self.elsewhere().send(self.forged(token), client.link.udp.getsockname())
                    self.drive([client], lambda: client.resets)
                    client.send("said meanwhile")
                    self.drive([client], lambda: client.messages)
                    self.assertEqual(client.take().text, "said meanwhile")
                    handed_back = [wire.Content.read(content).text for content in client.undelivered]
                    self.assertEqual((handed_back, client.server), (["on its way"], self.server_key.public))

    def test_not_by_who_does_not_know(self):
        """A wrong token, one of a retired id, a right one in too few bytes, or with other bytes behind it."""
        client = self.joined_with_words_on_the_way()
        retired, token = client.theirs.reset_token, client.ids.unretired[2][1]
        client.move()
        self.assertNotIn(0, client.ids.unretired)
        stranger = self.elsewhere()
        wrong = [self.forged(os.urandom(16)), self.forged(retired), self.forged(token, 42), self.forged(token) + b"\0"]
        for datagram in wrong:
            stranger.send(datagram, client.link.udp.getsockname())
        self.drive([client], lambda: client.messages and client.is_delivered())
        self.assertEqual((client.resets, client.take().text), (0, "on its way"))


class Restarts(WithServer):
    """A server that begins anew with its key, and with the instance file beside it."""

    def test_the_client_comes_back(self):
        self.serve("--echo")
        client = self.joined(link=Recorder())
        client.send("before")
        self.drive([client], lambda: client.messages and client.is_delivered())
        before = client.address
        self.kill_and_restart("--echo")
        client.send("into the void")
        self.drive([client], lambda: client.resets == 1)
        client.send("after")
        self.drive([client], lambda: len(client.messages) == 2)
        self.assertEqual([client.take().text for _ in range(2)], ["before", "after"])
        self.assertEqual([wire.Content.read(content).text for content in client.undelivered], ["into the void"])
        self.drive([client], lambda: self.server.all("joined"))
        self.assertEqual((client.address, len(self.server.all("joined"))), (before, 1))
        resets = [arrival for arrival in client.link.arrivals if len(arrival.datagram) == SIZE]
        self.assertTrue(resets)

    def test_who_says_nothing_comes_back_as_well(self):
        """A lone PING is large enough to be answered by a reset (§10.4)."""
        self.serve("--sealed-only")
        client = self.joined()
        drive([client], lambda: False, 1.5)
        self.kill_and_restart("--sealed-only")
        self.drive([client], lambda: client.resets == 1 and client.joined, 10)  # a keep-alive, and a little

    def test_the_tokens_of_all_ids(self):
        """Not only of the one in use: the client may move while the server is away."""
        self.serve()
        client = self.joined()
        self.drive([client], lambda: len(client.ids.unretired) == 5)
        self.kill_and_restart()
        stranger, tokens = self.elsewhere(), []
        for id, token in client.ids.unretired.values():
            stranger.send(packet_of(id), client.address)
            tokens.append(token)
        arrivals = []
        drive([], lambda: arrivals.extend(stranger.receive()) or len(arrivals) == 5, 5)
        self.assertEqual([arrival.datagram[-16:] for arrival in arrivals], tokens)

    def test_a_copied_key_at_another_place(self):
        """Without the instance file it says something else, and nobody believes it."""
        self.serve()
        client = self.joined()
        os.remove(self.file("server.instance"))
        self.kill_and_restart()
        client.send("is it you?")
        drive([client], lambda: False, 3)
        self.assertEqual((client.resets, client.state), (0, "session"))

    def test_two_of_one_key_at_once(self):
        """The second one cannot have the instance file, so its resets are not those of the first one."""
        self.serve()
        client, id = self.joined(), os.urandom(8)
        first = self.token_of(id)
        port, server = self.port, self.server
        self._listen("127.0.0.1:0")
        self.assertNotEqual(self.token_of(id), first)
        self.port, self.server = port, server
        client.send("still here")
        self.drive([client], lambda: self.texts() == ["still here"] and client.is_delivered())

    def token_of(self, id):
        stranger, arrivals = self.elsewhere(), []
        stranger.send(packet_of(id), ("127.0.0.1", self.port))
        drive([], lambda: arrivals.extend(stranger.receive()) or arrivals, 5)
        return arrivals[0].datagram[-16:]
