"""Plays the stories, several at a time, each in a process of its own, and prints one table.

See README.md beside this file. `make test-net` runs it.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from typing import Dict, List, Optional

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import stories_client  # noqa: E402, F401
import stories_discovery  # noqa: E402, F401
import stories_game  # noqa: E402, F401
import stories_hostile  # noqa: E402, F401
import stories_server  # noqa: E402, F401
from players import COMMAND  # noqa: E402
from stage import STORIES, Options, Report, Row, Story  # noqa: E402
from table import markdown, sentence  # noqa: E402
from world import Failed, call, is_left_over, sweep  # noqa: E402

LONGEST_RUN = 420
"""Seconds after which the whole run is given up, whatever the stories say."""
LOGS = "roamkey-net-"
"""How the folder of a run's logs begins, where nobody wants to keep them."""


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Roaming over real networks: namespaces, NATs, and a relay between.")
    parser.add_argument("--only", action="append", metavar="NAME", help="this story; may be given more than once")
    parser.add_argument("--seed", type=int, default=1, help="of all that is left to chance (default: 1)")
    parser.add_argument("--rtt", type=float, default=50, metavar="MS", help="round trip in ms (default: 50)")
    parser.add_argument("--jobs", type=int, default=4, help="stories at a time (default: 4)")
    parser.add_argument("--keep-logs", metavar="DIR", help="keep the logs of the processes and the relays there")
    parser.add_argument("--list", action="store_true", help="list the stories")
    parser.add_argument("--play", help=argparse.SUPPRESS)  # What the runner starts for each story.
    parser.add_argument("--prefix", help=argparse.SUPPRESS)
    parser.add_argument("--directory", help=argparse.SUPPRESS)
    return parser.parse_args()


def remove_left_overs() -> None:
    """What runs that died have left."""
    sweep(is_left_over)
    for path in glob.glob(os.path.join(tempfile.gettempdir(), f"{LOGS}*-*")):
        if not os.path.exists(f"/proc/{path.split(LOGS)[1].split('-')[0]}"):
            shutil.rmtree(path, ignore_errors=True)


def missing() -> Optional[str]:
    """What this machine lacks, in one sentence."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "only root may make network namespaces"
    for tool, package in (("ip", "iproute2"), ("nft", "nftables"), ("conntrack", "conntrack")):
        if not shutil.which(tool):
            return f"there is no `{tool}` (Debian's package {package})"
    if not os.path.exists("/dev/net/tun"):
        return "there is no /dev/net/tun"
    name = f"rk{os.getpid()}x0-try"
    try:
        call("ip", "netns", "add", name)
        call("ip", "-n", name, "tuntap", "add", "dev", "tun0", "mode", "tun")
        call("ip", "-n", name, "link", "add", "name", "one0", "type", "veth", "peer", "name", "two0")
        call("ip", "-n", name, "link", "add", "name", "br0", "type", "bridge")
        nat = "table ip nat {\nchain post {\ntype nat hook postrouting priority 100\noifname one0 masquerade\n}\n}\n"
        call("ip", "netns", "exec", name, "nft", "-f", "-", text=nat)
        call("ip", "netns", "exec", name, "conntrack", "-F")
    except (Failed, OSError, subprocess.TimeoutExpired) as error:
        return f"this machine does not permit it: {str(error).splitlines()[0]}"
    finally:
        sweep(lambda found: found == name)
    return None


class Runner:
    """Starts a process for each story, and collects what they write."""

    def __init__(self, options: argparse.Namespace, directory: str):
        self.options = options
        self.directory = directory
        self.running: Dict[subprocess.Popen, "tuple[Story, float]"] = {}
        self.reports: Dict[str, Report] = {}
        self.deadline = time.monotonic() + LONGEST_RUN
        self.started = 0

    def run(self, stories: List[Story]) -> None:
        """Plays all of them, the longest first."""
        waiting = sorted(stories, key=lambda story: -story.seconds)
        try:
            while waiting or self.running:
                while waiting and len(self.running) < self.options.jobs:
                    self.start(waiting.pop(0))
                self.reap()
                time.sleep(0.05)
        finally:
            for process in list(self.running):
                self.end(process)
            sweep(lambda name: name.startswith(f"rk{os.getpid()}x"))

    def start(self, story: Story) -> None:
        """Starts a story."""
        self.started += 1
        words = ["--play", story.name, "--prefix", f"rk{os.getpid()}x{self.started}"]
        words += ["--directory", os.path.join(self.directory, story.name)]
        words += ["--seed", str(self.options.seed), "--rtt", str(self.options.rtt)]
        process = subprocess.Popen(
            [sys.executable, "-B", os.path.abspath(__file__), *words], stdin=subprocess.DEVNULL, start_new_session=True
        )
        self.running[process] = (story, time.monotonic() + story.patience)

    def reap(self) -> None:
        """Takes the reports of those that have ended, and ends those that took too long."""
        now = time.monotonic()
        for process, (story, deadline) in list(self.running.items()):
            late = now > min(deadline, self.deadline)
            if process.poll() is None and not late:
                continue
            self.end(process)
            report = read_report(os.path.join(self.directory, story.name, "report.json"))
            if report is None:
                why = "took too long and was ended" if late else f"ended with exit code {process.returncode}"
                report = Report(story.name, wrong=[why])
            self.reports[story.name] = report
            print(sentence(story, report), flush=True)

    def end(self, process: subprocess.Popen) -> None:
        """Ends a story; one that still runs may take its world down first, and the rest of its group goes with it."""
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.running.pop(process, None)


def play(options: argparse.Namespace) -> None:
    """Plays one story in this process, and writes its report."""
    signal.signal(signal.SIGTERM, give_up)
    with contextlib.suppress(OSError):
        os.nice(-19)  # What else this machine does must not show in the figures.
    stage = Options(options.prefix, options.directory, options.rtt / 1000, options.seed)
    report, words = STORIES[options.play].play(stage)
    if not report.is_passed():
        print("\n".join([f"{report.name}: not as it should be"] + words), flush=True)
    path = os.path.join(options.directory, "report.json")
    with open(f"{path}.new", "w") as file:
        json.dump(dataclasses.asdict(report), file)
    os.rename(f"{path}.new", path)


def read_report(path: str) -> Optional[Report]:
    """What a story has written; nothing, if it did not get that far."""
    try:
        with open(path) as file:
            fields = json.load(file)
    except OSError:
        return None
    rows = [Row(**row) for row in fields.pop("rows")]
    return Report(**fields, rows=rows)


def give_up(_number: int, _frame: object) -> None:
    """The runner has no more patience with this story."""
    raise Failed("it took too long, or the run was ended")


def leave(number: int, _frame: object) -> None:
    """A signal ends the run as an error would: whatever was set up is taken down."""
    raise SystemExit(128 + number)


def main() -> int:
    """The exit code: 0 when all is as it should be, or nothing can be played here."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    options = arguments()
    if options.play:
        play(options)
        return 0
    if options.list:
        for story in STORIES.values():
            print(f"{story.number:>3}  {story.name:<15} {(story.script.__doc__ or '').splitlines()[0]}")
        return 0
    unknown = set(options.only or []) - set(STORIES)
    if unknown:
        print(f"there is no story {', '.join(sorted(unknown))}; --list lists them", file=sys.stderr)
        return 64
    lacking = missing()
    if lacking:
        print(f"test-net: the tests over real networks are left out: {lacking}")
        return 0
    if not os.access(COMMAND, os.X_OK):
        print(f"there is no {COMMAND}: run `make test-net`", file=sys.stderr)
        return 1
    return run(options)


def run(options: argparse.Namespace) -> int:
    """Plays what was chosen and prints the table."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    remove_left_overs()
    stories = [story for name, story in STORIES.items() if not options.only or name in options.only]
    with contextlib.ExitStack() as stack:
        if options.keep_logs:
            directory = os.path.abspath(options.keep_logs)
            os.makedirs(directory, exist_ok=True)
        else:
            directory = stack.enter_context(tempfile.TemporaryDirectory(prefix=f"{LOGS}{os.getpid()}-"))
        begun = time.monotonic()
        runner = Runner(options, directory)
        runner.run(stories)
    print(f"\n{markdown(stories, runner.reports)}\n")
    failed = [story.name for story in stories if not runner.reports[story.name].is_passed()]
    verdict = f"failed: {', '.join(failed)}" if failed else "all are as they should be"
    print(f"{len(stories)} stories in {time.monotonic() - begun:.0f} s, seed {options.seed}; {verdict}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
