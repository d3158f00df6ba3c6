"""Connection ids: PROTOCOL §5.9."""

import os

import roamkey_wire as wire
from interop_support import Recorder, WithServer
from roamkey_client import Client, drive
from roamkey_wire import NewConnectionID, RetireConnectionID


class IDsOfTheServer(WithServer):
    def with_ids(self, **options):
        client = self.joined(**options)
        self.drive([client], lambda: len(client.ids.unretired) == 5)
        return client

    def test_what_it_gives(self):
        self.serve()
        known = [self.with_ids().ids.unretired for _ in range(2)]
        self.assertEqual([sorted(unretired) for unretired in known], [[0, 1, 2, 3, 4]] * 2)
        ids, tokens = zip(*(pair for unretired in known for pair in unretired.values()))
        self.assertEqual({len(id) for id in ids}, {8})
        self.assertEqual((len(set(ids)), len(set(tokens))), (10, 10))
        self.assertEqual({len(token) for token in tokens}, {16})

    def test_another_for_each_that_is_retired(self):
        self.serve()
        client = self.with_ids()
        for sequence in (2, 2, 4):  # once more says nothing new
            client.ids.unretired.pop(sequence, None)
            self.packet(client, RetireConnectionID(sequence))
        self.drive([client], lambda: sorted(client.ids.unretired) == [0, 1, 3, 5, 6])
        drive([client], lambda: False, 0.3)
        self.assertEqual(sorted(client.ids.unretired), [0, 1, 3, 5, 6])

    def test_the_last_one_cannot_be_retired(self):
        """No packet could have any: PROTOCOL §5.9."""
        self.serve()
        frames = b"".join(RetireConnectionID(sequence).write() for sequence in range(5))
        self.breaks(self.with_ids(), frames, wire.PROTOCOL_VIOLATION)

    def test_all_but_one_at_once(self):
        """The packet that says so has one of them itself; the session goes on with new ones."""
        self.serve()
        client = self.with_ids()
        self.packet(client, *(RetireConnectionID(sequence) for sequence in range(4)))
        for sequence in range(4):
            client.ids.unretired.pop(sequence)
        client.ids.sequence = 4
        self.drive([client], lambda: {4, 5, 6, 7, 8} <= client.ids.unretired.keys())
        client.ids.sequence = 7
        client.send("with a new one")
        self.drive([client], lambda: self.texts() == ["with a new one"] and client.is_delivered())

    def test_each_of_them_will_do(self):
        self.serve()
        client = self.with_ids()
        for sequence, (id, _) in client.ids.unretired.items():
            content = wire.Content(b"%d" % sequence).write()
            self.packet(client, wire.Message(sequence, content), cid=id)
        self.drive([client], lambda: self.texts() == ["0", "1", "2", "3", "4"])

    def test_a_retired_one_is_recognised_for_a_while(self):
        self.serve()
        client = self.with_ids()
        old = client.ids.active
        client.move()
        self.packet(client, wire.Message(0, wire.Content(b"late").write()), cid=old)
        self.drive([client], lambda: self.texts() == ["late"])
        drive([client], lambda: False, 4)  # 3 PTO, here some 100 ms each
        self.packet(client, wire.Message(1, wire.Content(b"too late").write()), cid=old)
        drive([client], lambda: False, 0.3)
        self.packet(client, wire.Message(1, wire.Content(b"in time").write()))
        self.drive([client], lambda: self.texts() == ["late", "in time"])

    def test_one_that_was_never_given(self):
        self.serve()
        self.breaks(self.with_ids(), RetireConnectionID(5).write(), wire.PROTOCOL_VIOLATION)


class GivesNothing(Client):
    """Keeps to the id of the handshake; tests give what they like."""

    def _begin_session(self, keys, now):
        super()._begin_session(keys, now)
        self._own_ids.give = lambda: []


class IDsOfTheClient(WithServer):
    """A client whose own id has 8 bytes gives ids as well."""

    def new(self, sequence, retire=0, id=None):
        return NewConnectionID(sequence, retire, id or os.urandom(8), os.urandom(16))

    def test_eight_and_a_ninth(self):
        self.serve()
        silent = dict(scid=b"12345678", kind=GivesNothing)
        frames = [self.new(sequence) for sequence in range(1, 9)]
        client = self.joined(**silent)
        self.packet(client, *frames[:7])  # with that of the handshake: eight
        self.packet(client, *frames[:7])  # once more says nothing new
        client.send("eight are fine")
        self.drive([client], lambda: self.texts() and client.is_delivered())
        everything = b"".join(frame.write() for frame in frames)
        self.breaks(self.joined(**silent), everything, wire.LIMIT_EXCEEDED)

    def test_contradictions(self):
        self.serve()
        silent, twice = dict(scid=b"12345678", kind=GivesNothing), os.urandom(8)
        for name, frames in {
            "two ids of one sequence": [self.new(1), self.new(1)],
            "two sequences of one id": [self.new(1, id=twice), self.new(2, id=twice)],
            "another id for the first sequence": [self.new(0)],
            "another size": [self.new(1, id=bytes(7))],
        }.items():
            with self.subTest(name):
                data = b"".join(frame.write() for frame in frames)
                self.breaks(self.joined(**silent), data, wire.PROTOCOL_VIOLATION)

    def test_retired_by_who_gave_it(self):
        """§8: `retire`. The server takes another, and says that the first one is retired."""
        self.serve("--echo")
        link, frame = Recorder(), self.new(1, retire=1)
        client = self.joined(scid=b"12345678", kind=GivesNothing, link=link)
        client._own_ids.unretired[1], client._own_ids._next = frame.id, 2
        self.packet(client, frame)
        self.drive([client], lambda: sorted(client._own_ids.unretired) == [1])
        del link.arrivals[:]
        client.send("to the new one")
        self.drive([client], lambda: client.messages)
        self.assertEqual({arrival.datagram[1:9] for arrival in link.arrivals}, {frame.id})

    def test_a_fresh_one_for_who_moves(self):
        """Nor do the server's packets tell that two places belong together."""
        self.serve("--echo")
        link = Recorder()
        client = self.joined(scid=b"12345678", link=link)
        self.drive([client], lambda: client.is_delivered() and len(client._own_ids.unretired) == 5)
        drive([client], lambda: False, 0.5)  # until the server has them
        for hop in range(3):
            client.move()
            client.send(f"{hop}")
            self.drive([client], lambda: len(client.messages) > hop)
            self.drive([client], lambda: len(self.server.all("roamed")) > hop)
            drive([client], lambda: False, 0.3)
        places = {arrival.udp for arrival in link.arrivals}
        seen = [{a.datagram[1:9] for a in link.arrivals if a.udp is udp and a.datagram[0] < 0x20} for udp in places]
        self.assertEqual(len(places), 4)
        self.assertEqual(len(set().union(*seen)), sum(len(ids) for ids in seen))
