"""A small Roamkey client, written from docs/PROTOCOL.md, which every § here refers to.

The bytes are in roamkey_wire and roamkey_handshake; what arrives and what is lost is the affair of roamkey_delivery,
where the server is that of roamkey_paths.

    client = Client(("127.0.0.1", 7447), SigningKey(), b"galaxy/1")
    drive([client], lambda: client.joined, seconds=5)
    client.send("Are you awake?")
    drive([client], lambda: client.messages, seconds=5)
    print(client.take().text)

There are no threads: `drive` waits on the sockets of some clients and calls `receive` and `tick`. What §2.2 and §10 let
an implementation leave out is left out: congestion is NewReno without persistent congestion; a client that is about to
run out of a phase moves on only when `update_keys` is called; no copies, no pacing, packets of 1200 bytes, and nobody
is ever quiet. Messages expire when `give_up` is called. It hears nothing of the system's networks: it moves when `move`
is called, and has no doors.
"""

import os
import select
import time
from collections import deque
from typing import Callable, List, Optional, Tuple

import roamkey_handshake as handshake
import roamkey_wire as wire
from roamkey_delivery import DATAGRAM, MESSAGE_OVERHEAD, Inbox, Loss, Outbox, PeerClock, Received, ReceivingKeys, Sent
from roamkey_paths import LINGERING, Address, Arrival, GivenIDs, OwnIDs, Search, Socket
from roamkey_wire import Ack, Close, Content, Dropped, MaxChannelData, MaxData, Message, Moved, NewConnectionID
from roamkey_wire import PathChallenge, PathDrop, PathResponse, Ping, Receipt, Resting, RetireConnectionID, Skip
from roamkey_wire import Stream, TimeRequest, TimeResponse, Violation

KEEP_ALIVE, OFFLINE_AFTER, GONE_AFTER, REST_LIMIT = 5.0, 20.0, 320.0, 7200.0  # §11.1
HELLO_PAUSES, GIVE_UP_AFTER, GIVE_UP_AFTER_DOUBT = (0.25, 0.5, 1.0, 2.0), 10.0, 2.0  # §1.8
CLOSES, ECHOES, RETRIES, ANSWERS = 3, 3, 2, 4  # §11.3, §1.7, §5.3
RESET_SIZE, SMALLEST_PROBE = 43, 44  # §6, §10.4

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
        parameters: Optional[handshake.Parameters] = None,
        scid: bytes = b"",
    ):
        self.key, self.link, self.address, self.pinned = key, link or Socket(), server, pinned
        self.mine = parameters or handshake.Parameters(credit=4 << 20)
        self.mine.application = application
        self._scid, self._given = scid, [server]
        # What the app may look at.
        self.messages, self.observed, self.roamed = deque(), None, []
        self.tree_depths = set()  # of the packets that came (§4)
        self.ended, self.echoed, self.path_responses = None, False, []
        self.receipts, self.skips, self.peer_rests, self.clock = [], [], False, PeerClock()
        self.server_moves, self.resets, self.undelivered = [], 0, []
        self.server: Optional[bytes] = None
        self._held = []  # what was sent while there was no session
        self._begin_handshake(time.monotonic(), GIVE_UP_AFTER)

    def _begin_handshake(self, now: float, patience: float) -> None:
        # handshake < session < closing or draining < gone; after a reset: handshake again
        self.state, self._began, self._patience, self.joined = "handshake", now, patience, False
        self.initiator = handshake.Initiator(self.key, os.urandom(8), self._scid, self.pinned)
        self._cookie, self.retries, self._hellos, self._hello_at = bytes(handshake.COOKIE_SIZE), 0, 0, now
        self._cookie_source: Optional[Address] = None
        self._doubt: Optional[str] = None
        self._doubt_at = self._gone_at = 0.0
        self.tick(now)

    # What the app calls

    def send(self, text: str, action: str = "chat", stream: Stream = Stream(), wants_receipt: bool = False):
        """Returns the message's sequence."""
        content = Content(text.encode("utf-8"), 1, action, wants_receipt=wants_receipt)
        content.time = self.microseconds() // 1000 % (1 << 24) if self.state == "session" else None
        return self.send_content(content.write(), stream)

    def send_content(self, content: bytes, stream: Stream = Stream()) -> Optional[int]:
        """The sequence; none where there is no session yet, for which the message waits."""
        if self.state == "handshake":
            return self._held.append((content, stream))
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

    def move(self, server: Optional[Address] = None) -> None:
        """§5.5: another socket, on purpose; to another address of the server's if one is given."""
        now = time.monotonic()
        self.link.rebind(LINGERING)
        self._owed += self.ids.move(self.link.udp)
        self._change_path(server or self.address, now)
        self._epoch, self._owes_move = self._epoch + 1, True
        if not self._confirmed:
            self.link.send(self.finish, self.address)
        self._send_messages(now, even_without=True)

    def rebind(self) -> None:
        """Another source port, of which the client knows nothing: as behind a NAT that lost its memory."""
        self.link.rebind()
        self.ids.way = self.link.udp

    def _change_path(self, address: Address, now: float) -> None:
        """§5.4, §5.8: what was under way is sent again."""
        old, self.address = self.address, address
        self._path_pto, self._silent_since = min(max(self._pto(), 0.1), 1.0), None
        self.search.moved(address)
        for packet in self.loss.everything(new_ip=old[0] != address[0]):
            self._repeat(packet)

    def update_keys(self) -> bool:
        """§2.2, the sender: only once a packet of this phase was acknowledged."""
        may = self.loss.largest_acknowledged is not None and self.loss.largest_acknowledged >= self._phase_since
        if may:
            self.phase, self._phase_since = self.phase.next(), self.pn
        return may

    # Datagrams in

    def receive(self) -> None:
        for arrival in self.link.receive():
            now = time.monotonic()
            try:
                if self.state == "handshake":
                    self._receive_long(arrival.datagram, arrival.source, now)
                elif self.state in ("session", "closing"):
                    self._receive_short(arrival, now)
                elif self.state == "draining":
                    self._echo_again()
            except Dropped:
                pass
            except Violation as violation:
                self.close(violation.code, why=str(violation))

    # Handshake, §1.7 and §1.8

    def _receive_long(self, datagram: bytes, source: Address, now: float) -> None:
        header = handshake.read_long_header(datagram)
        if header.destination != self.initiator.scid:
            raise Dropped("somebody else's")
        if header.version == bytes(4):
            self._receive_version_list(header, now)
        elif header.version != handshake.VERSION:
            raise Dropped("another version")
        elif header.kind == handshake.RETRY:
            self._receive_retry(header, source)
        elif header.kind == handshake.WELCOME:
            self._receive_welcome(header, source, now)

    def _receive_version_list(self, header: handshake.LongHeader, now: float) -> None:
        versions = handshake.read_version_list(header.rest)
        if header.source == self.initiator.dcid and handshake.VERSION not in versions:
            self._note_doubt("no common version", now)

    def _note_doubt(self, doubt: str, now: float) -> None:
        self._doubt_at = self._doubt_at if self._doubt else now
        self._doubt = doubt

    def _receive_retry(self, header: handshake.LongHeader, source: Address) -> None:
        is_ours = header.source == self.initiator.dcid and len(header.rest) == handshake.COOKIE_SIZE
        if not is_ours or self.retries >= RETRIES:
            raise Dropped("not our Retry")
        self.retries, self._cookie, self._cookie_source = self.retries + 1, header.rest, source
        self.link.send(self.initiator.hello(self._cookie), source)
        self._hello_at = time.monotonic() + self._pause()

    def _receive_welcome(self, header: handshake.LongHeader, source: Address, now: float) -> None:
        welcomed = self.initiator.read_welcome(header)
        if self.pinned and welcomed.server != self.pinned:
            return self._note_doubt("wrong server", now)
        theirs = welcomed.parameters
        if theirs.application != self.mine.application:
            return self._end("wrong application")
        self.finish, keys = welcomed.finish(self.answer(theirs).write())
        self.server, self.theirs, self.address = welcomed.server, theirs, source
        self._begin_session(keys, now)

    def answer(self, theirs: handshake.Parameters) -> handshake.Parameters:
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
        self._answers, self._owed, self._owed_limits = deque(), [], []
        self._rest, self._peer_rest, self._owed_time = Resting(0, 0), 0, None
        self._clock_origin, self._asked_time = int.from_bytes(os.urandom(7), "big"), None
        self._heard_at = self._asked_at = now
        self._offline, self._observed_sequence = False, -1
        self.ids = GivenIDs(self.theirs.server_id, self.theirs.reset_token, self.link.udp)
        self._own_ids, self.search = OwnIDs(self.initiator.scid), Search(self._given + [self.address])
        self._epoch, self._owes_move, self._peer_epoch, self._newest = 0, False, 0, -1
        self._path_pto, self._silent_since = 1.0, None
        self.link.send(self.finish, self.address)
        self.send_packet([Ping()], now)
        held, self._held = self._held, []
        for content, stream in held:
            self.send_content(content, stream)

    def _tick_handshake(self, now: float) -> None:
        if now >= self._give_up_at():
            return self._end(self._doubt or "nobody answered")
        if now >= self._hello_at:
            known = list(dict.fromkeys([self.address] + self._given))
            to = known[self._hellos % len(known)]
            cookie = self._cookie if self._cookie_source in (to, None) else bytes(handshake.COOKIE_SIZE)
            self.link.send(self.initiator.hello(cookie), to)
            self._hello_at = now + self._pause()
            self._hellos += 1

    def _pause(self) -> float:
        return HELLO_PAUSES[min(self._hellos, len(HELLO_PAUSES) - 1)]

    def _give_up_at(self) -> float:
        end = self._began + self._patience
        return min(end, self._doubt_at + GIVE_UP_AFTER_DOUBT) if self._doubt else end

    def _end(self, why: str, code: Optional[int] = None) -> None:
        self.state, self.ended = "gone", self.ended or (code, why)

    # Packets in, §3.5

    def _receive_short(self, arrival: Arrival, now: float) -> None:
        try:
            self._receive_packet(arrival, now)
        except Dropped:
            # §6: whatever could not be received may be the server's last word.
            if len(arrival.datagram) >= RESET_SIZE and self.ids.is_token(arrival.datagram[-16:]):
                return self._handle_reset(now)
            raise

    def _receive_packet(self, arrival: Arrival, now: float) -> None:
        datagram, size = arrival.datagram, self._own_ids.size
        packet = wire.unmask(self._in, size, datagram, self._received.highest + 1)
        if not self._own_ids.knows(datagram[1 : 1 + size], now) or not self._received.is_new(packet.pn):
            raise Dropped("somebody else's, or a replay")
        phase = self._receiving_keys.choose(packet, now)
        frames = wire.open_packet(phase, packet)
        if frames is None:
            raise Dropped("wrong tag")
        if self.theirs.policy == wire.EVERY_PACKET:
            plaintext, frames = frames, wire.verified_frames(self._in, phase, packet.pn, frames, self.server)
            self.tree_depths.add(plaintext[-1] >> 4)
        self._received.commit(packet.pn, now)
        self._receiving_keys.commit(phase, packet.pn, now, self._pto())
        self._heard(now)
        if packet.reserved:
            raise Violation(wire.PROTOCOL_VIOLATION, "reserved bits")
        self._handle_frames(packet.pn, frames, arrival, now)

    def _handle_reset(self, now: float) -> None:
        """The server knows this session no more: what was not acknowledged is handed back, and there is a new one."""
        if self.state == "closing":
            return self._end("closed")
        self.resets, self.pinned = self.resets + 1, self.server
        self.undelivered += self.outbox.undelivered()
        self._begin_handshake(now, GONE_AFTER - OFFLINE_AFTER)

    def _heard(self, now: float) -> None:
        if self._offline:
            self.loss.backoff = 0
        self._heard_at, self._offline, self._confirmed = now, False, True

    def _handle_frames(self, pn: int, frames: bytes, arrival: Arrival, now: float) -> None:
        eliciting, probing, epoch = False, True, self._peer_epoch
        for frame in wire.read_frames(frames):
            if isinstance(frame, Close):
                return self._handle_close(frame, now)
            if self.state == "session":
                eliciting = isinstance(frame, wire.ACK_ELICITING) or eliciting
                probing = isinstance(frame, wire.PROBING) and probing
                self._handle_frame(frame, arrival, now)
        if self.state == "session":
            self.joined = True
            self._received.handled(pn, eliciting, now)
            self._owed += self._own_ids.give()
            if not probing and pn > self._newest:
                self._newest = pn
                self._look_where_from(arrival.source, self._peer_epoch > epoch, now)

    def _look_where_from(self, source: Address, announced: bool, now: float) -> None:
        """§5.6: a server that writes from elsewhere is asked there."""
        silent = self._silent_since is not None and now - self._silent_since >= self._patience_for_silence()
        if source != self.address and (announced or silent):
            self.search.follow(source, self.address, now, self._pto())

    def _handle_frame(self, frame, arrival: Arrival, now: float) -> None:
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
        elif isinstance(frame, (PathChallenge, PathResponse, NewConnectionID, RetireConnectionID, Moved)):
            self._handle_path_frame(frame, arrival, now)
        elif isinstance(frame, wire.Addresses):
            self.search.learn(frame)
        elif isinstance(frame, wire.ObservedAddress) and frame.sequence > self._observed_sequence:
            self._observed_sequence = frame.sequence
            here = wire.address_text(frame.ip, frame.port)
            if self.observed and self.observed != here:
                self.roamed.append((self.observed, here))
            self.observed = here

    def _handle_path_frame(self, frame, arrival: Arrival, now: float) -> None:
        if isinstance(frame, PathChallenge):
            if len(self._answers) < ANSWERS:
                kind = PathResponse if arrival.udp is self.link.udp else PathDrop
                self._answers.append((kind(frame.data), arrival))
        elif isinstance(frame, PathResponse):
            self._handle_answer(frame, now)
        elif isinstance(frame, NewConnectionID):
            self._owed += self.ids.add(frame)
        elif isinstance(frame, RetireConnectionID):
            self._own_ids.retire(frame.sequence, now + 3 * self._pto())
        elif isinstance(frame, Moved):
            self._peer_epoch = max(frame.epoch, self._peer_epoch)

    def _handle_answer(self, frame: PathResponse, now: float) -> None:
        self.path_responses.append(frame.data)
        asked = self.search.answered(frame.data)
        if asked is None:
            return
        silent = self._silent_since is not None and now - self._silent_since >= self._patience_for_silence()
        if not asked.follows and not silent:
            return
        self.server_moves.append((self.address, asked.address))
        if asked.follows:
            self._change_path(asked.address, now)
            self.send_packet([Ping()], now)
        else:
            self.move(asked.address)

    def _patience_for_silence(self) -> float:
        """§5.7: one PTO, after a move not longer than that of the path before."""
        return min(self._pto(), self._path_pto)

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
        acknowledged = self.loss.acknowledge(ack, now)
        if acknowledged:
            self._silent_since = now if self.loss.is_awaited() else None
            self.search.end()
        for packet in acknowledged:
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
        self._owe_again(packet.owed)

    def _owe_again(self, frames: list) -> None:
        for frame in frames:
            if isinstance(frame, (MaxData, MaxChannelData)):
                self._owe_limit(getattr(frame, "stream", None), True)
            elif isinstance(frame, Moved):
                self._owes_move = self._owes_move or frame.epoch == self._epoch
            elif isinstance(frame, NewConnectionID) and frame.sequence not in self._own_ids.unretired:
                pass
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

    def _overhead(self, pn_size: int) -> int:
        trailer = 65 if self.theirs.policy == wire.EVERY_PACKET else 0
        return 1 + len(self.theirs.server_id) + pn_size + wire.TAG_SIZE + trailer

    def _frames_room(self) -> int:
        """Bytes for frames in a packet of 1200, with the longest packet number."""
        return wire.PACKET_SIZE - self._overhead(4)

    def send_packet(self, frames: list, now: Optional[float] = None, pieces=(), owed=(), pad_to=0) -> None:
        now = time.monotonic() if now is None else now
        out = b"".join(frame.write() for frame in frames[:-1])
        # A message at the end needs no length, unless padding follows.
        ends_it = isinstance(frames[-1], Message) and not pad_to
        out += frames[-1].write(is_last=True) if ends_it else frames[-1].write()
        eliciting = any(isinstance(frame, wire.ACK_ELICITING) for frame in frames)
        size = self._send_frames(out, self.ids.active, pad_to, self.address)
        if eliciting:
            self._asked_at = now
            self._silent_since = self._silent_since or now
        if not isinstance(frames[0], Close):
            self.loss.sent(self.pn - 1, Sent(now, size, eliciting, bool(pad_to), list(pieces), list(owed)))

    def send_probing(self, frame, to: Address, udp=None, pad_to=0) -> None:
        """A packet that asks or answers by any way, and counts for nothing (§5.3). Each way has an id of its own."""
        self._send_frames(frame.write(), self.ids.on(udp or self.link.udp), pad_to, to, udp)

    def _send_frames(self, frames: bytes, cid: bytes, pad_to: int, to: Address, udp=None) -> int:
        """One packet with these frames; the size of its datagram."""
        pn, self.pn = self.pn, self.pn + 1
        size = wire.pn_size(pn, self.loss.largest_acknowledged)
        frames = wire.pad_frames(frames, size).ljust(pad_to - self._overhead(size), b"\0")
        datagram = self.seal(pn, frames, cid=cid)
        self.link.send(datagram, to, udp)
        return len(datagram)

    def seal(self, pn: int, frames: bytes, trailer: Optional[bytes] = None, phase=None, reserved=0, cid=None) -> bytes:
        """The datagram of these frames. Tests give a trailer, a phase, reserved bits or an id of their own."""
        phase, size = phase or self.phase, wire.pn_size(pn, self.loss.largest_acknowledged)
        if trailer is None and self.theirs.policy == wire.EVERY_PACKET:
            (trailer,) = wire.trailers(self.key, [wire.leaf(self.out, phase, pn, frames)])
        cid = self.ids.active if cid is None else cid
        return wire.seal_packet(self.out, phase, cid, pn, size, frames + (trailer or b""), reserved)

    def _flush(self, now: float) -> None:
        """Everything that may leave now: answers and challenges, messages with what rides along, a bare ACK."""
        while self._answers:
            frame, arrival = self._answers.popleft()
            self.send_probing(frame, arrival.source, arrival.udp)
        for asked in self.search.due(now, self._path_pto):
            size = wire.PACKET_SIZE if asked.follows else SMALLEST_PROBE
            self.send_probing(PathChallenge(asked.data), asked.address, pad_to=size)
        while self.loss.congestion.in_flight + DATAGRAM <= self.loss.congestion.window:
            if not self._send_messages(now):
                break
        if self._owed or self._owed_limits or self._owes_move:
            self._send_messages(now, even_without=True)
        if self._owed_time is not None:
            (echo, received), self._owed_time = self._owed_time, None
            self.send_packet([TimeResponse(echo, received, self.microseconds() - received)], now)
        if self._received.due is not None and now >= self._received.due:
            self.send_packet([self._received.ack(now)], now)

    def _send_messages(self, now: float, even_without: bool = False) -> bool:
        if len(self.loss.packets) >= 4096:
            return False
        has_pieces = self.outbox.next(self._frames_room(), peeks=True)
        if not has_pieces and not (even_without and (self._owed or self._owed_limits or self._owes_move)):
            return False
        owed = self._take_owed()
        pieces, room = [], self._frames_room() - sum(len(frame.write()) for frame in owed)
        piece = self.outbox.next(room)
        while piece:
            pieces.append(piece)
            room -= len(piece.frame.write())
            piece = self.outbox.next(room)
        if pieces:
            self._wake()
        frames = self._with_ack(owed + [piece.frame for piece in pieces], room, now)
        self.send_packet(frames, now, pieces, owed, self._padding(owed))
        return True

    def _take_owed(self) -> list:
        """Frames that are to be told, MOVED first."""
        owed, self._owed = self._owed[:16], self._owed[16:]
        owed += [self._limit_frame(stream) for stream in self._owed_limits[:16]]
        self._owed_limits = self._owed_limits[16:]
        if self._owes_move:
            owed.insert(0, Moved(self._epoch))
            self._owes_move = False
        return owed

    @staticmethod
    def _padding(owed: list) -> int:
        """§5.5: packets with MOVED are padded, so that the server may answer at length."""
        return wire.PACKET_SIZE if any(isinstance(frame, Moved) for frame in owed) else 0

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
        self._look_around(now)
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
        oldest = self.loss.probed(now)
        pieces = oldest.unsettled() if oldest else []
        self._owe_again(oldest.owed if oldest else [])
        owed = self._take_owed() if not pieces else []
        frames = [piece.frame for piece in pieces] or owed or [Ping()]
        self.send_packet(frames, now, pieces, owed, self._padding(owed) or SMALLEST_PROBE)

    def _next_look(self) -> Optional[float]:
        if self._rest.state or self.peer_rests or not self.joined:
            return None
        return self.search.next_look(self._silent_since, self._patience_for_silence())

    def _look_around(self, now: float) -> None:
        """§5.7."""
        look_at = self._next_look()
        if look_at is not None and now >= look_at:
            self.search.look(self.address, now, self._path_pto)
            self._probe(now)

    def next_time(self) -> float:
        """When `tick` has something to do at the latest."""
        if self.state == "handshake":
            return min(self._hello_at, self._give_up_at())
        if self.state != "session":
            return self._close_at if self.state == "closing" and self._closes_left else self._gone_at
        offline = self._heard_at + (GONE_AFTER if self._offline else OFFLINE_AFTER)
        keep_alive = max(self._heard_at, self._asked_at) + KEEP_ALIVE
        times = [self._received.due, self.loss.loss_at(), self.loss.probe_at(self._offline, not self._confirmed)]
        times += [self.search.next_time(), self._next_look()]
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
        select.select([udp for client in live for udp in client.link.all()], [], [], max(wait, 0.0))
        for client in live:
            client.receive()
            client.tick()
    return True
