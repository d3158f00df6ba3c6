"""Stories in which the server's network changes, or the server itself."""

from __future__ import annotations

import time

import measure
from ping import ping
from places import NAME, SERVER, Direct, Home
from stage import Stage, story


@story("6a", "server-uplink", 15)
def server_loses_an_uplink(stage: Stage) -> None:
    """A server with two addresses, both known beforehand, loses the one in use; the client is behind a NAT."""
    server = stage.serve(1, 2)
    home = Home(stage.world, routers=1)
    stage.begin(home.ada)
    with stage.event("server loses one of two addresses", 2.0, "2 s", watch=4):
        server.detach(1)
    ping(home.ada, SERVER[2], 3)
    stage.finish()


@story("6b", "server-address", 15)
def server_has_a_new_address(stage: Stage) -> None:
    """A server gets a quite new address; the client has no NAT and no firewall."""
    server = stage.serve(1)
    direct = Direct(stage.world)
    stage.begin(direct.ada)
    with stage.event("server gets a new address, no NAT", 2.0, "2 s", watch=4):
        server.detach(1)
        server.attach(2)
    ping(direct.ada, SERVER[2], 3)
    stage.finish()


@story("7", "both-by-name", 17)
def both_move_by_name(stage: Stage) -> None:
    """Client and server move within one second; the server's name leads to its new place."""
    server = stage.serve(1)
    home = Home(stage.world)
    home.ada.hosts({NAME: [SERVER[1]]})
    stage.begin(home.ada, NAME)
    home.use(2)
    time.sleep(0.3)
    server.detach(1)
    server.attach(2)
    time.sleep(0.3)
    home.ada.hosts({NAME: [SERVER[2]]})
    alive_again(stage, home, "both move within 1 s, found by name")


@story("7", "both-known", 17)
def both_move_known_address(stage: Stage) -> None:
    """Client and server move within one second; the server's second address was known beforehand."""
    server = stage.serve(1, 2)
    home = Home(stage.world)
    stage.begin(home.ada)
    home.use(2)
    time.sleep(0.3)
    server.detach(1)
    alive_again(stage, home, "both move within 1 s, found by a known address")


def alive_again(stage: Stage, home: Home, what: str) -> None:
    """Measures from now on, when each could reach the other, until each has heard the other."""
    reachable = time.time()
    time.sleep(5)
    now = time.time()
    ping(home.ada, SERVER[2], 3)
    up, down = (measure.first_delivery(found, reachable, now) for found in (stage.up(), stage.down()))
    stage.add(what, 3.0, "3 s", up, down)
    stage.finish()


def restart(stage: Stage, outage: float) -> None:
    """The server is killed, and started again with its key: the client is in again by itself, and nothing it said is
    lost. What arrived and was not acknowledged any more is said again: at most a second's worth."""
    stage.serve()
    home = Home(stage.world, routers=1)
    cast = stage.begin(home.ada)
    cast.server.kill()
    killed = time.time()
    time.sleep(outage)
    cast.start_server()
    listening = cast.server.all("listening")[0]["time"]
    cast.ada.wait(lambda: len(cast.ada.all("connected")) > 1, "connected again")
    connected = cast.ada.all("connected")[1]
    cast.bob.wait(lambda: len(cast.bob.all("connected")) > 1, "connected again")
    gap = connected["time"] - listening
    stage.add(f"server killed for {outage:g} s: connected again", 1.0, "1 s after it listens", gap, gap)
    stage.note(f"undelivered: {connected.get('undelivered', 'not told')}")
    stage.check(isinstance(connected.get("undelivered"), int), "the second `connected` has no number `undelivered`")
    back = cast.bob_talk.count
    stage.wait_for_talk(after=connected["time"])
    time.sleep(2)
    cast.stop_talk()
    stage.settle()
    by_server = [measure.deliveries(server.events, cast.ids["ada"]) for server in cast.servers]
    before, after = ([found.number for found in side] for side in by_server)
    # Each server on its own has every line at most once, in order; together they have all.
    first = min(after, default=0)
    next_line = max(before, default=-1) + 1
    stage.report.wrong += measure.complaints(by_server[0], range(next_line), "before the restart")
    stage.report.wrong += measure.complaints(by_server[1], range(first, cast.ada_talk.count), "after the restart")
    stage.check(first <= next_line, f"lines {next_line} to {first - 1} were lost")
    again = len(set(before) & set(after))
    stage.note(f"{again} lines arrived before and after")
    stage.check(again <= 20, f"{again} lines arrived before and after the restart")
    heard = [found for found in stage.down() if found.number > back + 40]
    stage.report.wrong += measure.complaints(heard, range(back + 41, cast.bob_talk.count), "bob's lines at the end")
    joins = len(cast.server.all("joined", player=cast.ids["ada"]))
    stage.check(joins == 1, f"ada joined the new server {joins} times")
    stage.check(not cast.ada.all("left", killed), "ada was told that she left")
    stage.report.wrong += cast.end_properly()


@story("8", "restart-1", 14)
def restart_after_1_s(stage: Stage) -> None:
    """The server is gone for 1 s."""
    restart(stage, 1)


@story("8", "restart-3", 16)
def restart_after_3_s(stage: Stage) -> None:
    """The server is gone for 3 s."""
    restart(stage, 3)


@story("8", "restart-10", 23)
def restart_after_10_s(stage: Stage) -> None:
    """The server is gone for 10 s."""
    restart(stage, 10)
