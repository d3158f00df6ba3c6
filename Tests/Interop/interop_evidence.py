"""Evidence that the real command has recorded, read by another reader: EVIDENCE.
"""

import glob
import os
import random
import subprocess

import evidence_reader
import roamkey_wire as wire
from interop_support import COMMAND, WithServer


class Evidence(WithServer):
    """EVIDENCE §2 to §4."""

    def recorded(self):
        """What a room has recorded of a client in Python that has said fifty lines: the only session there was."""
        folder = self.file("evidence")
        self.serve("--record", folder)
        client = self.joined()
        for n in range(50):
            client.send(f"line {n}")
        self.drive([client], client.is_delivered)
        client.close()
        self.server.stop([client])
        return client, sorted(glob.glob(os.path.join(folder, "*.rkev")))

    def bytes(self, path):
        with open(path, "rb") as file:
            return file.read()

    def verify(self, *arguments):
        """What `roamkey verify --json` says, and its exit code."""
        run = subprocess.run([COMMAND, "verify", "--json", *arguments], capture_output=True, text=True)
        return run.stdout, run.returncode

    def test_both_readers_read_it(self):
        client, paths = self.recorded()
        parts, missing = evidence_reader.read_session([self.bytes(path) for path in paths])
        header = parts[0].header
        self.assertEqual(missing, [])
        self.assertEqual((header.player, header.server), (client.key.public, self.server_key.public))
        self.assertEqual((header.app, header.role), (b"roamkey/1", 0))
        frames = b"".join(frames for part in parts for _, _, frames in part.packets)
        for n in range(50):
            self.assertIn(f"line {n}".encode(), frames)
        ids = (wire.player_id(header.player), wire.player_id(header.server))
        self.assertEqual(self.verify("--player", ids[0], "--server", ids[1], *paths)[1], 0)
        self.assertEqual(self.verify("--player", ids[1], *paths)[1], 2)

    def test_both_refuse_what_was_altered_and_for_the_same_reason(self):
        _, paths = self.recorded()
        data = self.bytes(paths[0])
        chance = random.Random(36)
        for _ in range(60):
            place = chance.randrange(len(data))
            altered = bytearray(data)
            altered[place] ^= 1 << chance.randrange(8)
            self.refused(bytes(altered), f"byte {place}")
        for _ in range(20):
            self.refused(data[: chance.randrange(len(data))], "cut off")

    def refused(self, data, what):
        with self.assertRaises(evidence_reader.Refused, msg=what) as refusal:
            evidence_reader.read_session([data])
        out, code = self.verify(self.file("altered", data))
        self.assertEqual(code, 1, what)
        self.assertIn(f'"code":"{refusal.exception.code}"', out, what)
