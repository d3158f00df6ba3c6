"""A terminal of our own: starts a command on it, types, and reads what stands on its screen."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

LIMIT = 30


class Screen:
    """As much of a terminal as a picker and lines of text need. What it does not know it refuses."""

    LONGEST = 16
    SEQUENCE = re.compile(rb"\x1b\[(\??)([0-9;]*)([A-Za-z])")

    def __init__(self):
        self.rest = b""
        self.modes = {}
        self.main, self.other = [""], [""]
        self.row = 0

    def resize(self, rows):
        """What has no room any more is gone."""
        del self.other[rows:]
        if self.is_other:
            self.row = min(self.row, len(self.other) - 1)

    @property
    def is_other(self):
        return self.modes.get("1049", False)

    @property
    def lines(self):
        return self.other if self.is_other else self.main

    def feed(self, data):
        data = self.rest + data
        self.rest = b""
        while data:
            if data[:1] == b"\x1b":
                found = self.SEQUENCE.match(data)
                if not found:
                    if len(data) < self.LONGEST:
                        self.rest = data
                        return
                    raise AssertionError(f"what is this? {data[:16]}")
                self.obey(*(part.decode() for part in found.groups()))
                data = data[found.end():]
                continue
            text, escape, rest = data.partition(b"\x1b")
            self.write(text.decode(errors="replace"))
            data = escape + rest

    def obey(self, private, parameters, final):
        order = private + parameters + final
        if private and final in "hl":
            self.modes[parameters] = final == "h"
            if order == "?1049h":
                self.other, self.row = [""], 0
            if order == "?1049l":
                self.row = len(self.main) - 1
        elif order == "H":
            self.row = 0
        elif order == "2K":
            self.lines[self.row] = ""
        elif order == "J":
            del self.lines[self.row:]
            self.lines.append("")
        elif final != "m":
            raise AssertionError(f"what is this? {order}")

    def write(self, text):
        for character in text:
            if character == "\n":
                self.row += 1
                if self.row >= len(self.lines):
                    self.lines.append("")
            elif character != "\r":
                self.lines[self.row] += character


class Grid(Screen):
    """A terminal whose second screen is written to at any place, as games do. No wide characters."""

    LONGEST = 64

    def __init__(self):
        super().__init__()
        self.cells = {}
        self.column = 0
        self.bytes = 0

    @property
    def lines(self):
        if not self.is_other:
            return self.main
        height = max((row for row, _ in self.cells), default=-1) + 1
        width = max((column for _, column in self.cells), default=-1) + 1
        return ["".join(self.cells.get((row, column), " ") for column in range(width)) for row in range(height)]

    def resize(self, rows):
        """A game draws all of it anew."""

    def feed(self, data):
        self.bytes += len(data)
        # A character may be cut in two where one reading ends.
        data, self.cut = getattr(self, "cut", b"") + data, b""
        for length in (1, 2, 3):
            if len(data) >= length and data[-length] >= 0xc0 and length < (2, 3, 4)[
                    (data[-length] >= 0xe0) + (data[-length] >= 0xf0)]:
                data, self.cut = data[:-length], data[-length:]
                break
        super().feed(data)

    def obey(self, private, parameters, final):
        if final == "H" and not private and ";" in parameters:
            self.row, self.column = (int(part) - 1 for part in parameters.split(";"))
        elif final == "J" and parameters == "2" and not private:
            self.cells = {}
        else:
            super().obey(private, parameters, final)

    def write(self, text):
        if not self.is_other:
            super().write(text)
            return
        for character in text:
            assert character.isprintable(), f"what is this? {text!r}"
            self.cells[self.row, self.column] = character
            self.column += 1


class Terminal:
    """A command that believes to run on a terminal of 80 by 24 characters."""

    def __init__(self, arguments, folder, columns=80, rows=24, ignored=(), screen=None, environment=None):
        self.screen = screen or Screen()
        self.master, self.slave = pty.openpty()
        self.resize(columns, rows)
        self.before = termios.tcgetattr(self.slave)

        def prepare():
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            # A shell without job control lets what it starts behind its back ignore these, and so would the command.
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM, signal.SIGTSTP):
                signal.signal(number, signal.SIG_DFL)
            for number in ignored:
                signal.signal(number, signal.SIG_IGN)

        self.process = subprocess.Popen(
            arguments, cwd=folder, stdin=self.slave, stdout=self.slave, stderr=self.slave,
            # What Swift's runtime reports of a crash, where it does, is for whoever sits at the terminal.
            env={**os.environ, "TERM": "xterm", "SWIFT_BACKTRACE": "enable=no", **(environment or {})},
            start_new_session=True, preexec_fn=prepare)

    def resize(self, columns, rows):
        self.screen.resize(rows)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.master, text.encode())

    def read(self, seconds):
        while select.select([self.master], [], [], seconds)[0]:
            self.screen.feed(os.read(self.master, 65536))
            seconds = 0

    def wait(self, what, condition):
        """Until `condition` holds of the lines on the screen."""
        end = time.monotonic() + LIMIT
        while not condition(self.screen.lines):
            if time.monotonic() > end:
                raise AssertionError(f"waited in vain for {what}:\n" + "\n".join(self.screen.lines))
            self.read(0.05)

    def wait_for(self, text):
        self.wait(text, lambda lines: any(text in line for line in lines))

    def wait_selected(self, name):
        """Until the picker's mark stands before the server."""
        self.wait(f"{name} to be selected", lambda lines: [l for l in lines if l.startswith("> ")][:1] != [] and
                  [l for l in lines if l.startswith("> ")][0].startswith(f"> {name}"))

    def exit_code(self):
        end = time.monotonic() + LIMIT
        while self.process.poll() is None:
            if time.monotonic() > end:
                raise AssertionError("it does not end:\n" + "\n".join(self.screen.lines))
            self.read(0.05)
        self.read(0.05)
        return self.process.returncode

    @property
    def is_as_before(self):
        """Whether the next program would find the terminal as the picker has found it."""
        modes = self.screen.modes
        return (termios.tcgetattr(self.slave) == self.before and not self.screen.is_other
                and modes.get("25", True) and modes.get("7", True)
                and not any(modes.get(mode) for mode in ("1000", "1002", "1006", "2026")))

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)
