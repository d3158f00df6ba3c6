import DequeModule
import HeapModule
import RoamkeyWire

/// The sending half of all streams: what is queued, on its way, lost, or given up.
///
/// It decides which bytes go next and knows nothing of packets: a range that is reported lost is sent again as bytes,
/// whatever packet it was in. Whose turn it is to write is in Outgoing+Fill.swift, what is written in
/// Outgoing+Write.swift, what acknowledgements and losses do in Outgoing+Settle.swift; expiry, receipts and copies have
/// files of their own.
struct Outgoing: Sendable {
  var streams: [SendStream] = []
  var lanes: [Lane] = []
  private var index = StreamIndex()
  var schedule = Schedule()
  /// Lanes that may not send their next message, though it would fit; some may be free again.
  private var blocked: [UInt16] = []

  var credit: CreditAllowance
  /// What the peer lets one reliable stream use at first.
  private let streamCredit: UInt64
  /// Reliable messages that were begun in pieces and are not settled: the peer keeps room for so many only.
  var openPieceMessages = 0
  let pieceMessageLimit: Int

  /// Bytes queued or unacknowledged, overhead included; a receipt that is awaited counts the overhead as well.
  var queuedBytes = 0
  /// Messages that wait, and reliable ones that are not settled.
  var queuedMessages = 0
  /// Rises with each look for something to send: `latest` messages queued between two looks stand side by side.
  private var turn: UInt32 = 0
  /// The room for frames in a full packet, when one was filled last.
  var fullRoom = 1000

  /// Whether ordered messages that were acknowledged are kept until all before them are (`undelivered`): beyond
  /// `queuedBytes`, no more than the peer's credit.
  var keepsBehindGaps = false

  var expiries = Heap<Expiry>()
  /// Messages that may still expire.
  var liveExpiries = 0
  /// Messages given up of which the peer is to be told.
  var skips = Deque<(stream: Int, sequence: UInt64)>()
  /// Unreliable messages that arrived and of which no receipt has come, and until when to wait for one.
  var receiptDeadlines = Deque<ReceiptDeadline>()
  /// How long that is; the session knows better once it knows the round trip.
  var receiptPatience = Duration.seconds(1)
  var outcomes = Deque<(token: UInt64, outcome: DeliveryOutcome)>()
  var copies = CopyCandidates()
  var counters = DeliveryCounters()

  init(credit: UInt64, streamCredit: UInt64, pieceMessageLimit: Int) {
    self.credit = CreditAllowance(limit: credit)
    self.streamCredit = streamCredit
    self.pieceMessageLimit = pieceMessageLimit
  }

  mutating func prefetchIndex() { index.prefetch() }

  // MARK: Queueing

  mutating func enqueue(_ content: consuming [UInt8], _ options: MessageOptions, now: Instant) {
    if let expires = options.expires, expires <= now {
      counters.expiredMessages += 1
      if let token = options.receipt { outcomes.append((token, .expired)) }
      return
    }
    let stream = findOrAdd(options.stream)
    if options.delivery == .latest { supersede(stream) }
    let lane = streams[stream].lane(for: options.priority)
    if let expires = options.expires {
      expiries.insert(Expiry(at: expires, place: UInt16(lane), number: lanes[lane].nextNumber, kind: .waiting))
      liveExpiries += 1
    }
    queuedBytes += Channels.cost(content.count)
    lanes[lane].append(content, options)
    queuedMessages += 1
    enroll(lane)
  }

  /// A newer message takes the place of those that were queued in earlier turns (PROTOCOL §9.3).
  private mutating func supersede(_ stream: Int) {
    guard streams[stream].turn != turn else { return }
    streams[stream].turn = turn
    for lane in streams[stream].lanes {
      while !lanes[lane].waiting.isEmpty {
        counters.supersededMessages += 1
        takeBack(lane, at: 0, as: .superseded)
      }
    }
  }

  /// What is queued from now on is newer than what was queued before.
  mutating func beginTurn() { turn &+= 1 }

  /// Takes back a message that has bytes never sent. One of a reliable stream must not have begun.
  mutating func takeBack(_ lane: Int, at place: Int, as outcome: DeliveryOutcome) {
    let message = lanes[lane].waiting[place]
    lanes[lane].kill(at: place)
    queuedBytes -= Channels.cost(message.total)
    queuedMessages -= 1
    if message.expires { removedExpiry() }
    if message.wantsReceipt {
      outcomes.append((message.token, outcome))
      if message.state == .begun { settleReceipt(lanes[lane].stream, of: message.sequence) }
    }
    unblock(lane)
  }

  // MARK: Lanes and streams

  func find(_ stream: StreamID) -> Int? { index.find(stream) }

  private mutating func findOrAdd(_ id: StreamID) -> Int {
    if let known = index.find(id) { return known }
    let limit = id.delivery.isReliable ? streamCredit : .max
    streams.append(SendStream(id: id, firstLane: lanes.count, credit: CreditAllowance(limit: limit)))
    streams[streams.count - 1].keepsBehindGaps = keepsBehindGaps && id.delivery == .reliableOrdered
    index.add(id)
    for _ in streams[streams.count - 1].lanes { lanes.append(Lane(stream: streams.count - 1)) }
    // Whatever is queued now is the first of it.
    streams[streams.count - 1].turn = turn
    return streams.count - 1
  }

  /// Puts a lane into the ring where it belongs.
  mutating func enroll(_ lane: Int) {
    guard let ring = lanes[lane].ring else { return }
    let bit = UInt8(1) << UInt8(ring)
    guard lanes[lane].rings & bit == 0 else { return }
    lanes[lane].rings |= bit
    schedule.add(lane, to: ring)
  }

  /// Takes a lane out of a ring, and puts it where it belongs now.
  mutating func moveOn(_ lane: Int, from position: Schedule.Position) {
    schedule.remove(at: position)
    lanes[lane].rings &= ~(UInt8(1) << UInt8(position.ring))
    enroll(lane)
  }

  mutating func block(_ lane: Int, _ reason: Lane.Block) {
    lanes[lane].block = reason
    if !blocked.contains(UInt16(lane)) { blocked.append(UInt16(lane)) }
  }

  /// What held it up has changed.
  mutating func unblock(_ lane: Int) {
    lanes[lane].block = .none
    enroll(lane)
  }

  /// Lets all lanes look again that waited for `reason`.
  mutating func unblockAll(_ reason: Lane.Block) {
    guard !blocked.isEmpty else { return }
    var kept = 0
    for i in blocked.indices {
      let lane = Int(blocked[i])
      if lanes[lane].block == reason {
        unblock(lane)
      } else if lanes[lane].block != .none {
        blocked[kept] = blocked[i]
        kept += 1
      }
    }
    blocked.removeLast(blocked.count - kept)
  }

  // MARK: Credit

  mutating func onMaxData(_ limit: UInt64) {
    if credit.raise(to: limit) { unblockAll(.credit) }
  }

  /// One for a stream on which nothing was sent says nothing.
  mutating func onMaxChannelData(_ frame: MaxChannelDataFrame) {
    guard let stream = find(frame.stream) else { return }
    if streams[stream].credit.raise(to: frame.limit) { unblockAll(.credit) }
  }
}

/// What happened to messages, for the app's statistics.
struct DeliveryCounters: Sendable, Equatable {
  /// Copies of messages that were sent while nothing said that they were lost, and how many of those were needed: the
  /// packet with the original was lost, the copy arrived.
  var copiesSent: UInt64 = 0
  var copiesNeeded: UInt64 = 0
  /// Bytes of messages that were sent again since they were lost.
  var retransmittedBytes: UInt64 = 0
  /// `latest` messages of ours that a newer one replaced before they were wholly sent.
  var supersededMessages: UInt64 = 0
  /// Messages of ours that expired before they were sent, or acknowledged.
  var expiredMessages: UInt64 = 0
  /// `latest` messages of the peer that came after a newer one.
  var lateMessages: UInt64 = 0
  /// Unreliable messages of ours of which a packet was lost.
  var lostMessages: UInt64 = 0
}
