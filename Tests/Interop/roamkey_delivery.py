"""What arrives once and in order, what is acknowledged, lost and sent again, and under which keys.

Every § refers to docs/PROTOCOL.md. Nothing here opens a socket; times are handed in, in seconds.
"""

from bisect import insort
from collections import deque
from typing import Dict, List, Optional, Tuple

import roamkey_wire as wire
from roamkey_wire import Ack, Content, Dropped, Message, Violation

REPLAY_WINDOW, ACK_RANGES, MESSAGES_IN_PIECES = 4096, 32, 32  # §7, §9.3
MESSAGE_OVERHEAD, LONGEST_HEADER = 32, 98  # §9.5, §9.6
DATAGRAM, INITIAL_WINDOW, MINIMUM_WINDOW, MAXIMUM_WINDOW = 1200, 12_000, 2_400, 4 << 20  # §10.5
MAX_ACK_DELAY, INITIAL_RTT, LONGEST_PTO, LONGEST_PTO_OFFLINE = 0.025, 0.333, 2.0, 5.0  # §10


# What arrived: packet numbers and pieces


class Received:
    """The committed packet numbers (§3.5, step 4) and what to acknowledge of them (§10.1)."""

    def __init__(self):
        self.highest, self._window = -1, set()
        self.ranges: List[List[int]] = []  # lowest range first
        self.largest_at = 0.0
        self._largest_eliciting, self._owed, self._bare = -1, 0, 0
        self.due: Optional[float] = None

    def is_new(self, pn: int) -> bool:
        return pn < 1 << 62 and pn not in self._window and pn > self.highest - REPLAY_WINDOW

    def commit(self, pn: int, now: float) -> None:
        self._window.add(pn)
        if pn > self.highest:
            self.highest, self.largest_at = pn, now
            if len(self._window) > 2 * REPLAY_WINDOW:
                self._window = {n for n in self._window if n > pn - REPLAY_WINDOW}

    def handled(self, pn: int, eliciting: bool, now: float) -> None:
        """The frames of this packet were handled: it may be acknowledged now."""
        self._add_to_ranges(pn)
        if not eliciting:
            self._bare += 1
            return
        self._owed += 1
        missing = self._largest_eliciting >= 0 and not self._contiguous(self._largest_eliciting, pn)
        out_of_order = pn < self._largest_eliciting or missing
        self._largest_eliciting = max(pn, self._largest_eliciting)
        at = now if out_of_order or self._owed >= 2 else now + MAX_ACK_DELAY
        self.due = at if self.due is None else min(at, self.due)

    def _contiguous(self, low: int, high: int) -> bool:
        return any(r[0] <= low and high <= r[1] for r in self.ranges)

    def _add_to_ranges(self, pn: int) -> None:
        insort(self.ranges, [pn, pn])
        merged = [self.ranges[0]]
        for low, high in self.ranges[1:]:
            if low <= merged[-1][1] + 1:
                merged[-1] = [merged[-1][0], max(high, merged[-1][1])]
            else:
                merged.append([low, high])
        self.ranges = merged[-ACK_RANGES:]

    def wants_ack(self) -> bool:
        """An ACK rides along with any packet, if there is anything to say."""
        return self.due is not None or self._bare >= 16

    def ack(self, now: float) -> Ack:
        self._owed, self._bare, self.due = 0, 0, None
        ranges = [(low, high) for low, high in reversed(self.ranges)]
        return Ack(int((now - self.largest_at) * 1_000_000), ranges)


class Assembly:
    """A message with pieces missing (§9.4). It holds what arrived, never what was announced."""

    def __init__(self, total: int):
        self.total, self.size = total, 0
        self._parts: List[Tuple[int, bytes]] = []  # in order, without overlap

    def add(self, offset: int, data: bytes) -> int:
        """The number of bytes that were not here yet."""
        fresh, at, end = [], offset, offset + len(data)
        for start, part in self._parts:
            low, high = max(start, offset), min(start + len(part), end)
            if low >= high:
                continue
            if part[low - start : high - start] != data[low - offset : high - offset]:
                raise Violation(wire.PROTOCOL_VIOLATION, "a piece that contradicts an earlier one")
            fresh += [(at, data[at - offset : low - offset])] if at < low else []
            at = high
        fresh += [(at, data[at - offset :])] if at < end else []
        for part in fresh:
            insort(self._parts, part)
        added = sum(len(part) for _, part in fresh)
        self.size += added
        return added

    def is_complete(self) -> bool:
        return self.size == self.total

    def content(self) -> bytes:
        return b"".join(part for _, part in self._parts)


class Inbox:
    """Reliable ordered messages in, with credit (§9.4, §9.5)."""

    def __init__(self, longest: int, window: int):
        self._longest, self._window = longest, window
        self._next, self._waiting = 0, {}  # type: int, Dict[int, Assembly]
        self._used, self._taken, self.granted = 0, 0, window

    def receive(self, frame: Message) -> List[Content]:
        """Everything that can be handed out now."""
        total = len(frame.data) if frame.total is None else frame.total
        if total > self._longest + LONGEST_HEADER:
            raise Violation(wire.LIMIT_EXCEEDED, "a message that is too long")
        if frame.sequence < self._next:
            return []
        is_first = frame.sequence not in self._waiting
        assembly = self._waiting.setdefault(frame.sequence, Assembly(total))
        if assembly.total != total:
            raise Violation(wire.PROTOCOL_VIOLATION, "two sizes of one message")
        self._used += assembly.add(frame.offset, frame.data) + (MESSAGE_OVERHEAD if is_first else 0)
        if sum(not a.is_complete() for a in self._waiting.values()) > 64:
            raise Violation(wire.LIMIT_EXCEEDED, "too many messages in pieces")
        if self._used > self.granted:
            raise Violation(wire.LIMIT_EXCEEDED, "more than was granted")
        return self._hand_out()

    def _hand_out(self) -> List[Content]:
        out = []
        while self._next in self._waiting and self._waiting[self._next].is_complete():
            out.append(Content.read(self._waiting.pop(self._next).content()))
            self._next += 1
        return out

    def took(self, content: Content) -> None:
        """The app has taken this message."""
        self._taken += len(content.write()) + MESSAGE_OVERHEAD

    def grant(self) -> bool:
        """Whether it is time for a MAX_DATA. Waiting for W/2 must not leave less than the longest message needs."""
        limit = self._taken + self._window
        left = self.granted - self._taken
        needed = self._longest + LONGEST_HEADER + MESSAGE_OVERHEAD
        if limit > self.granted and (limit - self.granted >= self._window // 2 or left < needed):
            self.granted = limit
            return True
        return False


# What leaves: messages, packets on their way, congestion


class Piece:
    """Bytes of a message that always travel together. `sequence` and place never change, so repeats are the same."""

    def __init__(self, sequence: int, data: bytes, offset: int, total: Optional[int], cost: int):
        self.frame, self.cost = Message(sequence, data, offset, total), cost
        self.acknowledged = False


class Outbox:
    """Reliable ordered messages out (§9.3)."""

    def __init__(self, credit: int):
        self.limit, self._used, self._sequence = credit, 0, 0
        self._fresh, self._again = deque(), deque()
        self._unacknowledged: Dict[int, int] = {}  # pieces left of each message
        self._in_pieces = set()

    def queue(self, content: bytes, whole: int, piece: int) -> None:
        """`whole`: how much content a packet of its own takes; `piece`: how much of a piece."""
        sequence, self._sequence = self._sequence, self._sequence + 1
        if len(content) <= whole:
            parts = [Piece(sequence, content, 0, None, len(content))]
        else:
            parts = [
                Piece(sequence, content[at : at + piece], at, len(content), len(content[at : at + piece]))
                for at in range(0, len(content), piece)
            ]
        parts[0].cost += MESSAGE_OVERHEAD
        self._unacknowledged[sequence] = len(parts)
        self._fresh.extend(parts)

    def next(self, room: int) -> Optional[Piece]:
        """The piece that goes next, if it fits: lost ones first, then new ones within the credit."""
        while self._again and self._again[0].acknowledged:
            self._again.popleft()
        if self._again:
            return self._again.popleft() if len(self._again[0].frame.write()) <= room else None
        if not self._fresh or len(self._fresh[0].frame.write()) > room or not self._may_begin(self._fresh[0]):
            return None
        piece = self._fresh.popleft()
        self._used += piece.cost
        if piece.frame.total is not None:
            self._in_pieces.add(piece.frame.sequence)
        return piece

    def _may_begin(self, piece: Piece) -> bool:
        another = piece.frame.total is not None and piece.frame.sequence not in self._in_pieces
        if another and len(self._in_pieces) >= MESSAGES_IN_PIECES:
            return False
        return self._used + piece.cost <= self.limit

    def lost(self, piece: Piece) -> None:
        if not piece.acknowledged and piece not in self._again:
            self._again.append(piece)

    def acknowledged(self, piece: Piece) -> None:
        if piece.acknowledged:
            return
        piece.acknowledged, sequence = True, piece.frame.sequence
        self._unacknowledged[sequence] -= 1
        if not self._unacknowledged[sequence]:
            del self._unacknowledged[sequence]
            self._in_pieces.discard(sequence)

    def is_done(self) -> bool:
        return not self._unacknowledged


class Sent:
    """A packet on its way. `pieces` and `limit` are what it has to be repeated for."""

    def __init__(self, at: float, size: int, eliciting: bool, padded: bool, pieces: List[Piece], limit: bool):
        self.at, self.size, self.eliciting, self.pieces, self.limit = at, size, eliciting, pieces, limit
        self.in_flight = eliciting or padded


class Rtt:
    """§10.2, §10.4."""

    def __init__(self):
        self.smoothed, self.variation, self.latest, self._minimum = INITIAL_RTT, INITIAL_RTT / 2, INITIAL_RTT, None

    def sample(self, latest: float, ack_delay: float) -> None:
        self.latest = latest
        if self._minimum is None:
            self._minimum, self.smoothed, self.variation = latest, latest, latest / 2
            return
        self._minimum = min(self._minimum, latest)
        delay = min(ack_delay, MAX_ACK_DELAY)
        adjusted = latest - delay if latest - delay >= self._minimum else latest
        self.variation = 0.75 * self.variation + 0.25 * abs(self.smoothed - adjusted)
        self.smoothed = 0.875 * self.smoothed + 0.125 * adjusted

    def pto(self, offline: bool) -> float:
        value = self.smoothed + max(4 * self.variation, 0.001) + MAX_ACK_DELAY
        return min(value, LONGEST_PTO_OFFLINE if offline else LONGEST_PTO)

    def loss_delay(self) -> float:
        return max(9 / 8 * max(self.smoothed, self.latest), 0.001)


class Congestion:
    """NewReno, §10.5."""

    def __init__(self):
        self.window, self._threshold, self._recovery_since, self.in_flight = INITIAL_WINDOW, float("inf"), -1.0, 0

    def acknowledged(self, packet: Sent, was_used: bool) -> None:
        if packet.at <= self._recovery_since or not was_used:
            return
        if self.window < self._threshold:
            self.window += packet.size
        else:
            self.window += DATAGRAM * packet.size // self.window
        self.window = min(self.window, MAXIMUM_WINDOW)

    def lost(self, packet: Sent, now: float) -> None:
        if packet.at > self._recovery_since:
            self._recovery_since = now
            self.window = self._threshold = max(self.window // 2, MINIMUM_WINDOW)


class Loss:
    """Packets on their way: acknowledgement, loss, probe timeout (§10)."""

    def __init__(self):
        self.packets: Dict[int, Sent] = {}
        self.largest_acknowledged: Optional[int] = None
        self.rtt, self.congestion = Rtt(), Congestion()
        self.backoff, self._timer_from = 0, 0.0

    def sent(self, pn: int, packet: Sent) -> None:
        self.packets[pn] = packet
        if packet.in_flight:
            self.congestion.in_flight += packet.size
        if packet.eliciting:
            self._timer_from = packet.at

    def _forget(self, pn: int) -> Sent:
        packet = self.packets.pop(pn)
        if packet.in_flight:
            self.congestion.in_flight -= packet.size
        return packet

    def acknowledge(self, ack: Ack, now: float) -> List[Sent]:
        """The packets that this ACK acknowledges for the first time."""
        was_used = self.congestion.in_flight + DATAGRAM >= self.congestion.window
        numbers = [pn for pn in self.packets if any(low <= pn <= high for low, high in ack.ranges)]
        largest = ack.ranges[0][1]
        packets = {pn: self._forget(pn) for pn in numbers}
        if largest in packets and any(p.eliciting for p in packets.values()):
            self.rtt.sample(now - packets[largest].at, ack.delay / 1_000_000)
        for packet in packets.values():
            if packet.in_flight:
                self.congestion.acknowledged(packet, was_used)
        self.largest_acknowledged = max(largest, self.largest_acknowledged or 0)
        self.backoff = 0 if packets else self.backoff
        return list(packets.values())

    def lost(self, now: float) -> List[Sent]:
        """§10.3."""
        found = []
        largest = -1 if self.largest_acknowledged is None else self.largest_acknowledged
        for pn in [pn for pn in self.packets if pn < largest]:
            old = self.packets[pn].at <= now - self.rtt.loss_delay()
            if old or pn + 3 <= largest:
                found.append(self._forget(pn))
                if found[-1].in_flight:
                    self.congestion.lost(found[-1], now)
        return found

    def everything(self, new_ip: bool) -> List[Sent]:
        """A change of path (§5.5): all that is on its way is sent again."""
        self.backoff = 0
        if new_ip:
            self.rtt, in_flight, self.congestion = Rtt(), self.congestion.in_flight, Congestion()
            self.congestion.in_flight = in_flight
        return [self._forget(pn) for pn in list(self.packets)]

    def loss_at(self) -> Optional[float]:
        below = [p.at for pn, p in self.packets.items() if pn < (self.largest_acknowledged or 0)]
        return min(below) + self.rtt.loss_delay() if below else None

    def probe_at(self, offline: bool, finish_unconfirmed: bool) -> Optional[float]:
        if not finish_unconfirmed and not any(p.eliciting for p in self.packets.values()):
            return None
        longest = LONGEST_PTO_OFFLINE if offline else LONGEST_PTO
        return self._timer_from + min(self.rtt.pto(offline) * (1 << min(self.backoff, 10)), longest)

    def probed(self, now: float) -> List[Piece]:
        """The timer fired: what the oldest packet on its way carries."""
        self.backoff, self._timer_from = self.backoff + 1, now
        oldest = next((p for pn, p in sorted(self.packets.items()) if p.eliciting), None)
        return [p for p in oldest.pieces if not p.acknowledged] if oldest else []


# Keys of a session


class ReceivingKeys:
    """The receiver's side of §2.2."""

    def __init__(self, first: wire.Phase):
        self._previous, self._current, self._next = None, first, first.next()
        self._lowest: Optional[int] = None
        self._highest, self._highest_older, self._previous_until = -1, -1, 0.0

    def choose(self, packet: wire.Unmasked, now: float) -> wire.Phase:
        if packet.phase_bit == self._current.n & 1:
            return self._current
        if self._lowest is not None and packet.pn < self._lowest:
            if self._previous is None or now > self._previous_until:
                raise Dropped("the key of the phase before is gone")
            return self._previous
        return self._next

    def commit(self, phase: wire.Phase, pn: int, now: float, pto: float) -> None:
        if phase is self._next:
            self._advance(pn, now, pto)
        elif phase is self._previous:
            self._highest_older = max(pn, self._highest_older)
            return
        elif pn < self._highest_older:
            raise Violation(wire.KEY_MISUSE, "an old number under a new key")
        self._lowest = pn if self._lowest is None else min(pn, self._lowest)
        self._highest = max(pn, self._highest)

    def _advance(self, pn: int, now: float, pto: float) -> None:
        if pn < self._highest:
            raise Violation(wire.KEY_MISUSE, "keys that run backwards")
        self._previous, self._current, self._next = self._current, self._next, self._next.next()
        self._highest_older, self._lowest, self._highest = max(self._highest, self._highest_older), None, -1
        self._previous_until = now + 3 * pto
