"""Sockets, connection ids, and where a server that has moved may be: what a client needs of §5 of docs/PROTOCOL.md.

Times are handed in, in seconds, but for the sockets.
"""

import hmac
import os
import socket
import time
from typing import Dict, List, NamedTuple, Optional, Tuple

import roamkey_wire as wire
from roamkey_wire import NewConnectionID, RetireConnectionID, Violation

Address = Tuple[str, int]

LINGERING = 3.0  # §5.5: what arrives at a socket that was left is received for so long
MOST_IDS, KEPT_IDS = 8, 5  # §5.9
FOLLOW_LIMIT, FOLLOW_PERIOD, TRIES = 3, 10.0, 3  # §5.6, §5.3
SEARCH_PACES = ((3.0, 0.25), (60.0, 0.5), (300.0, 0.8), (float("inf"), 5.0))  # §5.7


class Arrival(NamedTuple):
    datagram: bytes
    source: Address
    udp: socket.socket  # the socket that it has reached


class Socket:
    """The UDP socket of one session, and those that it left lately. Tests put bad networks here by overriding `send` and
    `receive`."""

    def __init__(self, host: str = "127.0.0.1"):
        self._host, self.udp = host, self._open(host)
        self._left: List[Tuple[float, socket.socket]] = []

    @staticmethod
    def _open(host: str) -> socket.socket:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind((host, 0))
        udp.setblocking(False)
        return udp

    def rebind(self, lingering: float = 0.0) -> None:
        """Another port. The old one is received from for so long."""
        self._left.append((time.monotonic() + lingering, self.udp))
        self.udp = self._open(self._host)
        self._close_overdue()

    def all(self) -> List[socket.socket]:
        return [self.udp] + [udp for _, udp in self._left]

    def close(self) -> None:
        for udp in self.all():
            udp.close()

    def _close_overdue(self) -> None:
        now = time.monotonic()
        for until, udp in self._left:
            if until <= now:
                udp.close()
        self._left = [(until, udp) for until, udp in self._left if until > now]

    def send(self, datagram: bytes, to: Address, udp: Optional[socket.socket] = None) -> None:
        try:
            (udp or self.udp).sendto(datagram, to)
        except OSError:
            pass  # as good as lost

    def receive(self) -> List[Arrival]:
        self._close_overdue()
        return [arrival for udp in self.all() for arrival in self._receive(udp)]

    def _receive(self, udp: socket.socket) -> List[Arrival]:
        found = []
        while True:
            try:
                found.append(Arrival(*udp.recvfrom(2048), udp))
            except BlockingIOError:
                return found
            except OSError:
                continue  # what ICMP told about an earlier datagram


# §5.9: connection ids


class GivenIDs:
    """The ids that the server gave us for our packets, with their reset tokens. A *way* is a socket of ours."""

    def __init__(self, first: bytes, token: Optional[bytes], way: object):
        self.unretired: Dict[int, Tuple[bytes, Optional[bytes]]] = {0: (first, token)}
        self._ways: Dict[object, int] = {way: 0}  # which sequence was seen on which way
        self.way, self.sequence = way, 0  # of the active path
        self._retired = set()

    @property
    def active(self) -> bytes:
        return self.unretired[self.sequence][0]

    def add(self, frame: NewConnectionID) -> List[RetireConnectionID]:
        """Whatever is to be retired for it."""
        known = self.unretired.get(frame.sequence)
        others = {id for sequence, (id, _) in self.unretired.items() if sequence != frame.sequence}
        if len(frame.id) != len(self.active) or known and known[0] != frame.id or frame.id in others:
            raise Violation(wire.PROTOCOL_VIOLATION, "an id that contradicts another")
        if frame.sequence in self._retired:
            return [RetireConnectionID(frame.sequence)]  # it has not heard it
        self.unretired[frame.sequence] = (frame.id, frame.token)
        retired = [self._retire(sequence) for sequence in sorted(self.unretired) if sequence < frame.retire]
        if len(self.unretired) > MOST_IDS:
            raise Violation(wire.LIMIT_EXCEEDED, "more ids than anybody needs")
        return retired

    def _retire(self, sequence: int) -> RetireConnectionID:
        del self.unretired[sequence]
        self._retired.add(sequence)
        self._ways = {way: known for way, known in self._ways.items() if known != sequence}
        if sequence == self.sequence:
            self.sequence = self._ways[self.way] = self._spare() or min(self.unretired)
        return RetireConnectionID(sequence)

    def _spare(self) -> Optional[int]:
        return min(self.unretired.keys() - set(self._ways.values()), default=None)

    def on(self, way: object) -> bytes:
        """The id for a packet on a way: one that was not seen on another, if there is one."""
        sequence = self._ways.get(way, self._spare())
        if sequence is None:
            return self.active
        self._ways[way] = sequence
        return self.unretired[sequence][0]

    def move(self, way: object) -> List[RetireConnectionID]:
        """Packets leave by another way from now on."""
        old, fresh = self.sequence, self._ways.get(way, self._spare())
        if fresh is None:  # better recognised than gone
            self.way, self._ways[way] = way, old
            return []
        self.way, self.sequence, self._ways[way] = way, fresh, fresh
        return [self._retire(old)]

    def is_token(self, data: bytes) -> bool:
        tokens = [token for _, token in self.unretired.values() if token]
        return any([hmac.compare_digest(token, data) for token in tokens])  # all of them, whatever is equal


class OwnIDs:
    """The ids that we gave to the server for its packets; none but the first where that is empty."""

    def __init__(self, first: bytes):
        self.size, self.unretired, self._next = len(first), {0: first}, 1
        self._late: List[Tuple[float, bytes]] = []

    def give(self) -> List[NewConnectionID]:
        """What is missing."""
        given = []
        while self.size and len(self.unretired) < KEPT_IDS:
            given.append(NewConnectionID(self._next, 0, os.urandom(self.size), os.urandom(16)))
            self.unretired[self._next] = given[-1].id
            self._next += 1
        return given

    def retire(self, sequence: int, until: float) -> None:
        if sequence >= self._next:
            raise Violation(wire.PROTOCOL_VIOLATION, "an id that was never given")
        if sequence in self.unretired:
            self._late = (self._late + [(until, self.unretired.pop(sequence))])[-MOST_IDS:]

    def knows(self, id: bytes, now: float) -> bool:
        return id in self.unretired.values() or any(late == id and now < until for until, late in self._late)


# §5.6, §5.7: servers that move


def is_private(host: str) -> bool:
    a, b = (int(part) for part in host.split(".")[:2])
    return a == 10 or (a, b) in ((192, 168), (169, 254)) or a == 172 and 16 <= b < 32


def is_loopback(host: str) -> bool:
    return host.startswith("127.")


def may_ask(address: Address, current: Address) -> bool:
    """Whether a server that is at `current` may be looked for there, though nobody but itself says so."""
    host, port = address
    first = int(host.split(".")[0])
    if port == 0 or first == 0 or first >= 224:  # nobody's, a group's, everybody's
        return False
    if is_loopback(host):
        return is_loopback(current[0])
    return not is_private(host) or is_private(current[0]) or is_loopback(current[0])


class Asked:
    """A challenge to an address that may become the active one."""

    def __init__(self, address: Address, follows: bool, now: float, pto: float):
        self.address, self.follows, self.data = address, follows, os.urandom(8)
        self.tries, self.next_try = TRIES if follows else 1, now
        self.end = now + 3 * max(pto, 1.0)


class Search:
    """Addresses that a server may be at, and which of them were asked."""

    def __init__(self, familiar: List[Address]):
        self.familiar, self.told, self._told_sequence = list(familiar), [], -1
        self._asked: List[Asked] = []
        self._followed: List[float] = []
        self._last: Optional[float] = None

    def learn(self, frame: wire.Addresses) -> None:
        """ADDRESSES. Ours has sockets for IPv4 only."""
        if frame.sequence <= self._told_sequence:
            return
        self._told_sequence = frame.sequence
        mapped = [(ip, port) for ip, port in frame.addresses if ip[:12] == bytes(10) + b"\xff\xff"]
        self.told = [(".".join(str(part) for part in ip[12:]), port) for ip, port in mapped]

    def follow(self, address: Address, current: Address, now: float, pto: float) -> None:
        self._followed = [at for at in self._followed if now - at <= FOLLOW_PERIOD]
        busy = any(asked.follows for asked in self._asked) or len(self._followed) >= FOLLOW_LIMIT
        if not busy and (address in self.familiar or may_ask(address, current)):
            self._followed.append(now)
            self._asked.append(Asked(address, True, now, pto))

    def next_look(self, silent_since: Optional[float], pto: float) -> Optional[float]:
        """When everybody is asked, in this silence."""
        if silent_since is None:
            return None
        if self._last is None or self._last < silent_since:
            return silent_since + 3 * pto
        silence = self._last - silent_since
        return self._last + next(pause for longest, pause in SEARCH_PACES if silence < longest)

    def look(self, current: Address, now: float, pto: float) -> None:
        self._last = now
        for address in dict.fromkeys(self.familiar + self.told):
            if address != current and (address in self.familiar or may_ask(address, current)):
                self._asked.append(Asked(address, False, now, pto))

    def due(self, now: float, pto: float) -> List[Asked]:
        """Challenges that leave now."""
        self._asked = [asked for asked in self._asked if now < asked.end]
        due = [asked for asked in self._asked if asked.tries and asked.next_try <= now]
        for asked in due:
            asked.tries, asked.next_try = asked.tries - 1, now + min(max(pto, 0.1), 1.0)
        return due

    def next_time(self) -> Optional[float]:
        return min((asked.next_try if asked.tries else asked.end for asked in self._asked), default=None)

    def answered(self, data: bytes) -> Optional[Asked]:
        found = next((asked for asked in self._asked if asked.data == data), None)
        if found:
            self._asked.remove(found)
        return found

    def end(self) -> None:
        """An acknowledgement came."""
        self._asked, self._last = [asked for asked in self._asked if asked.follows], None

    def moved(self, address: Address) -> None:
        self.familiar += [address] if address not in self.familiar else []
        self._asked, self._last = [], None
