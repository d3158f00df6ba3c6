"""Who gets in, and how: PROTOCOL §1 and §11.4.
"""

import os

import roamkey_handshake as handshake
import roamkey_wire as wire
from interop_support import PATIENCE, Recorder, WithServer
from roamkey_client import Client, drive


class Joining(WithServer):
    """§1."""

    def test_server_and_player_know_each_other(self):
        server = self.serve("--name", "Café")
        self.assertEqual(server.all("listening")[0]["server"], wire.player_id(self.server_key.public))
        for scid in (b"", b"12345678"):
            client = self.joined(scid=scid)
            self.assertEqual(client.server, self.server_key.public)
            self.assertEqual((client.theirs.name.decode(), client.theirs.versions), ("Café", (handshake.VERSION,)))
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
        self.assertEqual((finish[0], len(packets)), (handshake.FINISH, 4))
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
        crowd = self.elsewhere()
        for _ in range(32):
            crowd.send(handshake.Initiator(wire.SigningKey(), os.urandom(8)).hello(), ("127.0.0.1", self.port))
        drive([], lambda: False, 0.5)
        client = self.joined()
        self.assertEqual(client.retries, 1)

    def test_version_list(self):
        self.serve()
        client = self.client()
        other = bytes.fromhex("1a2a3a4a")
        hello = bytearray(client.initiator.hello())
        hello[1:5] = other
        link = self.elsewhere()
        link.send(bytes(hello), ("127.0.0.1", self.port))
        answers = []
        drive([], lambda: answers.extend(link.receive()) or answers, PATIENCE)
        header = handshake.read_long_header(answers[0][0])
        self.assertEqual((header.kind, header.version), (handshake.HELLO, bytes(4)))
        self.assertEqual((header.destination, header.source), (b"", client.initiator.dcid))
        self.assertIn(handshake.VERSION, handshake.read_version_list(header.rest))

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
