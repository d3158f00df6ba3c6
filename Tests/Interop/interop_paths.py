"""Moves, the client's and the server's: PROTOCOL §5."""

import os
import socket
import time

import roamkey_wire as wire
from interop_support import CLOCKS, PATIENCE, Recorder, WithServer
from roamkey_client import drive
from roamkey_paths import Socket
from roamkey_wire import Moved, PathChallenge, PathDrop, PathResponse, Ping


def address(udp) -> str:
    return "127.0.0.1:%d" % udp.getsockname()[1]


class Challenges(WithServer):
    """§5.3."""

    def test_the_server_answers_a_challenge(self):
        self.serve()
        client = self.joined()
        data = os.urandom(8)
        client.send_packet([PathChallenge(data)])
        self.drive([client], lambda: client.path_responses)
        self.assertEqual(client.path_responses, [data])

    def test_where_it_came_from_and_nothing_else(self):
        """Asked from elsewhere: one small packet with the answer alone, and the session stays where it is."""
        self.serve()
        client, elsewhere, data = self.joined(), self.elsewhere(), os.urandom(8)
        asked = self.packet(client, PathChallenge(data), by=elsewhere)
        arrivals = []
        drive([client], lambda: arrivals.extend(elsewhere.receive()), 0.5)
        self.assertEqual([self.frames(client, arrival.datagram) for arrival in arrivals], [[PathResponse(data)]])
        self.assertLess(len(arrivals[0].datagram), asked)
        client.send("still here")
        self.drive([client], lambda: self.texts() and client.is_delivered())
        self.assertFalse(self.server.all("roamed"))

    def test_four_answers_at_most(self):
        self.serve()
        client, many = self.joined(), [os.urandom(8) for _ in range(10)]
        self.packet(client, *(PathChallenge(data) for data in many))
        drive([client], lambda: False, 0.5)
        self.assertEqual(client.path_responses, many[:4])

    def test_probing_packets_move_nothing(self):
        self.serve()
        client, elsewhere = self.joined(), self.elsewhere()
        self.packet(client, PathResponse(bytes(8)), PathDrop(bytes(8)), by=elsewhere)
        self.packet(client, wire.Padding(), by=elsewhere)
        self.assertEqual(self.heard(elsewhere, client, driven=[client]), [])
        client.send("still here")
        self.drive([client], lambda: self.texts() and client.is_delivered())
        self.assertFalse(self.server.all("roamed"))

    def test_three_times_what_came(self):
        """§5.2: announced or not, an address that is not validated gets little."""
        self.serve()
        swift = self.swift_client()
        for announced in (True, False):
            with self.subTest(announced=announced):
                client, stranger, loot = self.joined(), self.elsewhere(), []
                drive([client], lambda: False, CLOCKS)
                spent = self.packet(client, *([Moved(1)] if announced else []), Ping(), by=stranger)
                swift.say(["x" * 100_000])
                drive([], lambda: loot.extend(stranger.receive()), 1)
                self.assertTrue(loot)
                self.assertLessEqual(sum(len(arrival.datagram) for arrival in loot), 3 * spent)


class Moves(WithServer):
    """§5.5, and what the server makes of it (§5.1, §5.4)."""

    def test_on_purpose(self):
        """Six moves: each with a socket, an id and an announcement of its own, in one session."""
        self.serve()
        link = Recorder()
        client, swift = self.joined(link=link), self.swift_client()
        sockets = [link.udp]
        for hop in range(6):
            self.drive([client], lambda: len(client.ids.unretired) == 5)
            client.move()
            first = link.sent_by(link.udp)[0]
            self.assertEqual(len(first), 1200)
            self.assertIn(Moved(hop + 1), self.frames(client, first, 0, 8))
            client.send(f"from place {hop}")
            swift.say([f"to place {hop}"])
            self.drive([client], lambda: len(self.server.all("roamed")) > hop and len(client.messages) > hop)
            self.drive([client], lambda: f"from place {hop}" in self.texts() and len(client.roamed) > hop)
            self.assertEqual(self.server.all("roamed")[-1]["to"], address(link.udp))
            self.assertEqual(client.roamed[-1], (address(sockets[-1]), address(link.udp)))
            sockets.append(link.udp)
        self.assertEqual((len(self.server.all("roamed")), len(self.server.all("joined"))), (6, 2))
        seen = [{datagram[1:9] for datagram in link.sent_by(udp)} for udp in sockets]
        self.assertTrue(all(seen))
        self.assertEqual(len(set().union(*seen)), sum(len(ids) for ids in seen), "no id was seen in two places")

    def test_with_nothing_to_say(self):
        """The server follows a player who is silent."""
        self.serve()
        client = self.joined()
        drive([client], lambda: False, CLOCKS)
        client.move()
        self.drive([client], lambda: self.server.all("roamed"), 2)

    def test_more_moves_than_ids(self):
        """Better recognised than gone: without a spare id the last one goes on."""
        self.serve()
        client = self.joined()
        self.drive([client], lambda: len(client.ids.unretired) == 5)
        for _ in range(7):
            client.move()
        self.assertEqual(len(client.ids.unretired), 1)
        client.send("I am here")
        self.drive([client], lambda: self.texts() == ["I am here"] and client.is_delivered())
        self.drive([client], lambda: len(client.ids.unretired) == 5)

    def test_without_a_word(self):
        """As behind a NAT that was given another port: same id, no MOVED; the server asks, and follows."""
        self.serve()
        client = self.joined()
        before, id = address(client.link.udp), client.ids.active
        client.rebind()
        client.send("from another port")
        self.drive([client], lambda: self.texts() and client.roamed)
        self.assertEqual(client.roamed, [(before, address(client.link.udp))])
        self.assertEqual(client.ids.active, id)

    def test_an_unconfirmed_finish_goes_along(self):
        """§5.5: the Finish was lost, and the client moves before it could be repeated."""
        self.serve()
        link = Recorder()
        client = self.client(link=link)
        self.drive([client], lambda: self.hold_at_welcome(client, link))
        link.holds = False
        client.move()
        self.drive([client], lambda: client.joined and self.server.all("joined"), 1)
        self.assertEqual(self.server.all("joined")[0]["address"], address(link.udp))

    @staticmethod
    def hold_at_welcome(client, link):
        link.holds = True
        return client.state == "session"

    def test_the_announcement_is_lost(self):
        """Somebody who says nothing may be somebody else, so the old socket is asked: it answers with a drop."""
        self.serve()
        link = Recorder()
        client = self.joined(link=link)
        self.drive([client], lambda: len(client.ids.unretired) == 5)
        old, link.holds = link.udp, True
        client.move()
        link.holds = False
        sent_before = len(link.sent_by(old))
        client.send_packet([Ping()])
        self.drive([client], lambda: len(link.sent_by(old)) > sent_before)
        drop = link.sent_by(old)[-1]
        self.assertEqual([type(frame) for frame in self.frames(client, drop, 0, 8)], [PathDrop])
        self.assertNotIn(drop[1:9], {datagram[1:9] for datagram in link.sent_by(link.udp)})
        self.drive([client], lambda: self.server.all("roamed"))
        self.assertEqual(self.server.all("roamed")[0]["to"], address(link.udp))

    def test_an_announcement_counts_once(self):
        """With an epoch that was said before nothing is announced: the address before is asked as well."""
        self.serve()
        link = Recorder()
        client = self.joined(link=link)
        client.move()
        self.drive([client], lambda: self.server.all("roamed"))
        drive([client], lambda: False, CLOCKS)
        for epoch, is_asked in ((1, True), (2, False)):
            with self.subTest(epoch=epoch):
                del link.arrivals[:]
                self.packet(client, Moved(epoch), Ping(), by=self.elsewhere())
                drive([], lambda: link.receive() and False, 0.5)
                asked = [frame for a in link.arrivals for frame in self.frames(client, a.datagram)]
                self.assertEqual(any(isinstance(frame, PathChallenge) for frame in asked), is_asked)
                self.packet(client, Ping())
                drive([client], lambda: False, 0.5)

    def test_a_drop_where_the_session_went(self):
        """§5.4: a drop at the active address sends the server back at once, not after three seconds."""
        self.serve()
        client, swift, elsewhere, asked = self.joined(), self.swift_client(), self.elsewhere(), []
        drive([client], lambda: False, CLOCKS)
        self.packet(client, Ping(), by=elsewhere)
        drive([], lambda: asked.extend(self.heard(elsewhere, client, 0.05)) or asked, PATIENCE)
        data = next(frame.data for frames in asked for frame in frames if isinstance(frame, PathChallenge))
        self.packet(client, PathDrop(data), by=elsewhere)
        began, at_home = time.monotonic(), []
        swift.say(["where are you?"])
        is_home = lambda: any(isinstance(frame, wire.Message) for frames in at_home for frame in frames)
        drive([], lambda: at_home.extend(self.heard(client.link, client, 0.05)) or is_home(), 2)
        self.assertTrue(is_home())
        self.assertLess(time.monotonic() - began, 2)


class LeftUnknowingly(Recorder):
    """A router that lets packets in by the way that the player had, and takes out none."""

    def receive(self):
        return [arrival._replace(udp=self.udp) for arrival in super().receive()]


class Forwarded(Recorder):
    """Somebody near the player sends a copy of each packet on, from elsewhere, and is faster."""

    def __init__(self, forwarder):
        self.forwarder, self.is_on = forwarder, False
        super().__init__()

    def send(self, datagram, to, udp=None):
        if self.is_on:
            self.forwarder.send(datagram, to)
            time.sleep(0.002)
        super().send(datagram, to, udp)


class WhoIsRight(WithServer):
    """§5.1, §5.4: the old path and the new one, where nothing was announced."""

    def test_a_router_that_lets_packets_in_for_a_while(self):
        """What the old path answers comes by the new one: the session stays there, and does not go to and fro."""
        self.serve()
        link = LeftUnknowingly()
        client, swift = self.joined(link=link), self.swift_client()
        drive([client], lambda: False, CLOCKS)
        old = link.udp
        link.rebind(PATIENCE)
        client.ids.way = link.udp
        for n in range(20):
            client.send(f"up {n}")
            swift.say([f"down {n}"])
            drive([client], lambda: False, 0.1)
        self.drive([client], lambda: len(self.texts()) == 40 and len(client.messages) == 20)
        self.assertEqual([event["to"] for event in self.server.all("roamed")], [address(link.udp)])
        at_old = [frame for a in link.arrivals if a.udp is old for frame in self.frames(client, a.datagram)]
        at_old = [frame for frame in at_old if not isinstance(frame, wire.Padding)]
        asked = [frame for frame in at_old if isinstance(frame, PathChallenge)]
        self.assertTrue(asked)
        self.assertEqual(at_old[at_old.index(asked[0]) :], asked, "nothing but challenges goes there")

    def test_a_packet_sent_on_by_somebody_else(self):
        """Somebody sends a packet on from his own address, in front of it: he gets little, and the player stays."""
        self.serve()
        link = Recorder()
        client, swift = self.joined(link=link), self.swift_client()
        stranger, loot = self.elsewhere(), []
        link.holds = True
        client.send("on another way")
        client.tick()
        link.holds = False
        stranger.send(link.sent[-1], client.address)
        spent = len(link.sent[-1])
        swift.say(["x" * 100_000])
        drive([], lambda: loot.extend(stranger.receive()), 0.5)
        self.assertLessEqual(sum(len(arrival.datagram) for arrival in loot), 3 * spent)
        self.assertTrue(loot)
        client.send("from where I am")
        self.drive([client], lambda: client.messages and client.is_delivered())
        self.assertFalse(self.server.all("roamed"))

    def test_somebody_who_is_always_faster(self):
        """His copies come first, the player's own packets late: they still say where the player is."""
        self.serve()
        forwarder, loot = self.elsewhere(), []
        link = Forwarded(forwarder)
        client, swift = self.joined(link=link), self.swift_client()
        drive([client], lambda: False, CLOCKS)
        link.is_on = True
        for n in range(40):
            client.send(f"up {n}")
            swift.say([f"down {n}"])
            drive([client], lambda: loot.extend(forwarder.receive()), 0.1)
        self.drive([client], lambda: len(self.texts()) == 80 and len(client.messages) == 40)
        self.assertTrue(loot, "it went there at first")
        self.assertFalse(self.server.all("roamed"))

    def test_after_three_reversals(self):
        """§5.4: then who moves without a word gets a challenge, and nothing else."""
        self.serve()
        client, swift = self.joined(), self.swift_client()
        drive([client], lambda: False, CLOCKS)
        for n in range(3):
            self.packet(client, Ping(), by=self.elsewhere())
            client.send(f"I am here {n}")
            self.drive([client], lambda: f"I am here {n}" in self.texts() and client.is_delivered())
            drive([client], lambda: False, 0.3)
        stranger, at_home = self.elsewhere(), []
        self.packet(client, Ping(), by=stranger)
        swift.say(["for the player"])
        self.drive([], lambda: at_home.extend(self.heard(client.link, client, 0.05)) or self.has_message(at_home), 2)
        got = [frame for frames in self.heard(stranger, client) for frame in frames]
        self.assertTrue(any(isinstance(frame, PathChallenge) for frame in got))
        self.assertFalse(self.has_message([got]))
        self.assertFalse(self.server.all("roamed"))

    @staticmethod
    def has_message(heard):
        return any(isinstance(frame, wire.Message) for frames in heard for frame in frames)


class Relay:
    """Something between the client and the server, with two addresses towards the client. The server is seen at the one
    where `front` points; what is sent to one that is `deaf` is lost."""

    def __init__(self, server):
        self._server, self.fronts, self.back = server, [Socket(), Socket()], Socket()
        self.front, self.deaf, self._client = 0, set(), None
        self.arrivals = []  # which front, how large

    def pump(self) -> None:
        for n, front in enumerate(self.fronts):
            for arrival in front.receive():
                self.arrivals.append((n, len(arrival.datagram)))
                if n not in self.deaf:
                    self._client = arrival.source
                    self.back.send(arrival.datagram, self._server)
        for arrival in self.back.receive():
            self.fronts[self.front].send(arrival.datagram, self._client)

    def addresses(self):
        return [front.udp.getsockname() for front in self.fronts]

    def close(self):
        for socket in self.fronts + [self.back]:
            socket.close()


class ServersThatMove(WithServer):
    """§5.6, §5.7: what a client does about it."""

    def joined_by_relay(self):
        """A client behind a relay, and another one without."""
        other = self.joined()
        relay = Relay(other.address)
        self.addCleanup(relay.close)
        self.port = relay.addresses()[0][1]
        client = self.client()
        self.drive([client, other], lambda: relay.pump() or client.joined)
        drive([client, other], relay.pump, CLOCKS)
        return client, relay, other

    def test_the_client_follows(self):
        """It waits for an answer when a packet comes from elsewhere: it asks there, and goes."""
        self.serve()
        client, relay, other = self.joined_by_relay()
        before, after = relay.addresses()
        relay.front, relay.deaf = 1, {0}
        del relay.arrivals[:]
        client.send("is anybody there?")
        drive([client], relay.pump, 0.2)
        self.assertEqual({n for n, _ in relay.arrivals}, {0}, "nothing has come from elsewhere yet")
        other.send("I am")
        self.drive([client, other], lambda: relay.pump() or "is anybody there?" in self.texts())
        self.assertEqual(client.server_moves, [(before, after)])
        self.assertEqual(next(size for n, size in relay.arrivals if n == 1), 1200)
        self.assertEqual(len(self.server.all("joined")), 2)

    def test_the_client_stays_where_it_is_answered(self):
        """Packets may come by odd ways: as long as the server answers where it is, the client asks nobody else."""
        self.serve("--echo")
        client, relay, _ = self.joined_by_relay()
        relay.front = 1
        for n in range(5):
            client.send(f"{n}")
            self.drive([client], lambda: relay.pump() or len(client.messages) > n)
        self.assertEqual((client.server_moves, [n for n, _ in relay.arrivals if n]), ([], []))

    def own_address(self):
        """One of this machine's, not loopback's."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            try:
                udp.connect(("198.51.100.1", 9))  # sends nothing
                return udp.getsockname()[0]
            except OSError:
                self.skipTest("this machine has no address but loopback's")

    def test_the_addresses_that_it_told(self):
        """The server is not reached any more where it was: the client finds it by what ADDRESSES said."""
        self.serve("--echo", host="0.0.0.0")
        link = Unreachable()
        client, other = self.joined(link=link), (self.own_address(), self.port)
        self.drive([client], lambda: other in client.search.told)
        drive([client], lambda: False, CLOCKS)
        link.lost = client.address
        client.send("where are you?")
        self.drive([client], lambda: client.messages)
        self.assertEqual((client.address, client.server_moves), (other, [(link.lost, other)]))
        self.drive([client], lambda: self.server.all("roamed"))
        asked = [len(datagram) for datagram, to in link.sent if to == other and len(datagram) < 1200]
        self.assertGreaterEqual(min(asked), 44)

    def test_a_server_takes_no_addresses(self):
        """§8: ADDRESSES and OBSERVED_ADDRESS are a server's to send, and ignored by one."""
        self.serve()
        client, elsewhere = self.joined(), self.elsewhere()
        ip, port = wire.address_bytes("127.0.0.1", 0)[:16], elsewhere.udp.getsockname()[1]
        self.packet(client, wire.Addresses(1, [(ip, port)]), wire.ObservedAddress(9, ip, port))
        client.send("still here")
        self.drive([client], lambda: self.texts() and client.is_delivered())
        self.assertEqual(self.heard(elsewhere, client), [])


class Unreachable(Socket):
    """Whatever is sent to one address is lost."""

    lost = None

    def __init__(self):
        self.sent = []
        super().__init__()

    def send(self, datagram, to, udp=None):
        self.sent.append((datagram, to))
        if to != self.lost:
            super().send(datagram, to, udp)
