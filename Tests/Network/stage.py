"""Where a story is played: its world, its cast, what it measures and what it finds wrong."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import signal
import time
from typing import Callable, Dict, Iterator, List, Optional

import measure
from ping import ping
from places import SERVER, SERVER_FOR_BOB, SERVER_V6, Server
from players import PORT, Cast
from world import Failed, Namespace, World


@dataclasses.dataclass
class Options:
    """What the command line and the runner say."""

    prefix: str
    directory: str
    rtt: float = 0.05
    seed: int = 1


@dataclasses.dataclass
class Row:
    """One line of the table: something that happened, perhaps several times, and the worst that was measured."""

    what: str
    limit: float
    limit_text: str
    up: float = 0.0
    down: float = 0.0
    count: int = 0
    at_least: float = 0.0

    def is_kept(self) -> bool:
        """Whether the figures are what they have to be."""
        return self.at_least <= min(self.up, self.down) and max(self.up, self.down) <= self.limit


@dataclasses.dataclass
class Report:
    """What came of a story."""

    name: str
    rtt: float = 0.0
    rows: List[Row] = dataclasses.field(default_factory=list)
    notes: List[str] = dataclasses.field(default_factory=list)
    wrong: List[str] = dataclasses.field(default_factory=list)
    seconds: float = 0.0

    def is_passed(self) -> bool:
        """Whether all figures and checks are good."""
        return not self.wrong and bool(self.rows) and all(row.is_kept() for row in self.rows)


class Stage:
    """What a story works with. It builds its places first, then calls `begin`, lets things happen, and `finish`es."""

    def __init__(self, name: str, options: Options):
        self.report = Report(name)
        self.options = options
        self.world = World(options.prefix, options.directory, options.rtt, options.seed)
        self.server_place: Optional[Server] = None
        self.cast: Optional[Cast] = None
        self.rtt = 0.0

    def serve(self, *uplinks: int) -> Server:
        """The server's place, with these uplinks in use."""
        self.server_place = Server(self.world, uplinks or (1,))
        return self.server_place

    def begin(self, ada: Namespace, host: str = SERVER[1], before: Callable[[], None] = lambda: None) -> Cast:
        """Starts the relay, the server and the players; returns when both have talked for a while.

        `before` is done when the server runs and no player yet."""
        assert self.server_place
        self.world.start_relay()
        self.rtt = self.report.rtt = ping(ada, SERVER[1])
        self.cast = Cast(self.options.directory, self.server_place.machine, self.server_place.bob_machine)
        self.cast.start_server()
        before()
        self.cast.start_players(ada, f"{host}:{PORT}", f"{SERVER_FOR_BOB}:{PORT}")
        self.wait_for_talk()
        time.sleep(2)  # The RTT and the packet size are found out by then.
        return self.cast

    def wait_for_talk(self, after: float = 0) -> None:
        """Waits until each has heard something that came after a moment."""
        cast = self.cast
        cast.server.wait(lambda: cast.server.all("message", after, **{"from": cast.ids["ada"]}), "a word from ada")
        cast.ada.wait(lambda: cast.ada.all("message", after, **{"from": cast.ids["bob"]}), "a word from bob")

    @contextlib.contextmanager
    def event(
        self, what: str, limit: float, limit_text: str, watch: float = 2.0, at_least: float = 0.0
    ) -> Iterator[None]:
        """Something happens: measures the gap in both directions, from just before it until `watch` seconds after.

        Of what happens several times the worst counts. `at_least` is for outages that are known to be that long."""
        begun = time.time()
        yield
        time.sleep(watch)
        up, down = self.gaps(begun, time.time())
        self.note(f"{what}: up {up * 1000:.0f} ms, down {down * 1000:.0f} ms")
        self.add(what, limit, limit_text, up, down, at_least)

    def gaps(self, begin: float, end: float) -> "tuple[float, float]":
        """The longest gap of Ada's messages at the server, and of Bob's at Ada."""
        return measure.longest_gap(self.up(), begin, end), measure.longest_gap(self.down(), begin, end)

    def add(self, what: str, limit: float, limit_text: str, up: float, down: float, at_least: float = 0.0) -> None:
        """Adds figures to their row."""
        found = [row for row in self.report.rows if row.what == what]
        row = found[0] if found else Row(what, limit, limit_text, at_least=at_least)
        if not found:
            self.report.rows.append(row)
        row.up, row.down, row.count = max(row.up, up), max(row.down, down), row.count + 1

    def up(self) -> List[measure.Delivery]:
        """Ada's lines, as the servers printed them."""
        events = [event for server in self.cast.servers for event in server.events]
        return measure.deliveries(events, self.cast.ids["ada"])

    def down(self) -> List[measure.Delivery]:
        """Bob's lines, as Ada printed them."""
        return measure.deliveries(list(self.cast.ada.events), self.cast.ids["bob"])

    def check(self, holds: bool, otherwise: str) -> None:
        """Something that has to be true."""
        if not holds:
            self.report.wrong.append(otherwise)

    def note(self, words: str) -> None:
        """Something that is worth knowing."""
        self.report.notes.append(words)

    def finish(self, roamed: int = 0) -> None:
        """Ends the talk; checks that all came, once and in order, in one session, and that the end is a proper one.

        `roamed` is how often at least the server has to have said that Ada moved."""
        cast = self.cast
        cast.stop_talk()
        self.settle()
        everything = ((self.up(), cast.ada_talk, "ada's lines"), (self.down(), cast.bob_talk, "bob's lines"))
        for found, talk, whose in everything:
            self.report.wrong += measure.complaints(found, range(talk.count), whose)
        self.check_address()
        self.report.wrong += measure.session_complaints(cast.server.events, cast.ids["ada"])
        connections = len(cast.ada.all("connected"))
        self.check(connections == 1, f"ada connected {connections} times instead of once")
        moves = len(cast.server.all("roamed", player=cast.ids["ada"]))
        late = max(cast.ada_talk.latest, cast.bob_talk.latest)
        self.note(f"{moves} times roamed; lines were written at most {late * 1000:.0f} ms late")
        self.check(moves >= roamed, f"the server saw ada roam {moves} times, at least {roamed} expected")
        self.report.wrong += cast.end_properly()

    def ada_is_seen_at(self) -> str:
        """The address and port to which the server has sent last, as the relay saw it."""
        addresses = {*SERVER.values(), *SERVER_V6.values()}
        sent = [line for line in self.world.relay.read_log()[-400:] if line.source.ip in addresses]
        return str(sent[-1].destination) if sent else "nowhere"

    def check_address(self, patience: float = 5.0) -> None:
        """The server tells of Ada's last move sooner or later: when it has proven the address that it sends to."""
        deadline = time.monotonic() + patience
        while True:
            seen, told = self.ada_is_seen_at(), measure.last_address(self.cast.server.events, self.cast.ids["ada"])
            if seen == told:
                return
            if time.monotonic() > deadline:
                return self.check(False, f"the server sends to {seen}, but says that ada is at {told}")
            time.sleep(0.2)

    def settle(self, patience: float = 10.0) -> None:
        """Waits until what was said last has arrived, and a moment longer, in which a double could come."""
        cast = self.cast
        with contextlib.suppress(Failed):
            cast.server.wait(lambda: self._is_last(self.up(), cast.ada_talk.count), "ada's last line", patience)
            cast.ada.wait(lambda: self._is_last(self.down(), cast.bob_talk.count), "bob's last line", patience)
        time.sleep(0.5)

    def last_words(self) -> List[str]:
        """What the processes said last, with their statistics."""
        processes = self.cast.processes() if self.cast else []
        for process in processes:
            process.signal(signal.SIGUSR1)
        time.sleep(0.3)
        return [process.last_words() for process in processes]

    def close(self) -> None:
        """Takes all down."""
        try:
            if self.cast:
                self.cast.close()
        finally:
            self.world.close()

    @staticmethod
    def _is_last(found: List[measure.Delivery], count: int) -> bool:
        return any(delivery.number == count - 1 for delivery in found)


Script = Callable[[Stage], None]


@dataclasses.dataclass
class Story:
    """Something that happens to players, and what must come of it."""

    number: str
    name: str
    seconds: float
    """About how long it takes: the long ones start first, and three times that (and 20 s) is the end of patience."""
    script: Script

    @property
    def patience(self) -> float:
        """Seconds after which it is given up."""
        return 20 + 3 * self.seconds

    def play(self, options: Options) -> "tuple[Report, List[str]]":
        """Plays it; its report, and the last words of those who took part."""
        begun = time.monotonic()
        stage: Optional[Stage] = None
        report, words = Report(self.name), []
        try:
            shutil.rmtree(options.directory, ignore_errors=True)
            os.makedirs(options.directory)
            stage = Stage(self.name, options)
            report = stage.report
            self.script(stage)
        except Exception as error:
            report.wrong.append(f"{type(error).__name__}: {error}")
        finally:
            if stage:
                words = [] if report.is_passed() else stage.last_words()
                stage.close()
        report.seconds = time.monotonic() - begun
        return report, words


STORIES: Dict[str, Story] = {}


def story(number: str, name: str, seconds: float) -> Callable[[Script], Script]:
    """Puts a function on the list of stories."""

    def register(script: Script) -> Script:
        STORIES[name] = Story(number, name, seconds, script)
        return script

    return register
