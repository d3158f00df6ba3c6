"""The game `planets` on terminals: two people and a bot, from the list of hosts to the end of a match.

    python3 Tests/Terminal/planets_test.py COMMAND

Others may play here meanwhile; our host has a name of its own.
"""

import os
import signal
import sys
import tempfile
import time
import unittest

from terminal import LIMIT, Grid, Terminal

COMMAND = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else sys.exit(__doc__)
HOST = f"Ada{os.getpid()}"
# A match of 24 seconds at most.
FAST = ["--pace", "8", "--minutes", "0.4", "--no-scanners", "--seed", "7", "--bots", "1"]
RIGHT, UP, TAB = "\x1b[C", "\x1b[A", "\t"


class PlanetsTest(unittest.TestCase):
    def start(self, *arguments, columns=80, rows=24, **environment):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        environment = {"COLORTERM": "truecolor", **environment}
        terminal = Terminal([COMMAND, *arguments], folder.name, columns, rows, screen=Grid(), environment=environment)
        self.addCleanup(terminal.close)
        terminal.folder = folder.name
        return terminal

    def leaves(self, terminal, code=0):
        self.assertEqual(terminal.exit_code(), code, "\n".join(terminal.screen.lines))
        self.assertTrue(terminal.is_as_before)

    def both_wait(self, terminals, what, text):
        """Until all show it; nobody's output may stand still meanwhile."""
        end = time.monotonic() + LIMIT
        while not all(any(text in line for line in terminal.screen.lines) for terminal in terminals):
            if time.monotonic() > end:
                raise AssertionError(f"waited in vain for {what}:\n" + "\n--\n".join(
                    "\n".join(terminal.screen.lines) for terminal in terminals))
            for terminal in terminals:
                terminal.read(0.02)

    def join_by_list(self, terminal):
        """Whoever else hosts here: ours is chosen."""
        terminal.wait_for(f"{HOST}'s game")
        for _ in range(20):
            marked = [line for line in terminal.screen.lines if line.startswith("> ")]
            if marked and HOST in marked[0]:
                break
            terminal.type("j")
            terminal.read(0.2)
        terminal.type("\r")

    def test_two_people_and_a_bot_to_the_end(self):
        ada = self.start("host", "--name", HOST, *FAST, columns=100, rows=30)
        ada.wait_for("others join nearby")
        ben = self.start("join", "--name", "Ben")
        self.join_by_list(ben)
        both = [ada, ben]
        self.both_wait(both, "both in the lobby", "Ben")
        ben.wait_for("compare aloud")
        ben.type("thello Ada\r")
        ada.wait_for("Ben: hello Ada")
        ben.type("\r")
        self.both_wait(both, "Ben to be ready", "ready")
        ada.type("\r")
        self.both_wait(both, "the match", "Space: choose")
        ada.resize(70, 20)
        ada.wait_for("too small")
        ada.resize(100, 30)
        ada.wait_for("Space: choose")
        # Ben sends all that he has, now here, now there; Ada leaves it at looking.
        end = time.monotonic() + 60
        while not all(any("won" in line for line in terminal.screen.lines) for terminal in both):
            self.assertLess(time.monotonic(), end, "\n".join(ben.screen.lines))
            ben.type("a3" + RIGHT + "\r")
            for terminal in both:
                terminal.read(0.25)
            ben.type(TAB)
        self.both_wait(both, "the graph", "ships")
        self.assertTrue(any("planets" in line for line in ada.screen.lines))
        # Again, until both leave: first the guest, whom a bot replaces.
        ben.type("\r")
        ada.type("\r")
        self.both_wait(both, "another match", "Space: choose")
        ben.type("q")
        ben.wait_for("Leave the match?")
        ben.type("y")
        self.leaves(ben)
        ada.wait_for("Ben is away")
        ada.type("\x03")
        ada.wait_for("Leave the match?")
        ada.type("y")
        self.leaves(ada)

    def test_alone_from_the_menu(self):
        terminal = self.start("--seed", "7", "--name", "Ada")
        terminal.wait_for("> Play alone")
        terminal.type("\r")
        terminal.wait_for("It begins in")
        terminal.wait_for("Space: choose")
        terminal.type("?")
        terminal.wait_for("Take every planet")
        terminal.type("x")
        terminal.wait("the map", lambda lines: not any("Take every planet" in line for line in lines))
        # A planet is chosen, by its number, with the mouse, and by a key no more.
        terminal.wait("a planet of ours", lambda lines: self.label(lines) is not None)
        row, column = self.label(terminal.screen.lines)
        terminal.type(f"\x1b[<0;{column + 1};{row + 1}M\x1b[<0;{column + 1};{row + 1}m")
        terminal.wait_for("[A")
        terminal.type("\x1b")
        terminal.wait("nothing to be chosen", lambda lines: not any("[A" in line for line in lines))
        terminal.type("qy")
        terminal.wait_for("> Play alone")
        terminal.type("q")
        self.leaves(terminal)

    def test_who_hosts_twice_is_the_same_player(self):
        terminal = self.start("--name", HOST)
        keys = []
        for _ in range(2):
            terminal.wait_for("> Play alone")
            terminal.type("j\r")
            terminal.wait_for("others join nearby")
            terminal.wait_for(f"{HOST} (you)")
            keys.append(sorted(os.listdir(os.path.join(terminal.folder, "keys"))))
            terminal.type("q")
        terminal.wait_for("> Play alone")
        terminal.type("q")
        self.leaves(terminal)
        self.assertEqual(keys[0], keys[1])
        self.assertIn("player.pem", keys[0])

    def test_two_of_one_folder_are_two_players(self):
        ada = self.start("host", "--name", HOST)
        ada.wait_for(f"{HOST} (you)")
        ben = Terminal([COMMAND, "join", f"{HOST}'s game", "--name", "Ben"], ada.folder, screen=Grid())
        self.addCleanup(ben.close)
        self.both_wait([ada, ben], "both", "Ben")
        ada.wait_for(f"{HOST} (you)")
        self.assertIn("player-2.pem", os.listdir(os.path.join(ada.folder, "keys")))
        ada.type("q")
        self.leaves(ada)
        self.assertEqual(ben.exit_code(), 1)
        self.assertTrue(ben.is_as_before)
        self.assertTrue(any("The host has left." in line for line in ben.screen.main))

    @staticmethod
    def label(lines):
        """Where the number of our planet stands, which has the cursor at the beginning."""
        for row, line in enumerate(lines[2:-2], 2):
            if "›A" in line:
                return row, line.index("›A") + 1
        return None

    def test_the_end_is_a_proper_one_whatever_ends_it(self):
        ends = {signal.SIGTERM: 0, signal.SIGINT: 0, signal.SIGHUP: 0, signal.SIGSEGV: -signal.SIGSEGV,
                signal.SIGABRT: -signal.SIGABRT, signal.SIGQUIT: -signal.SIGQUIT}
        for number, code in ends.items():
            with self.subTest(signal=number):
                terminal = self.start("solo")
                terminal.wait_for("Space: choose")
                self.assertTrue(terminal.screen.modes.get("1006"))
                terminal.process.send_signal(number)
                self.leaves(terminal, code)

    def test_stopped_and_continued(self):
        terminal = self.start("solo")
        terminal.wait_for("Space: choose")
        terminal.type("\x1a")
        stopped = os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED)
        self.assertEqual(stopped.si_status, signal.SIGSTOP)
        terminal.read(0.2)
        self.assertTrue(terminal.is_as_before)
        terminal.screen.cells = {}
        terminal.process.send_signal(signal.SIGCONT)
        terminal.wait_for("Space: choose")
        self.assertTrue(terminal.screen.modes.get("1006"))
        terminal.type("qy")
        self.leaves(terminal)

    def test_hardly_anything_is_written_where_hardly_anything_happens(self):
        terminal = self.start("solo", "--seed", "7")
        terminal.wait_for("Space: choose")
        terminal.wait("the countdown to be over", lambda lines: not any("It begins" in line for line in lines))
        before, begun = terminal.screen.bytes, time.monotonic()
        while time.monotonic() < begun + 2:
            terminal.read(0.05)
        rate = (terminal.screen.bytes - before) / (time.monotonic() - begun)
        self.assertLess(rate, 20_000)
        terminal.type("qy")
        self.leaves(terminal)

    def test_without_colours(self):
        terminal = self.start("solo", NO_COLOR="1")
        orders = []
        obey = terminal.screen.obey
        terminal.screen.obey = lambda *order: (orders.append(order), obey(*order))
        terminal.wait_for("Space: choose")
        terminal.type("qy")
        self.leaves(terminal)
        looks = {parameters for _, parameters, final in orders if final == "m"}
        self.assertTrue(looks <= {"0", "1", "22", "0;1"}, looks)

    def test_words_that_are_not_understood(self):
        for words in [["fly"], ["--bots", "9"], ["join", "a", "b"], ["--name"], ["--server", "rk1x"], ["--sede", "1"]]:
            with self.subTest(words=words):
                terminal = self.start(*words)
                self.assertEqual(terminal.exit_code(), 64)
                self.assertEqual(sum("planets: " in line for line in terminal.screen.main), 1)
        terminal = self.start("--help")
        self.assertEqual(terminal.exit_code(), 0)
        self.assertTrue(any("planets join" in line for line in terminal.screen.main))

    def test_nobody_nearby(self):
        terminal = self.start("join", "nobody-is-called-so")
        self.assertEqual(terminal.exit_code(), 1)
        self.assertTrue(terminal.is_as_before)
        self.assertTrue(any("nobody-is-called-so" in line for line in terminal.screen.main))


if __name__ == "__main__":
    unittest.main(verbosity=2)
