"""A game that goes on while somebody who plays it changes networks."""

from __future__ import annotations

import contextlib
import os
import time

from ping import ping
from places import SERVER, Home
from players import PORT, Process
from stage import Stage, story

PLANETS = os.path.abspath(
    os.environ.get(
        "PLANETS", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../Examples/.build/debug/planets")
    )
)
MATCH = ("--pace", "2", "--minutes", "0.4", "--seed", "7", "--level", "strong", "--bots", "1")
"""24 seconds at most."""
USUAL = 0.1
"""Seconds between two pictures of the match, as the host sends them."""


@story("14", "game", 40)
def a_match_goes_on(stage: Stage) -> None:
    """Two people and a bot play a match; one of them changes networks in the middle, twice."""
    stage.serve()
    home = Home(stage.world)
    stage.world.start_relay()
    stage.rtt = stage.report.rtt = ping(home.ada, SERVER[1])
    directory = stage.options.directory
    with contextlib.ExitStack() as stack:
        words = ("host", "--autoplay", "--players", "2", "--name", "Bob", "--port", str(PORT), *MATCH)
        host = Process(stage.server_place.machine, "host", directory, *words, command=PLANETS)
        stack.callback(host.kill)
        host.wait(lambda: host.all("connected"), "listening")
        identity = host.all("listening")[0]["server"]
        words = ("join", f"{SERVER[1]}:{PORT}", "--server", identity, "--autoplay", "--name", "Ada", *MATCH)
        ada = Process(home.ada, "ada", directory, *words, command=PLANETS)
        stack.callback(ada.kill)
        for process in (host, ada):
            process.wait(lambda: process.all("began"), "the beginning")
        # The countdown takes three seconds.
        time.sleep(9)
        home.routers[0].fail()
        home.use(2)
        time.sleep(5)
        home.use(1)
        home.routers[0].recover()
        for process in (host, ada):
            process.wait(lambda: process.all("over"), "the end of the match", 40)
        codes = [process.wait_for_exit() for process in (host, ada)]
    check(stage, host, ada, codes)


def check(stage: Stage, host: Process, ada: Process, codes: "list[int]") -> None:
    """Both have seen the same match, in one session, and nothing stood still for long."""
    ends = [process.all("over")[-1] for process in (host, ada)]
    stage.note(f"the match: {ends[0]}")
    gap = float(ends[1]["gap"]) - USUAL
    stage.add("the default route moves in a match, old router dies", stage.rtt + 0.25, "1 RTT + 250 ms", gap, gap)
    stage.check(codes == [0, 0], f"exit codes {codes}")
    for field in ("winner", "tick", "ships"):
        one, other = ends[0][field], ends[1][field]
        stage.check(one == other, f"{field}: {one} for the host, {other} for ada")
    stage.check(len(ada.all("roamed")) >= 1, "ada was not told that she has moved")
    stage.check(int(ends[1]["orders"]) > 0, "ada has ordered nothing")
    stage.check(ends[1]["senseless"] == "0", "the host said what made no sense")
    for event in ("reconnected", "ended", "refused"):
        for process in (host, ada):
            found = process.all(event)
            # An order may come too late, since what was true for a picture may not be when it is there.
            late = ("notYours", "nothingToSend", "notPlaying")
            is_late = event == "refused" and all(one["reason"] in late for one in found)
            stage.check(not found or is_late, f"{process.name} was told: {found[:3]}")
