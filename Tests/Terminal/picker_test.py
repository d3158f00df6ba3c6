"""The picker of `roamkey connect` on a terminal, with real servers on this machine.

    python3 Tests/Terminal/picker_test.py COMMAND

Other servers may run here meanwhile; ours have an application of their own.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from terminal import LIMIT, Terminal

COMMAND = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else sys.exit(__doc__)
APPLICATION = f"picker-{os.getpid()}/1"
DOWN, UP = "\x1b[B", "\x1bOA"


class Server:
    """A `roamkey serve` on loopback."""

    def __init__(self, name):
        self.folder = tempfile.TemporaryDirectory()
        self.output = os.path.join(self.folder.name, "events")
        with open(self.output, "w") as output:
            self.process = subprocess.Popen(
                [COMMAND, "serve", "--name", name, "--app", APPLICATION, "--listen", "127.0.0.1:0", "--json"],
                cwd=self.folder.name, stdout=output, stderr=subprocess.DEVNULL)
        self.id = self.wait("listening")["server"]

    def wait(self, event, **fields):
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            with open(self.output) as output:
                for line in output:
                    found = json.loads(line) if line.endswith("\n") else {}
                    if found.get("event") == event and all(found.get(key) == fields[key] for key in fields):
                        return found
            time.sleep(0.02)
        raise AssertionError(f"waited in vain for {event} {fields}")

    def stop(self):
        self.process.terminate()
        self.process.wait(LIMIT)
        self.folder.cleanup()


class PickerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ada, cls.ben = Server("Ada's room"), Server("Ben's room")

    @classmethod
    def tearDownClass(cls):
        cls.ada.stop()
        cls.ben.stop()

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.folder = folder.name
        self.addCleanup(folder.cleanup)
        subprocess.run([COMMAND, "keygen"], cwd=self.folder, check=True, capture_output=True)

    def start(self, *arguments, command="connect", ignored=()):
        terminal = Terminal([COMMAND, command, "--app", APPLICATION, *arguments], self.folder, ignored=ignored)
        self.addCleanup(terminal.close)
        return terminal

    def both(self, terminal):
        terminal.wait("both servers", lambda lines: sum("room" in line and "/1024" in line for line in lines) == 2)

    def select(self, terminal, name):
        """The first that has answered is selected, and which one that is nobody knows."""
        self.both(terminal)
        terminal.type("g" if name.startswith("Ada") else "G")
        terminal.wait_selected(name)

    def test_found_chosen_and_joined(self):
        terminal = self.start()
        self.select(terminal, "Ada's room")
        self.assertTrue(terminal.screen.is_other)
        terminal.type(DOWN)
        terminal.wait_selected("Ben's room")
        terminal.type(UP)
        terminal.wait_selected("Ada's room")
        terminal.type("\r")
        terminal.wait_for("connected to")
        self.assertTrue(terminal.is_as_before)
        terminal.type("Hello, größe!\n")
        self.ada.wait("message", text="Hello, größe!")
        terminal.type("\x04")
        self.assertEqual(terminal.exit_code(), 0)
        with open(os.path.join(self.folder, "keys", "known_servers")) as known:
            self.assertEqual(known.read(), f"@ada's%20room {self.ada.id}\n")

    def test_typed_ahead(self):
        terminal = self.start()
        self.select(terminal, "Ben's room")
        terminal.type("\rone\ntwo\n")
        for text in ["one", "two"]:
            self.ben.wait("message", text=text)
        terminal.type("\x03")
        self.assertEqual(terminal.exit_code(), 0)

    def test_another_size(self):
        terminal = self.start()
        self.select(terminal, "Ada's room")
        terminal.wait_for("FINGERPRINT")
        terminal.resize(60, 10)
        terminal.wait("a narrow table", lambda lines: not any("FINGERPRINT" in line for line in lines))
        self.assertTrue(all(len(line) <= 60 for line in terminal.screen.lines))
        terminal.resize(40, 2)
        terminal.wait("nothing but the list", lambda lines: len(lines) == 2)
        terminal.wait_selected("Ada's room")
        terminal.resize(120, 40)
        terminal.wait_for("FINGERPRINT")
        terminal.type("q")
        self.assertEqual(terminal.exit_code(), 0)
        self.assertTrue(terminal.is_as_before)

    def test_left_by_keys(self):
        for key in ["\x03", "q", "\x1b"]:
            with self.subTest(key=key):
                terminal = self.start()
                self.both(terminal)
                terminal.type(key)
                self.assertEqual(terminal.exit_code(), 0)
                self.assertTrue(terminal.is_as_before)
                self.assertEqual("".join(terminal.screen.main), "")

    def test_ended_by_signals(self):
        # Among them those of a crash, which end it as they would have without a picker.
        others = ["HUP", "QUIT", "ILL", "SEGV", "ABRT", "SYS", "USR2", "ALRM", "VTALRM", "PROF", "XCPU", "XFSZ", "IO",
                  "PWR", "RTMIN"]
        ends = {signal.SIGTERM: 0, signal.SIGINT: 0}
        ends.update((number, -number) for number in (getattr(signal, "SIG" + name) for name in others))
        for number, code in ends.items():
            with self.subTest(signal=number):
                terminal = self.start()
                self.both(terminal)
                terminal.process.send_signal(number)
                self.assertEqual(terminal.exit_code(), code)
                self.assertTrue(terminal.is_as_before)

    def caught(self, terminal):
        """The signals for which the command has handlers."""
        with open(f"/proc/{terminal.process.pid}/status") as status:
            mask = int(next(line for line in status if line.startswith("SigCgt:")).split()[1], 16)
        return {number for number in range(1, 65) if mask >> (number - 1) & 1}

    def test_signals_are_given_back(self):
        terminal = self.start()
        self.select(terminal, "Ada's room")
        self.assertLess({signal.SIGHUP, signal.SIGUSR2, signal.SIGTSTP}, self.caught(terminal))
        terminal.type("\r")
        terminal.wait_for("connected to")
        self.assertFalse({signal.SIGHUP, signal.SIGUSR2, signal.SIGTSTP} & self.caught(terminal))
        self.assertIn(signal.SIGTERM, self.caught(terminal))
        terminal.type("\x04")
        self.assertEqual(terminal.exit_code(), 0)

    def test_signals_that_are_ignored_stay_so(self):
        ignored = [signal.SIGHUP, signal.SIGUSR2, signal.SIGTSTP]
        terminal = self.start(ignored=ignored)
        self.select(terminal, "Ada's room")
        for number in ignored:
            terminal.process.send_signal(number)
        # Nor does the key stop what nobody would wake.
        terminal.type("\x1aG")
        terminal.wait_selected("Ben's room")
        self.assertTrue(terminal.screen.is_other)
        terminal.type("q")
        self.assertEqual(terminal.exit_code(), 0)
        self.assertTrue(terminal.is_as_before)

    def test_stopped_and_continued(self):
        for stop in ["\x1a", signal.SIGTSTP]:
            with self.subTest(stop=stop):
                terminal = self.start()
                self.both(terminal)
                if stop == "\x1a":
                    terminal.type(stop)
                else:
                    terminal.process.send_signal(stop)
                stopped = os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED)
                self.assertEqual(stopped.si_status, signal.SIGSTOP)
                terminal.read(0.1)
                self.assertTrue(terminal.is_as_before)
                terminal.process.send_signal(signal.SIGCONT)
                self.both(terminal)
                self.assertTrue(terminal.screen.is_other)
                terminal.type("q")
                self.assertEqual(terminal.exit_code(), 0)
                self.assertTrue(terminal.is_as_before)

    def test_the_list_follows_the_network(self):
        terminal = self.start()
        self.select(terminal, "Ben's room")
        third = Server("Aaron's room")
        terminal.wait_for("Aaron's room")
        terminal.wait_selected("Ben's room")
        third.stop()
        terminal.wait("it to be gone", lambda lines: not any("Aaron" in line for line in lines))
        terminal.type("q")
        self.assertEqual(terminal.exit_code(), 0)

    def test_another_key_than_before(self):
        path = os.path.join(self.folder, "keys", "known_servers")
        with open(path, "w") as known:
            known.write(f"@ada's%20room {self.ben.id}\n")
        terminal = self.start()
        self.select(terminal, "Ada's room")
        terminal.wait_for("NOT THE KEY THAT THIS NAME HAD BEFORE")
        terminal.type("\r")
        self.assertEqual(terminal.exit_code(), 2)
        terminal.wait_for("THE SERVER'S KEY HAS CHANGED")
        self.assertTrue(terminal.is_as_before)
        with open(path) as known:
            self.assertEqual(known.read(), f"@ada's%20room {self.ben.id}\n")

    def test_nobody_there(self):
        terminal = Terminal([COMMAND, "connect", "--app", "nobody/1"], self.folder)
        self.addCleanup(terminal.close)
        terminal.wait_for("roamkey serve --app nobody/1")
        terminal.type("\r" + DOWN + "q")
        self.assertEqual(terminal.exit_code(), 0)
        self.assertTrue(terminal.is_as_before)

    def test_servers_shows_it_as_well(self):
        terminal = self.start(command="servers")
        self.select(terminal, "Ben's room")
        terminal.type("\r")
        terminal.wait_for("connected to")
        terminal.type("from the list\n\x04")
        self.ben.wait("message", text="from the list")
        self.assertEqual(terminal.exit_code(), 0)
        plain = self.start("--wait", "1", command="servers")
        self.assertEqual(plain.exit_code(), 0)
        self.assertFalse("1049" in plain.screen.modes)
        self.assertTrue(any("Ada's room" in line for line in plain.screen.main))


if __name__ == "__main__":
    unittest.main(verbosity=2)
