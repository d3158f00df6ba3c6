"""The real command, as server and as players, and the talk that goes on between them while a story happens."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from typing import Callable, Dict, List, Optional

from measure import INTERVAL
from world import PATIENCE, Failed, Namespace, call

COMMAND = os.environ.get(
    "ROAMKEY", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", ".build", "debug", "roamkey")
)
PORT = 7447


def make_key(path: str) -> str:
    """A new key file; its PlayerID."""
    words = call(os.path.abspath(COMMAND), "keygen", "--out", path).split()
    found = [word for word in words if word.startswith("rk1")]
    if not found:
        raise Failed(f"keygen printed no player id: {' '.join(words)}")
    return found[0]


class Process:
    """`roamkey ... --json` on some machine, or another command that tells events in that way. They are kept as they
    come, its words go to a file."""

    def __init__(self, machine: Namespace, name: str, directory: str, *arguments: str, command: Optional[str] = None):
        self.name = name
        self.errors_path = os.path.join(directory, f"{name}.err")
        self.events: List[Dict] = []
        self.output: List[str] = []
        self._new = threading.Condition()
        words = [command, *arguments] if command else [os.path.abspath(COMMAND), *arguments, "--json"]
        with open(self.errors_path, "a") as errors:
            self._process = subprocess.Popen(
                machine.command(*words),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=directory,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def all(self, event: str, after: float = 0, **fields: object) -> List[Dict]:
        """The events of a kind so far, in order, whose fields are these."""
        return [
            found
            for found in list(self.events)
            if found["event"] == event
            and found["time"] > after
            and all(found.get(name) == value for name, value in fields.items())
        ]

    def wait(self, until: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
        """Waits for something that events tell.

        Raises: Failed, if it does not happen."""
        deadline = time.monotonic() + patience
        with self._new:
            while not until():
                left = deadline - time.monotonic()
                if left <= 0 or (self._process.poll() is not None and not self._reader.is_alive()):
                    raise Failed(f"{self.name}: {what} did not happen within {patience:g} s")
                self._new.wait(min(left, 0.25))

    def write(self, line: str) -> None:
        """A line of its input; no use in telling it to somebody who has ended."""
        with contextlib.suppress(OSError, ValueError):
            os.write(self._process.stdin.fileno(), line.encode() + b"\n")

    def signal(self, number: int) -> None:
        """Sends it a signal, if it still runs."""
        self._process.send_signal(number)

    def end_input(self) -> None:
        """Closes its input."""
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def wait_for_exit(self, patience: float = PATIENCE) -> int:
        """Its exit code.

        Raises: Failed, if it goes on."""
        try:
            code = self._process.wait(patience)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name} did not end within {patience:g} s") from None
        self._reader.join(PATIENCE)
        return code

    def kill(self) -> None:
        """Ends it as a crash would."""
        self._process.kill()
        self._process.wait()
        self._reader.join(PATIENCE)
        self.end_input()

    def last_words(self, count: int = 30) -> str:
        """The end of what it printed, for whoever looks for a cause: of the messages only the last ones."""
        with open(self.errors_path) as file:
            errors = [f"    err: {line[:500]}" for line in file.read().splitlines()]
        lines = self.output[:]
        told = [line for line in lines if '"event":"message"' not in line or line in lines[-4:]]
        return "\n".join([f"  {self.name}:"] + [f"    {line[:2500]}" for line in told[-count:]] + errors[-count:])

    def _read(self) -> None:
        for raw in self._process.stdout:
            line = raw.decode(errors="replace").rstrip("\n")
            with self._new:
                self.output.append(line)
                with contextlib.suppress(ValueError):
                    self.events.append(json.loads(line))
                self._new.notify_all()
        with self._new:
            self._new.notify_all()


class Talk:
    """A player's numbered lines, twenty a second, on a thread of its own."""

    def __init__(self, process: Process):
        self.count = 0
        self.latest = 0.0
        """How late a line was written at worst, in seconds: a busy machine shows in the gaps as well."""
        self._process = process
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """No more lines."""
        self._stop.set()
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        begun = time.monotonic()
        while not self._stop.is_set():
            self.latest = max(self.latest, time.monotonic() - begun - self.count * INTERVAL)
            self._process.write(f"line {self.count}")
            self.count += 1
            self._stop.wait(max(0.0, begun + self.count * INTERVAL - time.monotonic()))


class Cast:
    """A server, Ada, who moves, and Bob, who stays; their keys, their processes and their talk."""

    def __init__(self, directory: str, server_machine: Namespace, bob_machine: Namespace):
        self.directory = directory
        self.server_machine = server_machine
        self.bob_machine = bob_machine
        names = ("server", "ada", "bob")
        self.ids = {name: make_key(os.path.join(directory, f"{name}.pem")) for name in names}
        self.servers: List[Process] = []
        self.ada: Optional[Process] = None
        self.bob: Optional[Process] = None
        self.ada_talk: Optional[Talk] = None
        self.bob_talk: Optional[Talk] = None

    @property
    def server(self) -> Process:
        """The server that was started last."""
        return self.servers[-1]

    def start_server(self) -> Process:
        """Starts a server, with the key of the one before."""
        name = f"server{len(self.servers) + 1}"
        arguments = ("serve", "--key", "server.pem", "--listen", f"[::]:{PORT}", "--no-discovery")
        self.servers.append(Process(self.server_machine, name, self.directory, *arguments))
        self.server.wait(lambda: self.server.all("listening"), "listening")
        return self.server

    def start_players(self, ada_machine: Namespace, address: str, bob_address: str) -> None:
        """Connects both, and lets them talk."""
        self.bob = self._connect(self.bob_machine, "bob", bob_address)
        self.ada = self._connect(ada_machine, "ada", address)
        for process in (self.ada, self.bob):
            process.wait(lambda: process.all("connected"), "connected")
            name = self.ids[process.name]
            self.server.wait(lambda: self.server.all("joined", player=name), f"{process.name} joined")
        self.ada_talk, self.bob_talk = Talk(self.ada), Talk(self.bob)

    def stop_talk(self) -> None:
        """Nobody says anything new."""
        for talk in (self.ada_talk, self.bob_talk):
            if talk:
                talk.stop()

    def close(self) -> None:
        """Ends what still runs."""
        self.stop_talk()
        for process in self.processes():
            process.kill()

    def end_properly(self) -> List[str]:
        """Lets the players leave and the server stop; what goes wrong with it."""
        wrong: List[str] = []
        for process in (self.ada, self.bob):
            process.end_input()
            code = process.wait_for_exit()
            if code != 0:
                wrong.append(f"{process.name} ended with exit code {code}")
        self.server.signal(signal.SIGTERM)
        code = self.server.wait_for_exit()
        return wrong + ([f"the server ended with exit code {code}"] if code != 0 else [])

    def processes(self) -> List[Process]:
        """All that were started."""
        return [*self.servers, *(process for process in (self.ada, self.bob) if process)]

    def _connect(self, machine: Namespace, name: str, address: str) -> Process:
        arguments = ("connect", address, "--server", self.ids["server"], "--key", f"{name}.pem")
        return Process(machine, name, self.directory, *arguments)
