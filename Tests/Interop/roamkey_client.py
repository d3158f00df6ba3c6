"""A small Roamkey client, written from docs/PROTOCOL.md, which every § here refers to.

The bytes are in roamkey_wire; what arrives and what is lost is the affair of roamkey_delivery.

    client = Client(("127.0.0.1", 7447), SigningKey(), b"galaxy/1")
    drive([client], lambda: client.joined, seconds=5)
    client.send("Are you awake?")
    drive([client], lambda: client.messages, seconds=5)
    print(client.take().text)

There are no threads: `drive` waits on the sockets of some clients and calls `receive` and `tick`. What §2.2 and §10 let
an implementation leave out is left out: congestion is NewReno without persistent congestion; a client that is about to
run out of a phase moves on only when `update_keys` is called; no copies, no pacing, packets of 1200 bytes, and nobody
is ever quiet. Messages expire when `give_up` is called.
"""

import os
import select
import socket
import time
from collections import deque
from typing import Callable, List, Optional, Tuple

import roamkey_wire as wire
from roamkey_delivery import DATAGRAM, MESSAGE_OVERHEAD, Inbox, Loss, Outbox, PeerClock, Received, ReceivingKeys, Sent
from roamkey_wire import Ack, Close, Content, Dropped, MaxChannelData, MaxData, Message, Ping, Receipt, Resting, Skip
from roamkey_wire import Stream, TimeRequest, TimeResponse, Violation

KEEP_ALIVE, OFFLINE_AFTER, GONE_AFTER, REST_LIMIT = 5.0, 20.0, 320.0, 7200.0  # §11.1
HELLO_PAUSES, GIVE_UP_AFTER, GIVE_UP_AFTER_DOUBT = (0.25, 0.5, 1.0, 2.0), 10.0, 2.0  # §1.8
CLOSES, ECHOES, RETRIES = 3, 3, 2  # §11.3, §1.7

Address = Tuple[str, int]


class Socket:
    """One UDP socket for one session. Tests put bad networks here by overriding `send` and `receive`."""

    def __init__(self, host: str = "127.0.0.1"):
        self._host = host
        self.rebind()

    def rebind(self) -> None:
        """Another port: as after a change of network."""
        old = getattr(self, "udp", None)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((self._host, 0))
        self.udp.setblocking(False)
        if old:
            old.close()

    def send(self, datagram: bytes, to: Address) -> None:
        try:
            self.udp.sendto(datagram, to)
        except OSError:
            pass  # as good as lost

    def receive(self) -> List[Tuple[bytes, Address]]:
        found = []
        while True:
            try:
                found.append(self.udp.recvfrom(2048))
            except BlockingIOError:
                return found
            except OSError:
                continue  # what ICMP told about an earlier datagram


# The client


class Client:
    """One session with one server, from the Hello to the end."""

    def __init__(
        self,
        server: Address,
        key: wire.SigningKey,
        application: bytes,
        pinned: Optional[bytes] = None,
        link: Optional[Socket] = None,
        parameters: Optional[wire.Parameters] = None,
        scid: bytes = b"",
    ):
        self.key, self.link, self.address, self.pinned = key, link or Socket(), server, pinned
        self.mine = parameters or wire.Parameters(credit=4 << 20)
        self.mine.application = application
        # What the app may look at.
        self.messages, self.observed, self.roamed = deque(), None, []
        self.joined, self.ended, self.echoed, self.path_responses = False, None, False, []
        self.receipts, self.skips, self.peer_rests, self.clock = [], [], False, PeerClock()
        self.server: Optional[bytes] = None
        # begin < handshake < session < closing or draining < gone
        self.state, self._began = "handshake", time.monotonic()
        self.initiator = wire.Initiator(key, os.urandom(8), scid, pinned)
        self._cookie, self.retries, self._hellos, self._hello_at = bytes(wire.COOKIE_SIZE), 0, 0, self._began
        self._doubt: Optional[str] = None
        self._doubt_at = self._gone_at = 0.0
        self.tick(self._began)

    # What the app calls

    def send(self, text: str, action: str = "chat", stream: Stream = Stream(), wants_receipt: bool = False) -> int:
        """Returns the message's sequence."""
        content = Content(text.encode("utf-8"), 1, action, wants_receipt=wants_receipt)
        content.time = self.microseconds() // 1000 % (1 << 24)
        return self.send_content(content.write(), stream)

    def send_content(self, content: bytes, stream: Stream = Stream()) -> int:
        whole, piece = self._frames_room() - 20, self._frames_room() - 40
        return self.outbox.queue(content, whole, piece, stream)

    def give_up(self, sequence: int, stream: Stream = Stream()) -> None:
        """A message of which something was sent has expired (§9.3): nothing more of it is sent."""
        self._owed.append(self.outbox.give_up(stream, sequence))

    def take(self) -> Content:
        """The next message; taking it gives the server credit, and the receipt that it wants."""
        content = self.messages.popleft()
        if content.stream.is_reliable:
            self._took(content.stream, len(content.write()) + MESSAGE_OVERHEAD)
        if content.wants_receipt:
            self._owed.append(Receipt(content.stream, content.sequence))
        return content

    def _took(self, stream: Stream, cost: int) -> None:
        session, channel = self._inbox.took(stream, cost)
        self._owe_limit(None, session)
        self._owe_limit(stream, channel)

    def _owe_limit(self, stream: Optional[Stream], is_due: bool) -> None:
        """The limit of a stream, or of the session, is to be told: what it is by then."""
        if is_due and stream not in self._owed_limits:
            self._owed_limits.append(stream)

    def rest(self, is_resting: bool = True) -> None:
        """§11.1."""
        self._rest = Resting(self._rest.sequence + 1, int(is_resting))
        self._owed.append(self._rest)

    def ask_time(self) -> None:
        """§10.7."""
        self._asked_time = self.microseconds()
        self.send_packet([TimeRequest(self._asked_time)])

    def microseconds(self) -> int:
        """Our clock, as the peer sees it."""
        return self._clock_origin + int(time.monotonic() * 1_000_000)

    def age(self, content: Content) -> Optional[Tuple[float, float]]:
        """How old a message is and how far that may be off, in microseconds."""
        return None if content.time is None else self.clock.age(content.time, self.microseconds())

    def is_delivered(self) -> bool:
        return self.outbox.is_done()

    def close(self, code: int = wire.DONE, text: bytes = b"", why: str = "closed by us") -> None:
        """§11.3, the side that closes."""
        if self.state != "session":
            return
        self.state, self.ended, self._closes_left = "closing", (code, why), CLOSES
        self._close, self._close_at = Close(code, text), time.monotonic()
        self._gone_at = self._close_at + 3 * self._pto()
        self.tick(self._close_at)

    def change_port(self, noticed: bool) -> None:
        """Another source port; `noticed`: as §5.5 says, otherwise as behind a NAT that was given another one."""
        self.link.rebind()
        if not noticed:
            return
        now = time.monotonic()
        for packet in self.loss.everything(new_ip=False):
            self._repeat(packet)
        if not self._confirmed:
            self.link.send(self.finish, self.address)
        self.send_packet([Ping()], now, pad_to=wire.PACKET_SIZE)

    def update_keys(self) -> bool:
        """§2.2, the sender: only once a packet of this phase was acknowledged."""
        may = self.loss.largest_acknowledged is not None and self.loss.largest_acknowledged >= self._phase_since
        if may:
            self.phase, self._phase_since = self.phase.next(), self.pn
        return may

    # Datagrams in

    def receive(self) -> None:
        for datagram, source in self.link.receive():
            now = time.monotonic()
            try:
                if self.state == "handshake":
                    self._receive_long(datagram, source, now)
                elif self.state in ("session", "closing"):
                    self._receive_packet(datagram, source, now)
                elif self.state == "draining":
                    self._echo_again()
            except Dropped:
                pass
            except Violation as violation:
                self.close(violation.code, why=str(violation))

    # Handshake, §1.7 and §1.8

    def _receive_long(self, datagram: bytes, source: Address, now: float) -> None:
        header = wire.read_long_header(datagram)
        if header.destination != self.initiator.scid:
            raise Dropped("somebody else's")
        if header.version == bytes(4):
            self._receive_version_list(header, now)
        elif header.version != wire.VERSION:
            raise Dropped("another version")
        elif header.kind == wire.RETRY:
            self._receive_retry(header, source)
        elif header.kind == wire.WELCOME:
            self._receive_welcome(header, source, now)

    def _receive_version_list(self, header: wire.LongHeader, now: float) -> None:
        versions = wire.read_version_list(header.rest)
        if header.source == self.initiator.dcid and wire.VERSION not in versions:
            self._note_doubt("no common version", now)

    def _note_doubt(self, doubt: str, now: float) -> None:
        self._doubt_at = self._doubt_at if self._doubt else now
        self._doubt = doubt

    def _receive_retry(self, header: wire.LongHeader, source: Address) -> None:
        if header.source != self.initiator.dcid or self.retries >= RETRIES or len(header.rest) != wire.COOKIE_SIZE:
            raise Dropped("not our Retry")
        self.retries, self._cookie = self.retries + 1, header.rest
        self.link.send(self.initiator.hello(self._cookie), source)
        self._hello_at = time.monotonic() + self._pause()

    def _receive_welcome(self, header: wire.LongHeader, source: Address, now: float) -> None:
        welcomed = self.initiator.read_welcome(header)
        if self.pinned and welcomed.server != self.pinned:
            return self._note_doubt("wrong server", now)
        theirs = welcomed.parameters
        if theirs.application != self.mine.application:
            return self._end("wrong application")
        self.finish, keys = welcomed.finish(self.answer(theirs).write())
        self.server, self.theirs, self.address = welcomed.server, theirs, source
        self._begin_session(keys, now)

    def answer(self, theirs: wire.Parameters) -> wire.Parameters:
        """The TLVs of the Finish (§1.5): our own, and the server's policy and the ids."""
        self.mine.policy, self.mine.server_id = theirs.policy, theirs.server_id
        self.mine.client_id = self.initiator.scid
        return self.mine

    def _begin_session(self, keys: wire.SessionKeys, now: float) -> None:
        self.state, self._confirmed = "session", False
        self.directions = self.out, self._in = keys.directions
        self.phase, self._phase_since, self.pn = self.out.first_phase, 0, 0
        self._receiving_keys, self._received = ReceivingKeys(self._in.first_phase), Received()
        self.loss, self.outbox = Loss(), Outbox(self.theirs.credit, self.theirs.channel_credit)
        self._inbox = Inbox(self.mine.longest, self.mine.credit, self.mine.channel_credit)
        self._responses, self._owed, self._owed_limits = deque(), [], []
        self._rest, self._peer_rest, self._owed_time = Resting(0, 0), 0, None
        self._clock_origin, self._asked_time = int.from_bytes(os.urandom(7), "big"), None
        self._heard_at = self._asked_at = now
        self._offline, self._observed_sequence = False, -1
        self.link.send(self.finish, self.address)
        self.send_packet([Ping()], now)

    def _tick_handshake(self, now: float) -> None:
        if now >= self._give_up_at():
            return self._end(self._doubt or "nobody answered")
        if now >= self._hello_at:
            self.link.send(self.initiator.hello(self._cookie), self.address)
            self._hello_at = now + self._pause()
            self._hellos += 1

    def _pause(self) -> float:
        return HELLO_PAUSES[min(self._hellos, len(HELLO_PAUSES) - 1)]

    def _give_up_at(self) -> float:
        end = self._began + GIVE_UP_AFTER
        return min(end, self._doubt_at + GIVE_UP_AFTER_DOUBT) if self._doubt else end

    def _end(self, why: str, code: Optional[int] = None) -> None:
        self.state, self.ended = "gone", self.ended or (code, why)

    # Packets in, §3.5

    def _receive_packet(self, datagram: bytes, source: Address, now: float) -> None:
        packet = wire.unmask(self._in, len(self.initiator.scid), datagram, self._received.highest + 1)
        if datagram[1 : 1 + len(self.initiator.scid)] != self.initiator.scid or not self._received.is_new(packet.pn):
            raise Dropped("somebody else's, or a replay")
        phase = self._receiving_keys.choose(packet, now)
        frames = wire.open_packet(phase, packet)
        if frames is None:
            raise Dropped("wrong tag")
        if self.theirs.policy == wire.EVERY_PACKET:
            frames = wire.verified_frames(self._in, phase, packet.pn, frames, self.server)
        self._received.commit(packet.pn, now)
        self._receiving_keys.commit(phase, packet.pn, now, self._pto())
        self._heard(now)
        if packet.reserved:
            raise Violation(wire.PROTOCOL_VIOLATION, "reserved bits")
        self._handle_frames(packet.pn, frames, source, now)

    def _heard(self, now: float) -> None:
        if self._offline:
            self.loss.backoff = 0
        self._heard_at, self._offline, self._confirmed = now, False, True

    def _handle_frames(self, pn: int, frames: bytes, source: Address, now: float) -> None:
        eliciting = False
        for frame in wire.read_frames(frames):
            if isinstance(frame, Close):
                return self._handle_close(frame, now)
            if self.state == "session":
                eliciting = isinstance(frame, wire.ACK_ELICITING) or eliciting
                self._handle_frame(frame, source, now)
        if self.state == "session":
            self.joined = True
            self._received.handled(pn, eliciting, now)

    def _handle_frame(self, frame, source: Address, now: float) -> None:
        if isinstance(frame, Ack):
            self._handle_ack(frame, now)
        elif isinstance(frame, Message):
            self._deliver(self._inbox.receive(frame, now))
        elif isinstance(frame, Skip):
            self._handle_skip(frame)
        elif isinstance(frame, Receipt):
            self.outbox.check(frame)
            self.receipts.append(frame)
        elif isinstance(frame, MaxData):
            self.outbox.limit = max(frame.limit, self.outbox.limit)
        elif isinstance(frame, MaxChannelData):
            known = self.outbox.limits.get(frame.stream, self.outbox.channel_credit)
            self.outbox.limits[frame.stream] = max(frame.limit, known)
        elif isinstance(frame, (TimeRequest, TimeResponse, Resting)):
            self._handle_clocks_and_rest(frame)
        elif isinstance(frame, wire.PathChallenge) and source == self.address and len(self._responses) < 4:
            self._responses.append(frame.data)
        elif isinstance(frame, wire.PathResponse):
            self.path_responses.append(frame.data)
        elif isinstance(frame, wire.ObservedAddress) and frame.sequence > self._observed_sequence:
            self._observed_sequence = frame.sequence
            here = wire.address_text(frame.ip, frame.port)
            if self.observed and self.observed != here:
                self.roamed.append((self.observed, here))
            self.observed = here

    def _deliver(self, messages: List[Content]) -> None:
        self.messages.extend(messages)
        if messages:
            self.peer_rests = False
            self._wake()

    def _wake(self) -> None:
        """§11.1: any message ends a rest."""
        if self._rest.state:
            self.rest(False)

    def _handle_skip(self, frame: Skip) -> None:
        settled = self._inbox.streams.get(frame.stream)
        is_new = settled is None or not settled.is_settled(frame.sequence)
        self._deliver(self._inbox.skip(frame))
        if is_new:
            self.skips.append(frame)
            self._took(frame.stream, frame.credit)

    def _handle_clocks_and_rest(self, frame) -> None:
        now = self.microseconds()
        if isinstance(frame, TimeRequest):
            self._owed_time = (frame.time, now)
        elif isinstance(frame, TimeResponse) and frame.echo == self._asked_time:
            self.clock.learn(frame.echo, frame.received, frame.delay, now)
            self._asked_time = None
        elif isinstance(frame, Resting) and frame.sequence > self._peer_rest:
            self._peer_rest, self.peer_rests = frame.sequence, bool(frame.state)

    def _handle_ack(self, ack: Ack, now: float) -> None:
        if ack.ranges[0][1] >= self.pn:
            raise Violation(wire.PROTOCOL_VIOLATION, "an acknowledgement of what was never sent")
        for packet in self.loss.acknowledge(ack, now):
            for piece in packet.pieces:
                self.outbox.acknowledged(piece)
            for frame in packet.owed:
                if isinstance(frame, Skip):
                    self.outbox.skipped(frame)
        self._repeat_lost(now)

    def _repeat_lost(self, now: float) -> None:
        for packet in self.loss.lost(now):
            self._repeat(packet)

    def _repeat(self, packet: Sent) -> None:
        for piece in packet.pieces:
            self.outbox.lost(piece)
        for frame in packet.owed:
            if isinstance(frame, (MaxData, MaxChannelData)):
                self._owe_limit(getattr(frame, "stream", None), True)
            elif not isinstance(frame, Resting) or frame == self._rest:
                self._owed.append(frame)

    # Closing, §11.3

    def _handle_close(self, frame: Close, now: float) -> None:
        if self.state == "closing":
            self.echoed = True
            return self._end("closed")
        why = readable(frame.text)
        if not self.joined:
            why = wire.REFUSALS.get(frame.code, "nobody answered")
        self.state, self.ended, self._gone_at = "draining", (frame.code, why), now + 3 * self._pto()
        self._echoes = 0
        self._echo_again()

    def _echo_again(self) -> None:
        if self._echoes < ECHOES:
            self._echoes += 1
            self.send_packet([Close(wire.DONE)], time.monotonic())

    # Packets out

    def _pto(self) -> float:
        return self.loss.rtt.pto(self._offline)

    def _frames_room(self) -> int:
        """Bytes for frames in a packet of 1200, with the longest packet number."""
        trailer = 65 if self.theirs.policy == wire.EVERY_PACKET else 0
        return wire.PACKET_SIZE - 1 - len(self.theirs.server_id) - 4 - wire.TAG_SIZE - trailer

    def send_packet(self, frames: list, now: Optional[float] = None, pieces=(), owed=(), pad_to=0) -> None:
        now = time.monotonic() if now is None else now
        out = b"".join(frame.write() for frame in frames[:-1])
        # A message at the end needs no length, unless padding follows.
        ends_it = isinstance(frames[-1], Message) and not pad_to
        out += frames[-1].write(is_last=True) if ends_it else frames[-1].write()
        if pad_to:
            out = out.ljust(pad_to - (wire.PACKET_SIZE - self._frames_room()), b"\0")
        eliciting = any(isinstance(frame, wire.ACK_ELICITING) for frame in frames)
        size = self._send_frames(out)
        if eliciting:
            self._asked_at = now
        if not isinstance(frames[0], Close):
            self.loss.sent(self.pn - 1, Sent(now, size, eliciting, bool(pad_to), list(pieces), list(owed)))

    def _send_frames(self, frames: bytes) -> int:
        """One packet with these frames; the size of its datagram."""
        pn, self.pn = self.pn, self.pn + 1
        datagram = self.seal(pn, wire.pad_frames(frames, wire.pn_size(pn, self.loss.largest_acknowledged)))
        self.link.send(datagram, self.address)
        return len(datagram)

    def seal(self, pn: int, frames: bytes, trailer: Optional[bytes] = None, phase=None, reserved=0) -> bytes:
        """The datagram of these frames. Tests give a trailer, a phase or reserved bits of their own."""
        phase, size = phase or self.phase, wire.pn_size(pn, self.loss.largest_acknowledged)
        if trailer is None and self.theirs.policy == wire.EVERY_PACKET:
            (trailer,) = wire.trailers(self.key, [wire.leaf(self.out, phase, pn, frames)])
        return wire.seal_packet(self.out, phase, self.theirs.server_id, pn, size, frames + (trailer or b""), reserved)

    def _flush(self, now: float) -> None:
        """Everything that may leave now: answers to challenges, messages with what rides along, a bare ACK."""
        while self._responses:
            self.send_packet([wire.PathResponse(self._responses.popleft())], now)
        while self.loss.congestion.in_flight + DATAGRAM <= self.loss.congestion.window:
            if not self._send_messages(now):
                break
        if self._owed or self._owed_limits:
            self._send_messages(now, even_without=True)
        if self._owed_time is not None:
            (echo, received), self._owed_time = self._owed_time, None
            self.send_packet([TimeResponse(echo, received, self.microseconds() - received)], now)
        if self._received.due is not None and now >= self._received.due:
            self.send_packet([self._received.ack(now)], now)

    def _send_messages(self, now: float, even_without: bool = False) -> bool:
        if len(self.loss.packets) >= 4096:
            return False
        pieces, room = [], self._frames_room()
        owed, self._owed = self._owed[:16], self._owed[16:]
        owed += [self._limit_frame(stream) for stream in self._owed_limits[:16]]
        limits, self._owed_limits = self._owed_limits[:16], self._owed_limits[16:]
        room -= sum(len(frame.write()) for frame in owed)
        piece = self.outbox.next(room)
        while piece:
            pieces.append(piece)
            room -= len(piece.frame.write())
            piece = self.outbox.next(room)
        if not pieces and not (even_without and owed):
            self._owed, self._owed_limits = owed[: len(owed) - len(limits)] + self._owed, limits + self._owed_limits
            return False
        if pieces:
            self._wake()
        self.send_packet(self._with_ack(owed + [piece.frame for piece in pieces], room, now), now, pieces, owed)
        return True

    def _limit_frame(self, stream: Optional[Stream]):
        if stream is None:
            return MaxData(self._inbox.window.granted)
        return MaxChannelData(stream, self._inbox.streams[stream].window.granted)

    def _with_ack(self, frames: list, room: int, now: float) -> list:
        """An ACK rides along where there is room for it."""
        if not self._received.wants_ack() or room < 24 + 8 * len(self._received.ranges):
            return frames
        return [self._received.ack(now)] + frames

    # Timers

    def tick(self, now: Optional[float] = None) -> None:
        now = time.monotonic() if now is None else now
        if self.state == "handshake":
            self._tick_handshake(now)
        elif self.state == "session":
            self._tick_session(now)
        elif self.state == "closing" and self._closes_left and now >= self._close_at:
            self.send_packet([self._close], now)
            self._closes_left, self._close_at = self._closes_left - 1, now + self._pto()
        if self.state in ("closing", "draining") and now >= self._gone_at:
            self._end("closed")

    def _tick_session(self, now: float) -> None:
        silent, rests = now - self._heard_at, self._rest.state or self.peer_rests
        if silent >= (REST_LIMIT if rests else GONE_AFTER) or not self._confirmed and now >= self._give_up_at():
            return self._end("nobody answered")
        self._repeat_lost(now)
        self._flush(now)
        probe_at = self.loss.probe_at(self._offline, not self._confirmed)
        if probe_at is not None and now >= probe_at:
            self._probe(now)
        if rests:
            return
        if silent >= OFFLINE_AFTER and not self._offline:
            self._offline = True
            self.send_packet([Ping()], now)
        elif silent >= KEEP_ALIVE and now - self._asked_at >= KEEP_ALIVE and probe_at is None:
            self.send_packet([Ping()], now)

    def _probe(self, now: float) -> None:
        """§10.4."""
        if not self._confirmed:
            self.link.send(self.finish, self.address)
        pieces = self.loss.probed(now)
        self.send_packet([piece.frame for piece in pieces] or [Ping()], now, pieces)

    def next_time(self) -> float:
        """When `tick` has something to do at the latest."""
        if self.state == "handshake":
            return min(self._hello_at, self._give_up_at())
        if self.state != "session":
            return self._close_at if self.state == "closing" and self._closes_left else self._gone_at
        offline = self._heard_at + (GONE_AFTER if self._offline else OFFLINE_AFTER)
        keep_alive = max(self._heard_at, self._asked_at) + KEEP_ALIVE
        times = [self._received.due, self.loss.loss_at(), self.loss.probe_at(self._offline, not self._confirmed)]
        times += [offline, keep_alive if keep_alive > time.monotonic() else None]
        return min(at for at in times if at is not None)


def readable(text: bytes) -> str:
    """The text of a CLOSE for people (§8, §7)."""
    try:
        return "".join(c for c in text.decode("utf-8") if not wire.deceives(c))
    except ValueError:
        return ""


def drive(clients: List[Client], until: Callable[[], object], seconds: float) -> bool:
    """Runs these clients until the condition holds; whether it did within the time."""
    end = time.monotonic() + seconds
    while not until():
        now = time.monotonic()
        if now >= end:
            return False
        live = [client for client in clients if client.state != "gone"]
        wait = min([end, now + 0.05] + [client.next_time() for client in live]) - now
        select.select([client.link.udp for client in live], [], [], max(wait, 0.0))
        for client in live:
            client.receive()
            client.tick()
    return True
