"""What arrives as its mode promises, what is acknowledged, lost, given up and sent again, and under which keys.

Every § refers to docs/PROTOCOL.md. Nothing here opens a socket; times are handed in, in seconds.
"""

from bisect import insort
from collections import deque
from typing import Dict, List, Optional, Tuple

import roamkey_wire as wire
from roamkey_wire import Ack, Content, Dropped, Message, Receipt, Skip, Stream, Violation

REPLAY_WINDOW, ACK_RANGES, MESSAGES_IN_PIECES = 4096, 32, 32  # §7, §9.3
MESSAGE_OVERHEAD, LONGEST_HEADER = 32, 181  # §9.5, §9.6
AHEAD, PARTIALS, PARTIAL_BYTES, PARTIAL_SECONDS = 32_768, 32, 4 << 20, 1.0  # §7, §9.4
UNLIMITED = 1 << 62
DATAGRAM, INITIAL_WINDOW, MINIMUM_WINDOW, MAXIMUM_WINDOW = 1200, 12_000, 2_400, 4 << 20  # §10.5
MAX_ACK_DELAY, INITIAL_RTT, LONGEST_PTO, LONGEST_PTO_OFFLINE = 0.025, 0.333, 2.0, 5.0  # §10


# Clocks


class PeerClock:
    """§10.7, in microseconds: the best sample so far, its error grown by 500 ppm."""

    def __init__(self):
        self._sample: Optional[Tuple[int, int, float]] = None

    def learn(self, t1: int, t2: int, delay: int, t4: int) -> None:
        if delay > t4 - t1:
            return
        trip = t4 - t1 - delay
        fresh = (t4, t2 + delay + trip // 2, trip / 2 + 0.0005 * (t4 - t1) + 8)
        if self._sample is None or fresh[2] < self.error(t4):
            self._sample = fresh

    def error(self, now: int) -> float:
        return self._sample[2] + 0.0005 * (now - self._sample[0])

    def age(self, time24: int, now: int) -> Optional[Tuple[int, float]]:
        """The age of a message, and how far it may be off; None before the first sample."""
        if self._sample is None:
            return None
        shows, error = self._sample[1] + now - self._sample[0], self.error(now)
        latest = int(shows + error + 1000) // 1000
        back = (latest - time24) % (1 << 24)
        return max(0, shows - 1000 * (latest - back)), error + 1000


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


class Window:
    """Credit granted (§9.5), of the session or of one stream."""

    def __init__(self, size: int, needed: int):
        self._size, self._needed = size, needed
        self._used, self._taken, self.granted = 0, 0, size

    def count(self, cost: int) -> None:
        self._used += cost
        if self._used > self.granted:
            raise Violation(wire.LIMIT_EXCEEDED, "more than was granted")

    def took(self, cost: int) -> bool:
        """Whether it is time to tell a limit. Waiting for W/2 must not leave less than the longest message needs."""
        self._taken += cost
        limit, left = self._taken + self._size, self.granted - self._taken
        if limit > self.granted and (limit - self.granted >= self._size // 2 or left < self._needed):
            self.granted = limit
            return True
        return False


class Incoming:
    """One stream of the peer's, §9.4. Messages below `floor` and those in `settled` need nothing more."""

    def __init__(self, window: Window):
        self.window, self.floor, self.settled = window, 0, set()
        self.waiting: Dict[int, Assembly] = {}

    def is_settled(self, sequence: int) -> bool:
        if sequence >= self.floor + AHEAD:
            raise Violation(wire.LIMIT_EXCEEDED, "too far ahead")
        return sequence < self.floor or sequence in self.settled

    def settle(self, sequence: int) -> None:
        self.waiting.pop(sequence, None)
        self.settled.add(sequence)
        while self.floor in self.settled:
            self.settled.remove(self.floor)
            self.floor += 1


class Inbox:
    """Messages in, of all modes, with credit (§9.4, §9.5)."""

    def __init__(self, longest: int, window: int, channel_window: Optional[int]):
        self._longest, self._needed = longest, longest + LONGEST_HEADER + MESSAGE_OVERHEAD
        self.window, self._channel_window = Window(window, self._needed), channel_window or UNLIMITED
        self.streams: Dict[Stream, Incoming] = {}
        self._transient: Dict[Tuple[Stream, int], Tuple[float, Assembly]] = {}  # the oldest first

    def receive(self, frame: Message, now: float) -> List[Content]:
        """Everything that can be handed out now."""
        total = len(frame.data) if frame.total is None else frame.total
        if total > self._longest + LONGEST_HEADER:
            raise Violation(wire.LIMIT_EXCEEDED, "a message that is too long")
        stream = self._stream(frame.stream)
        if not frame.stream.is_reliable:
            return self._receive_transient(stream, frame, total, now)
        if stream.is_settled(frame.sequence):
            return []
        is_first = frame.sequence not in stream.waiting
        new = self._add(stream.waiting.setdefault(frame.sequence, Assembly(total)), frame, total)
        self._count(stream, new + (MESSAGE_OVERHEAD if is_first else 0))
        if sum(not a.is_complete() for s in self.streams.values() for a in s.waiting.values()) > 64:
            raise Violation(wire.LIMIT_EXCEEDED, "too many messages in pieces")
        if frame.stream.mode == wire.UNORDERED:
            return self._hand_out(frame.stream, [frame.sequence])
        return self._hand_out_in_order(frame.stream)

    def skip(self, frame: Skip) -> List[Content]:
        stream = self._stream(frame.stream)
        if stream.is_settled(frame.sequence):
            return []
        known = stream.waiting.get(frame.sequence)
        counted = known.size + MESSAGE_OVERHEAD if known else 0
        most = known.total if known else self._longest + LONGEST_HEADER
        if not max(counted, MESSAGE_OVERHEAD) <= frame.credit <= most + MESSAGE_OVERHEAD:
            raise Violation(wire.PROTOCOL_VIOLATION, "a SKIP that cannot cost that")
        self._count(stream, frame.credit - counted)
        stream.settle(frame.sequence)
        return self._hand_out_in_order(frame.stream) if frame.stream.mode == wire.ORDERED else []

    def took(self, stream: Stream, cost: int) -> Tuple[bool, bool]:
        """The app has taken so much, or it was skipped: whether the session's and the stream's limits are due."""
        return self.window.took(cost), self.streams[stream].window.took(cost)

    def _stream(self, stream: Stream) -> Incoming:
        if stream not in self.streams:
            self.streams[stream] = Incoming(Window(self._channel_window, self._needed))
        return self.streams[stream]

    def _count(self, stream: Incoming, cost: int) -> None:
        self.window.count(cost)
        stream.window.count(cost)

    @staticmethod
    def _add(assembly: Assembly, frame: Message, total: int) -> int:
        if assembly.total != total:
            raise Violation(wire.PROTOCOL_VIOLATION, "two sizes of one message")
        return assembly.add(frame.offset, frame.data)

    def _hand_out_in_order(self, name: Stream) -> List[Content]:
        stream, out = self.streams[name], []
        while stream.floor in stream.waiting and stream.waiting[stream.floor].is_complete():
            out += self._hand_out(name, [stream.floor])
        return out

    def _hand_out(self, name: Stream, sequences: List[int]) -> List[Content]:
        stream, out = self.streams[name], []
        for sequence in sequences:
            if stream.waiting[sequence].is_complete():
                out.append(Content.read(stream.waiting[sequence].content(), name, sequence))
                stream.settle(sequence)
        return out

    def _receive_transient(self, stream: Incoming, frame: Message, total: int, now: float) -> List[Content]:
        is_latest = frame.stream.mode == wire.LATEST
        if is_latest and frame.sequence < stream.floor:
            return []
        data = frame.data if len(frame.data) == total else self._assemble(frame, total, now)
        if data is None:
            return []
        if is_latest:
            stream.floor = frame.sequence + 1
            old = [key for key in self._transient if key[0] == frame.stream and key[1] < stream.floor]
            for key in old:
                del self._transient[key]
        return [Content.read(data, frame.stream, frame.sequence)]

    def _assemble(self, frame: Message, total: int, now: float) -> Optional[bytes]:
        for key in [key for key, (end, _) in self._transient.items() if end <= now]:
            del self._transient[key]
        key = (frame.stream, frame.sequence)
        if key not in self._transient:
            if len(self._transient) >= PARTIALS:
                del self._transient[next(iter(self._transient))]
            self._transient[key] = (now + PARTIAL_SECONDS, Assembly(total))
        assembly = self._transient[key][1]
        self._add(assembly, frame, total)
        if assembly.is_complete():
            del self._transient[key]
            return assembly.content()
        while sum(a.size for _, a in self._transient.values()) > max(PARTIAL_BYTES, self._longest + LONGEST_HEADER):
            del self._transient[next(iter(self._transient))]
        return None


# What leaves: messages, packets on their way, congestion


class Piece:
    """Bytes of a message that always travel together. `sequence` and place never change, so repeats are the same."""

    def __init__(self, stream: Stream, sequence: int, data: bytes, offset: int, total: Optional[int], cost: int):
        self.frame, self.cost = Message(sequence, data, offset, total, stream), cost
        self.acknowledged = self.was_sent = False

    @property
    def message(self) -> Tuple[Stream, int]:
        return self.frame.stream, self.frame.sequence


class Outbox:
    """Messages out (§9.3). What needs no credit goes before what does; otherwise in the order of queueing."""

    def __init__(self, credit: int, channel_credit: Optional[int]):
        self.limit, self.channel_credit, self._used = credit, channel_credit or UNLIMITED, 0
        self.limits: Dict[Stream, int] = {}
        self._stream_used: Dict[Stream, int] = {}
        self.sequences: Dict[Stream, int] = {}  # the next one of each stream
        self._unreliable, self._fresh, self._again = deque(), deque(), deque()
        self._open: Dict[Tuple[Stream, int], List[Piece]] = {}  # reliable messages that are not done
        self._behind: Dict[Tuple[Stream, int], List[Piece]] = {}  # ordered ones that are done, but not all before them
        self._given_up = set()
        self._in_pieces = set()

    def queue(self, content: bytes, whole: int, piece: int, stream: Stream = Stream()) -> int:
        """`whole`: how much content a packet of its own takes; `piece`: how much of a piece. Returns the sequence."""
        sequence = self.sequences.get(stream, 0)
        self.sequences[stream] = sequence + 1
        if len(content) <= whole:
            parts = [Piece(stream, sequence, content, 0, None, len(content))]
        else:
            parts = [
                Piece(stream, sequence, content[at : at + piece], at, len(content), len(content[at : at + piece]))
                for at in range(0, len(content), piece)
            ]
        if not stream.is_reliable:
            self._unreliable.extend(parts)
            return sequence
        parts[0].cost += MESSAGE_OVERHEAD
        self._open[stream, sequence] = parts
        self._fresh.extend(parts)
        return sequence

    def next(self, room: int, peeks: bool = False) -> Optional[Piece]:
        """The piece that goes next, if it fits: lost ones first, then new ones within the credit."""
        while self._again and self._again[0].acknowledged:
            self._again.popleft()
        while self._fresh and self._fresh[0].message not in self._open:
            self._fresh.popleft()
        for queue in (self._again, self._unreliable, self._fresh):
            if queue and len(queue[0].frame.write()) <= room and (queue is not self._fresh or self._may_begin()):
                if peeks:
                    return queue[0]
                return self._spend(queue.popleft()) if queue is self._fresh else queue.popleft()
            if queue:
                return None
        return None

    def _may_begin(self) -> bool:
        piece = self._fresh[0]
        another = piece.frame.total is not None and piece.message not in self._in_pieces
        if another and len(self._in_pieces) >= MESSAGES_IN_PIECES:
            return False
        limit = self.limits.get(piece.frame.stream, self.channel_credit)
        used = self._stream_used.get(piece.frame.stream, 0)
        return self._used + piece.cost <= self.limit and used + piece.cost <= limit

    def _spend(self, piece: Piece) -> Piece:
        piece.was_sent = True
        self._used += piece.cost
        self._stream_used[piece.frame.stream] = self._stream_used.get(piece.frame.stream, 0) + piece.cost
        if piece.frame.total is not None:
            self._in_pieces.add(piece.message)
        return piece

    def give_up(self, stream: Stream, sequence: int) -> Skip:
        """The SKIP for a message that is not done: nothing more of it is sent."""
        pieces = self._open.pop((stream, sequence))
        credit = sum(piece.cost for piece in pieces if piece.was_sent)
        assert credit, "sequences are given here when a message is queued, so it must have begun"
        for piece in pieces:
            piece.acknowledged = True
        self._in_pieces.discard((stream, sequence))
        self._given_up.add((stream, sequence))
        return Skip(stream, sequence, credit)

    def skipped(self, skip: Skip) -> None:
        """The peer knows that it was given up."""
        self._given_up.discard((skip.stream, skip.sequence))

    def check(self, receipt: Receipt) -> None:
        """§9.7: none for what was never sent."""
        if receipt.last >= self.sequences.get(receipt.stream, 0):
            raise Violation(wire.PROTOCOL_VIOLATION, "a receipt for what was never sent")

    def undelivered(self) -> List[bytes]:
        """The contents of reliable messages that the peer may not have handed out, when a session has ended (§6): those
        that were not acknowledged, and the ordered ones behind them."""
        lost = sorted({**self._open, **self._behind}.items())
        return [b"".join(piece.frame.data for piece in pieces) for _, pieces in lost]

    def lost(self, piece: Piece) -> None:
        if piece.frame.stream.is_reliable and not piece.acknowledged and piece not in self._again:
            self._again.append(piece)

    def acknowledged(self, piece: Piece) -> None:
        piece.acknowledged = True
        if all(p.acknowledged for p in self._open.get(piece.message, [piece])):
            done = self._open.pop(piece.message, None)
            self._in_pieces.discard(piece.message)
            self._keep_behind_gaps(piece.frame.stream, {piece.message: done} if done else {})

    def _keep_behind_gaps(self, stream: Stream, done: Dict[Tuple[Stream, int], List[Piece]]) -> None:
        if stream.mode != wire.ORDERED:
            return
        first = min((sequence for open, sequence in self._open if open == stream), default=UNLIMITED)
        kept = {**self._behind, **done}.items()
        self._behind = {message: pieces for message, pieces in kept if message[0] != stream or message[1] > first}

    def is_done(self) -> bool:
        return not self._open and not self._given_up and not self._unreliable


class Sent:
    """A packet on its way. `pieces` and `owed` are what it has to be repeated for."""

    def __init__(self, at: float, size: int, eliciting: bool, padded: bool, pieces: List[Piece], owed: list):
        self.at, self.size, self.eliciting, self.pieces, self.owed = at, size, eliciting, pieces, owed
        self.in_flight = eliciting or padded

    def unsettled(self) -> List[Piece]:
        """What a probe repeats of it."""
        return [piece for piece in self.pieces if piece.frame.stream.is_reliable and not piece.acknowledged]


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
        if not finish_unconfirmed and not self.is_awaited():
            return None
        longest = LONGEST_PTO_OFFLINE if offline else LONGEST_PTO
        return self._timer_from + min(self.rtt.pto(offline) * (1 << min(self.backoff, 10)), longest)

    def is_awaited(self) -> bool:
        """Whether something waits for its acknowledgement."""
        return any(packet.eliciting for packet in self.packets.values())

    def probed(self, now: float) -> Optional[Sent]:
        """The timer fired: the oldest packet on its way."""
        self.backoff, self._timer_from = self.backoff + 1, now
        return next((p for pn, p in sorted(self.packets.items()) if p.eliciting), None)


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
