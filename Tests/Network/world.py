"""Network namespaces, what connects them, and the relay between them; all of it goes away again."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import Callable, Dict, Iterable, List, Optional, TypeVar

from relay import LogLine

CLONE_NEWNET = 0x40000000
RUNNING = "/run/netns"
FILES = "/etc/netns"
"""Where `ip netns exec` looks for files that stand in for those of /etc."""
PATIENCE = 20.0
"""Seconds for anything that should take a moment, on a busy machine."""

Result = TypeVar("Result")


class Failed(Exception):
    """A story cannot go on; the text says why."""


class Namespace:
    """One machine: a network namespace, with means to set it up."""

    def __init__(self, prefix: str, name: str):
        self.name = name
        self.full_name = f"{prefix}-{name}"
        call("ip", "netns", "add", self.full_name)
        self.settings(
            {
                # Addresses work at once, without a look for duplicates and without what routers announce.
                "ipv6/conf/all/accept_dad": 0,
                "ipv6/conf/default/accept_dad": 0,
                "ipv6/conf/default/accept_ra": 0,
                # What Debian and Fedora set: loose, so that a second interface may be used.
                "ipv4/conf/all/rp_filter": 2,
                "ipv4/conf/default/rp_filter": 2,
                # An address that goes takes no other with it.
                "ipv4/conf/all/promote_secondaries": 1,
            }
        )
        self.ip("link set lo up")

    def ip(self, *lines: str, family: Optional[str] = None) -> None:
        """Runs lines of `ip`, in one process: `addr add 10.0.0.1/24 dev eth0`. Where the words do not tell the family,
        `family` does: `-4` or `-6`."""
        options = [family] if family else []
        call("ip", *options, "-n", self.full_name, "-batch", "-", text="\n".join(lines) + "\n")

    def nft(self, rules: str) -> None:
        """Loads rules of nftables."""
        call(*self.command("nft", "-f", "-"), text=rules)

    def settings(self, values: Dict[str, int]) -> None:
        """Writes below /proc/sys/net, which shows the namespace of whoever opens it."""

        def write() -> None:
            for name, value in values.items():
                with open(f"/proc/sys/net/{name}", "w") as file:
                    file.write(str(value))

        self.inside(write)

    def command(self, *words: str) -> List[str]:
        """A command line that runs `words` in here, as the same process."""
        return ["ip", "netns", "exec", self.full_name, *words]

    def socket(self, family: int, kind: int, protocol: int = 0) -> socket.socket:
        """A socket of this machine, for this process."""
        return self.inside(lambda: socket.socket(family, kind, protocol))

    def inside(self, work: Callable[[], Result]) -> Result:
        """Does something in here, on a thread that ends with it."""
        results: List[Result] = []
        errors: List[BaseException] = []

        def enter() -> None:
            try:
                with open(f"{RUNNING}/{self.full_name}") as file:
                    if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET) != 0:
                        raise OSError(ctypes.get_errno(), "setns")
                results.append(work())
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return results[0]

    def hosts(self, names: Dict[str, Iterable[str]]) -> None:
        """Writes /etc/hosts of whatever is started in here. The file stays the same one, so that those who run see it
        change."""
        os.makedirs(f"{FILES}/{self.full_name}", exist_ok=True)
        lines = [f"{address} {name}\n" for name, addresses in names.items() for address in addresses]
        with open(f"{FILES}/{self.full_name}/hosts", "w") as file:
            file.write("127.0.0.1 localhost\n" + "".join(lines))


class Relay:
    """The process that gives the core its distances; see relay.py."""

    DEVICE = "tun0"

    def __init__(self, core: Namespace, delay: float, seed: int, log: str):
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "relay.py")
        self.log = log
        self._process = subprocess.Popen(
            core.command(sys.executable, "-B", script, self.DEVICE, str(delay), str(seed), log),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer("ready")

    def loss(self, share: float) -> None:
        """Loses this share of the datagrams, each way."""
        self._command(loss=share)

    def cut(self, is_cut: bool) -> None:
        """Loses everything, or nothing more."""
        self._command(cut=is_cut)

    def hold(self, is_held: bool) -> None:
        """Keeps everything, until it is let go at once."""
        self._command(hold=is_held)

    def forwarder(self, target: str, address: str, lead: float) -> None:
        """Copies each datagram for `target`, from `address`; see relay.Forwarder."""
        self._command(forwarder={"target": target, "address": address, "lead": lead})

    def stop_forwarder(self) -> None:
        """Ends `forwarder`."""
        self._command(forwarder=None)

    def read_log(self) -> List[LogLine]:
        """All datagrams so far."""
        self._command(flush=True)
        with open(self.log) as file:
            return [LogLine.parse(line) for line in file]

    def close(self) -> None:
        """Ends the process, which completes the log."""
        with contextlib.suppress(Exception):
            self._process.stdin.close()
            self._process.wait(PATIENCE)
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def _command(self, **settings: object) -> None:
        self._process.stdin.write(json.dumps(settings) + "\n")
        self._process.stdin.flush()
        self._answer("done")

    def _answer(self, expected: str) -> None:
        ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE)
        if not ready or self._process.stdout.readline().strip() != expected:
            raise Failed("the relay does not answer")


class World:
    """Namespaces around a core whose routes are as long as the relay makes them."""

    def __init__(self, prefix: str, directory: str, rtt: float, seed: int):
        self.prefix = prefix
        self.directory = directory
        self._rtt = rtt
        self._seed = seed
        self.relay: Optional[Relay] = None
        self.core = self.machine("core")
        self.core.settings(FORWARDING)
        # What comes in from a network goes to the relay, what the relay sends goes where it belongs.
        self.core.ip(f"tuntap add dev {Relay.DEVICE} mode tun", f"link set {Relay.DEVICE} up mtu 1500")
        for family in ("-4", "-6"):
            rules = [
                f"rule add pref 100 iif {Relay.DEVICE} lookup main",
                "rule add pref 110 iif lo lookup main",
                "rule add pref 120 lookup 100",
                f"route add default dev {Relay.DEVICE} table 100",
            ]
            self.core.ip(*rules, family=family)

    def machine(self, name: str) -> Namespace:
        """Another namespace."""
        return Namespace(self.prefix, name)

    def link(self, one: Namespace, one_device: str, other: Namespace, other_device: str) -> None:
        """A cable between two machines."""
        one.ip(f"link add {one_device} type veth peer name {other_device} netns {other.full_name}")
        one.ip(f"link set {one_device} up")
        other.ip(f"link set {other_device} up")

    def start_relay(self) -> None:
        """Begins to carry packets."""
        log = os.path.join(self.directory, "relay.log")
        self.relay = Relay(self.core, self._rtt / 2, self._seed, log)

    def close(self) -> None:
        """Takes all down."""
        if self.relay:
            self.relay.close()
        sweep(lambda name: name.startswith(f"{self.prefix}-"))


FORWARDING = {"ipv4/ip_forward": 1, "ipv6/conf/all/forwarding": 1, "ipv4/conf/all/rp_filter": 0}


def call(*words: str, text: str = "") -> str:
    """Runs a command to its end.

    Raises: Failed, with what the command said."""
    done = subprocess.run(words, input=text, capture_output=True, text=True, timeout=PATIENCE)
    if done.returncode != 0:
        raise Failed(f"{' '.join(words)}: {(done.stderr or done.stdout).strip()}\n{text}")
    return done.stdout


def sweep(is_ours: Callable[[str], bool]) -> None:
    """Removes namespaces with all that runs in them."""
    names = [name for name in os.listdir(RUNNING) if is_ours(name)] if os.path.isdir(RUNNING) else []
    for name in names:
        with contextlib.suppress(Failed, subprocess.TimeoutExpired):
            for process in call("ip", "netns", "pids", name).split():
                with contextlib.suppress(OSError):
                    os.kill(int(process), signal.SIGKILL)
    for name in names:
        with contextlib.suppress(Failed, subprocess.TimeoutExpired):
            call("ip", "netns", "delete", name)
    for name in os.listdir(FILES) if os.path.isdir(FILES) else []:
        if is_ours(name):
            shutil.rmtree(os.path.join(FILES, name), ignore_errors=True)
    with contextlib.suppress(OSError):
        os.rmdir(FILES)  # Only where nothing of anybody else stands in it.


def is_left_over(name: str) -> bool:
    """Whether a namespace is of a run that died without removing it."""
    found = re.match(r"rk(\d+)x\d+-", name)
    return found is not None and not os.path.exists(f"/proc/{found.group(1)}")
