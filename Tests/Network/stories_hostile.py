"""Stories with somebody on the way who means no good, and the ones that prove that the measuring is right."""

from __future__ import annotations

import time

import measure
from places import FORWARDER, SERVER, Home
from players import PORT
from stage import Stage, story
from world import Relay

FORWARDER_END = f"{FORWARDER}:40000"


@story("10", "forwarder", 24)
def forwarder_in_front(stage: Stage) -> None:
    """Somebody sends each of the client's datagrams to the server first, from an address of their own, for 8 s."""
    stage.serve()
    home = Home(stage.world, routers=1)
    stage.world.core.ip(f"route add {FORWARDER}/32 dev {Relay.DEVICE}")
    cast = stage.begin(home.ada)
    own = measure.last_address(cast.server.events, cast.ids["ada"])
    with stage.event("replayed from elsewhere, for 8 s", 1.0, "1 s", watch=8):
        stage.world.relay.forwarder(f"{SERVER[1]}:{PORT}", FORWARDER_END, lead=0.005)
    with stage.event("the forwarder stops", 1.0, "1 s", watch=3):
        stage.world.relay.stop_forwarder()
    log = stage.world.relay.read_log()
    came, went = measure.amplification(log, FORWARDER)
    stage.note(f"{came} bytes came from the forwarder's address, {went} went there")
    stage.check(came > 10_000, "the forwarder did nothing")
    stage.check(went <= 3 * came, f"{went} bytes went to the forwarder's address for {came} from there")
    told = measure.last_address(cast.server.events, cast.ids["ada"])
    stage.check(told == own, f"the server says that ada is at {told} instead of {own}")
    recent = [line for line in log if line.time > time.time() - 1.5 and line.source.ip == SERVER[1]]
    ends = sorted({str(line.destination) for line in recent})
    stage.check(ends == [own], f"at the end the server sends to {', '.join(ends) or 'nobody'}, not to {own}")
    stage.finish()


@story("0", "held", 9)
def held_for_700_ms(stage: Stage) -> None:
    """Proves the measuring: all packets are kept for 700 ms. The gap is 650 to 700 ms, since the usual distance of two
    messages does not count, and it begins somewhere within one."""
    stage.serve()
    home = Home(stage.world, routers=1)
    stage.begin(home.ada)
    with stage.event("measuring: all packets kept for 700 ms", 0.74, "640 to 740 ms", watch=1.5, at_least=0.64):
        stage.world.relay.hold(True)
        time.sleep(0.7)
        stage.world.relay.hold(False)
    stage.finish()


@story("0", "outage", 10)
def cut_for_700_ms(stage: Stage) -> None:
    """The same with packets that are lost: what follows an outage by itself, without any move."""
    stage.serve()
    home = Home(stage.world, routers=1)
    stage.begin(home.ada)
    limit = "700 ms, and 500 ms for the probes"
    with stage.event("all packets lost for 700 ms", 1.2, limit, watch=2.5, at_least=0.64):
        stage.world.relay.cut(True)
        time.sleep(0.7)
        stage.world.relay.cut(False)
    stage.finish()
