"""What can be told from the events of both sides: how long nothing came, and whether all came, once and in order."""

from __future__ import annotations

from typing import Dict, Iterable, List, NamedTuple, Sequence

from relay import LogLine

INTERVAL = 0.05
"""Seconds between two messages of one player."""


class Delivery(NamedTuple):
    """A numbered line that arrived."""

    time: float
    number: int


def deliveries(events: Iterable[Dict], sender: str) -> List[Delivery]:
    """The numbered lines of a player, as somebody printed them."""
    return [
        Delivery(event["time"], int(event["text"].rsplit(" ", 1)[-1]))
        for event in events
        if event["event"] == "message" and event["from"] == sender
    ]


def longest_gap(found: Sequence[Delivery], begin: float, end: float) -> float:
    """The longest time without a delivery between `begin` and `end`, beyond the usual distance of two.

    It counts from the last delivery before `begin`, and to `end` where none comes any more."""
    times = sorted(delivery.time for delivery in found)
    before = [time for time in times if time <= begin]
    points = [before[-1] if before else begin] + [time for time in times if begin < time < end] + [end]
    return max(0.0, max(later - earlier for earlier, later in zip(points, points[1:])) - INTERVAL)


def first_delivery(found: Sequence[Delivery], begin: float, end: float) -> float:
    """How long after `begin` the first delivery came; to `end` where none did."""
    return min([delivery.time for delivery in found if begin < delivery.time < end] + [end]) - begin


def arrival(found: Sequence[Delivery], count: int, begin: float, end: float) -> float:
    """How long after `begin` all of the first `count` lines were there; to `end` where one is missing."""
    times = {delivery.number: delivery.time for delivery in reversed(found)}
    return max(0.0, max(times.get(number, end) for number in range(count)) - begin) if count else 0.0


def complaints(found: Sequence[Delivery], sent: range, whose: str) -> List[str]:
    """What is wrong about the lines that arrived: lost, doubled, out of order, made up."""
    numbers = [delivery.number for delivery in found]
    kinds = {
        "lost": sorted(set(sent) - set(numbers)),
        "doubled": sorted({number for number in numbers if numbers.count(number) > 1}) if _has_doubles(numbers) else [],
        "out of order": [later for earlier, later in zip(numbers, numbers[1:]) if later < earlier],
        "never sent": sorted(set(numbers) - set(sent)),
    }
    return [f"{whose}: {len(bad)} {kind}: {_some(bad)}" for kind, bad in kinds.items() if bad]


def session_complaints(events: Sequence[Dict], player: str) -> List[str]:
    """What is wrong about a player's session at the server, while it should have gone on."""
    own = [event for event in events if event.get("player") == player]
    joins = sum(event["event"] == "joined" for event in own)
    result = [] if joins == 1 else [f"joined {joins} times instead of once"]
    return result + [f"left: {event['reason']}" for event in own if event["event"] == "left"]


def last_address(events: Sequence[Dict], player: str) -> str:
    """Where the server says that a player is."""
    places = {"joined": "address", "roamed": "to"}
    own = [event for event in events if event.get("player") == player and event["event"] in places]
    return own[-1][places[own[-1]["event"]]] if own else "nowhere"


class Trace(NamedTuple):
    """What an onlooker can recognise a client by, of the datagrams of one of its addresses."""

    ports: set
    connection_ids: set
    """Bytes 1 to 8 of the packets to the server (PROTOCOL §3.1)."""
    pieces: set
    """Eight bytes at a place among the first twenty, with direction and place."""


def trace(log: Iterable[LogLine], client: str, server: str) -> Trace:
    """What of the datagrams between two addresses can be compared with others."""
    result = Trace(set(), set(), set())
    for line in log:
        ends = (line.source.ip, line.destination.ip)
        if ends not in ((client, server), (server, client)):
            continue
        goes_up = ends == (client, server)
        result.ports.add((line.source if goes_up else line.destination).port)
        if goes_up and line.head[:1] < b"\x20":
            result.connection_ids.add(line.head[1:9])
        head = line.head[: min(20, line.size)]
        result.pieces.update((goes_up, place, head[place : place + 8]) for place in range(len(head) - 7))
    return result


def links(one: Trace, other: Trace) -> List[str]:
    """By what an onlooker can tell that two traces are one client's."""
    result = [f"port {port}" for port in sorted(one.ports & other.ports)]
    result += [f"connection id {found.hex()}" for found in sorted(one.connection_ids & other.connection_ids)]
    pieces = sorted(one.pieces & other.pieces)
    return result + [f"{'up' if up else 'down'}, byte {place}: {piece.hex()}" for up, place, piece in pieces]


def amplification(log: Iterable[LogLine], address: str) -> "tuple[int, int]":
    """Bytes of payload that came from an address, and that were sent there."""
    lines = list(log)
    came = sum(line.size for line in lines if line.source.ip == address)
    return came, sum(line.size for line in lines if line.destination.ip == address)


def _has_doubles(numbers: Sequence[int]) -> bool:
    return len(set(numbers)) < len(numbers)


def _some(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:8])) + (", ..." if len(numbers) > 8 else "")
