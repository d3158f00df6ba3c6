"""`roamkey key words` and `restore` on a terminal: what is typed is not shown, and the terminal is as before at the end.

    python3 Tests/Terminal/key_test.py COMMAND
"""

import os
import signal
import subprocess
import sys
import tempfile
import unittest

from terminal import Terminal

COMMAND = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else sys.exit(__doc__)
WORDS = ["abandon"] * 23 + ["art"]


class KeyTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def command(self, *arguments):
        return subprocess.run([COMMAND, *arguments], cwd=self.folder.name, check=True, capture_output=True, text=True)

    def terminal(self, *arguments):
        terminal = Terminal([COMMAND, *arguments], self.folder.name, columns=200)
        self.addCleanup(terminal.close)
        return terminal

    def read(self, name):
        with open(os.path.join(self.folder.name, name)) as file:
            return file.read()

    def test_words_are_shown_on_a_terminal(self):
        self.command("keygen", "--out", "a.pem")
        piped = self.command("key", "words", "a.pem", "--pipe").stdout.split()
        terminal = self.terminal("key", "words", "a.pem")
        self.assertEqual(terminal.exit_code(), 0)
        shown = " ".join(line for line in terminal.screen.lines if line[:2].strip().isdigit()).split()
        self.assertEqual([word for word in shown if not word.isdigit()], piped)
        self.assertTrue(terminal.is_as_before)

    def test_words_are_typed_unseen(self):
        terminal = self.terminal("key", "restore", "--out", "a.pem")
        terminal.wait_for("word 1 and on:")
        terminal.type(" ".join(WORDS[:20]) + "\n")
        terminal.wait_for("word 21 and on:")
        terminal.type("aban 22. ABAN 23 abandon\n")
        terminal.wait_for("word 24 and on:")
        terminal.type("art\n")
        self.assertEqual(terminal.exit_code(), 0)
        self.assertFalse(any("aban" in line.lower() or "art" in line for line in terminal.screen.lines))
        self.assertTrue(terminal.is_as_before)
        self.assertEqual(self.command("key", "words", "a.pem", "--pipe").stdout.split(), WORDS)

    def test_nothing_is_shown_of_what_is_pasted(self):
        terminal = self.terminal("key", "restore", "--out", "a.pem")
        terminal.wait_for("word 1 and on:")
        # Line by line, with whatever is between two questions.
        for start in range(0, 24):
            terminal.type(WORDS[start] + "\n")
            terminal.read(0.002)
        self.assertEqual(terminal.exit_code(), 0)
        self.assertFalse(any("aban" in line or "art" in line for line in terminal.screen.lines))
        self.assertTrue(terminal.is_as_before)

    def test_an_empty_line_ends_it(self):
        terminal = self.terminal("key", "restore", "--out", "a.pem")
        terminal.wait_for("word 1 and on:")
        terminal.type("zoo zoo\n")
        terminal.wait_for("word 3 and on:")
        terminal.type("\n")
        self.assertEqual(terminal.exit_code(), 1)
        terminal.wait_for("There are 2 words")
        self.assertTrue(terminal.is_as_before)

    def test_signals_give_the_terminal_back(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            terminal = self.terminal("key", "restore", "--out", "a.pem")
            terminal.wait_for("word 1 and on:")
            terminal.process.send_signal(number)
            self.assertEqual(terminal.exit_code(), -number)
            self.assertTrue(terminal.is_as_before)
            self.assertFalse(os.path.exists(os.path.join(self.folder.name, "a.pem")))

    def test_the_keyboard_interrupts(self):
        terminal = self.terminal("key", "restore", "--out", "a.pem")
        terminal.wait_for("word 1 and on:")
        terminal.type("zoo\x03")
        self.assertEqual(terminal.exit_code(), -signal.SIGINT)
        self.assertTrue(terminal.is_as_before)

    def test_a_passphrase_is_asked_for(self):
        with open(os.path.join(self.folder.name, "phrase"), "w", opener=lambda p, f: os.open(p, f, 0o600)) as file:
            file.write("correct horse\n")
        self.command("keygen", "--out", "a.pem", "--passphrase-file", "phrase")
        for phrase, code in (("correct horse", 0), ("battery staple", 1), ("", 1)):
            terminal = self.terminal("key", "words", "a.pem")
            terminal.wait_for("passphrase of a.pem:")
            terminal.type(phrase + "\n")
            self.assertEqual(terminal.exit_code(), code)
            self.assertFalse(phrase and any(phrase in line for line in terminal.screen.lines))
            self.assertTrue(terminal.is_as_before)
        # A new key is protected as the old one.
        terminal = self.terminal("key", "rotate", "--key", "a.pem")
        terminal.wait_for("passphrase of a.pem:")
        terminal.type("correct horse\n")
        self.assertEqual(terminal.exit_code(), 0)
        self.assertIn("ROAMKEY ENCRYPTED PRIVATE KEY", self.read("a.2.pem"))
        self.command("key", "words", "a.2.pem", "--pipe", "--passphrase-file", "phrase")


if __name__ == "__main__":
    unittest.main()
