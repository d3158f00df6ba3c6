"""Stories in which the client's network changes."""

from __future__ import annotations

import random
import time

import measure
from ping import ping
from places import NAME, SERVER, SERVER_V6, WAN, Home, TwoNetworks
from stage import Stage, story


@story("1", "route", 21)
def route_moves(stage: Stage) -> None:
    """The default route moves to another router with another NAT; the address on the LAN stays."""
    stage.serve()
    home = Home(stage.world)
    stage.begin(home.ada)
    for number in (2, 1, 2):
        with stage.event("default route moves", stage.rtt + 0.1, "1 RTT + 100 ms"):
            home.use(number)
    # Nothing of what is on its way arrives any more: the old router dies in the same moment.
    for old, new in ((2, 1), (1, 2)):
        with stage.event("default route moves, old router dies", stage.rtt + 0.1, "1 RTT + 100 ms"):
            home.routers[old - 1].fail()
            home.use(new)
        home.routers[old - 1].recover()
    stage.finish(roamed=5)


@story("2", "rebinding", 14)
def nat_forgets(stage: Stage) -> None:
    """A NAT forgets its mapping: the same client, another port."""
    stage.serve()
    home = Home(stage.world, routers=1, random_ports=True)
    stage.begin(home.ada)
    for _ in range(4):
        with stage.event("NAT forgets its mapping", stage.rtt + 0.05, "1 RTT + 50 ms"):
            home.routers[0].forget()
    stage.finish(roamed=4)


def moves_under_loss(stage: Stage, seed: int) -> None:
    """Routes and NAT mappings change while a fifth of all datagrams is lost, each way."""
    stage.serve()
    home = Home(stage.world, random_ports=True)
    stage.begin(home.ada)
    stage.world.relay.loss(0.2)
    chance = random.Random(seed)
    for turn in range(6):
        time.sleep(chance.random() * 0.3)
        number = 2 - turn // 2 % 2
        if turn % 2 == 0:
            with stage.event("default route moves, 20 % loss", 1.5, "1.5 s", watch=3):
                home.use(number)
        else:
            with stage.event("NAT forgets its mapping, 20 % loss", 1.5, "1.5 s", watch=3):
                home.routers[number - 1].forget()
    stage.world.relay.loss(0)
    # A new address may be left again before it was proven: under loss a challenge can fail.
    stage.finish(roamed=3)


@story("3", "loss-a", 30)
def moves_under_loss_a(stage: Stage) -> None:
    """Moves under loss, from one seed."""
    moves_under_loss(stage, stage.options.seed)


@story("3", "loss-b", 30)
def moves_under_loss_b(stage: Stage) -> None:
    """Moves under loss, from another seed."""
    moves_under_loss(stage, stage.options.seed + 1000)


@story("4", "away", 42)
def interface_down(stage: Stage) -> None:
    """The interface is down for 25 s, and comes back with an address of another network, behind another NAT."""
    stage.serve()
    home = Home(stage.world)
    home.routers[1].serve("192.168.2.1/24")
    stage.begin(home.ada)
    home.ada.ip("link set eth0 down")
    time.sleep(25)
    written, heard = stage.cast.ada_talk.count, stage.cast.bob_talk.count
    home.ada.ip("addr flush dev eth0", "addr add 192.168.2.10/24 dev eth0")
    back = time.time()
    home.ada.ip("link set eth0 up", "route replace default via 192.168.2.1")
    time.sleep(4)
    now = time.time()
    sides = ((stage.up(), written), (stage.down(), heard))
    arrived = (measure.arrival(found, count, back, now) for found, count in sides)
    stage.add("25 s without network: all that was queued is there", 1.0, "1 s after it is back", *arrived)
    stage.finish(roamed=1)


@story("5", "families", 22)
def between_families(stage: Stage) -> None:
    """The address of the family in use is removed while the other one stays; and back."""
    stage.serve()
    home = Home(stage.world, routers=1)
    home.routers[0].serve_v6()
    v4 = ("addr add 192.168.1.10/24 dev eth0", "route replace default via 192.168.1.1")
    v6 = ("addr add 2001:db8:c1::10/64 dev eth0 nodad", "route replace default via 2001:db8:c1::1")
    home.ada.ip(*v6)
    home.ada.hosts({NAME: [SERVER[1], SERVER_V6[1]]})
    cast = stage.begin(home.ada, NAME)
    place = measure.last_address(cast.server.events, cast.ids["ada"])
    for _ in range(4):
        uses_v6 = place.startswith("[")
        label = "IPv6 goes, IPv4 stays" if uses_v6 else "IPv4 goes, IPv6 stays"
        gone = "addr del 2001:db8:c1::10/64 dev eth0" if uses_v6 else "addr del 192.168.1.10/24 dev eth0"
        begun = time.time()
        with stage.event(label, stage.rtt + 0.1, "1 RTT + 100 ms"):
            home.ada.ip(gone)
        ping(home.ada, SERVER[1] if uses_v6 else SERVER_V6[1], 3)
        place = measure.last_address(cast.server.events, cast.ids["ada"])
        stage.check(
            place.startswith("[") != uses_v6 and cast.server.all("roamed", begun, player=cast.ids["ada"]),
            f"{label}: the server sees ada at {place}",
        )
        with stage.event("a family comes back", stage.rtt + 0.1, "1 RTT + 100 ms", watch=1.5):
            home.ada.ip(*(v6 if uses_v6 else v4))
        place = measure.last_address(cast.server.events, cast.ids["ada"])
    stage.finish(roamed=4)


@story("9", "fifty", 64)
def fifty_moves(stage: Stage) -> None:
    """Fifty moves in fifty seconds, of all kinds."""
    stage.serve()
    home = Home(stage.world, random_ports=True)
    stage.begin(home.ada)
    chance = random.Random(stage.options.seed)
    begun, number, host = time.time(), 1, 10
    for turn in range(50):
        kind = ("route", "NAT", "address")[turn % 3] if chance.random() < 0.5 else "route"
        if kind == "route":
            number = 3 - number
            home.use(number)
        elif kind == "NAT":
            home.routers[number - 1].forget()
        else:
            old, host = host, 10 + (host - 9) % 90
            home.ada.ip(
                f"addr add 192.168.1.{host}/24 dev eth0",
                f"addr del 192.168.1.{old}/24 dev eth0",
                f"route replace default via 192.168.1.{number}",
            )
        time.sleep(max(0.0, begun + turn + 1 - time.time()))
    time.sleep(1.5)
    stage.add("50 moves in 50 s", 1.5, "1.5 s", *stage.gaps(begun, time.time()))
    # Two moves within the time that a validation takes may be told as one.
    stage.finish(roamed=40)


@story("11", "failover", 30)
def preferred_interface_dies(stage: Stage) -> None:
    """Two interfaces are up; what is behind the one in use goes dead without an error, and recovers after 4 s."""
    stage.serve()
    places = TwoNetworks(stage.world)
    stage.begin(places.ada)
    for device in ("eth0", "eth1"):
        ping(places.ada, SERVER[1], 3, device)
    limit = 3 * stage.rtt + 0.1
    for what in ("preferred interface goes dead", "the one in use goes dead, later", "and once more"):
        used = places.routers[0 if stage.ada_is_seen_at().startswith(f"{WAN[1]}:") else 1]
        stage.note(f"{used.machine.name} is in use")
        with stage.event(what, limit, "3 RTT + 100 ms", watch=4):
            used.fail()
        used.recover()
        time.sleep(3)
    stage.finish(roamed=2)


@story("12", "unlinkable", 13)
def nobody_recognises(stage: Stage) -> None:
    """Who watches both networks cannot tell by the datagrams that it is one client who moved from one to the other."""
    stage.serve()
    home = Home(stage.world)  # With NATs that keep ports: what the client sends from is seen outside.
    stage.begin(home.ada)
    with stage.event("default route moves, watched", stage.rtt + 0.1, "1 RTT + 100 ms", watch=4):
        home.use(2)
    log = stage.world.relay.read_log()
    before, after = (measure.trace(log, WAN[number], SERVER[1]) for number in (1, 2))
    for side in (before, after):
        stage.note(f"{len(side.connection_ids)} connection ids, ports {side.ports}")
    stage.check(bool(before.connection_ids and after.connection_ids), "nothing was seen on one of the sides")
    stage.report.wrong += [f"recognisable by {link}" for link in measure.links(before, after)[:5]]
    stage.finish(roamed=1)
