import DequeModule
import RoamkeyCrypto
import RoamkeyWire

/// The receiving half of all streams: puts pieces together, and hands messages out as their mode promises.
struct Incoming: Sendable {
  /// A message for the app.
  struct Ready: Sendable {
    let stream: StreamID
    let sequence: UInt64
    let content: [UInt8]
    let credit: Int
  }

  private(set) var streams: [ReceiveStream] = []
  private var index = StreamIndex()
  private var ready = Deque<Ready>()
  /// Reliable messages with pieces missing.
  private(set) var incomplete = 0
  private(set) var transients: TransientMessages

  /// What the whole session may use, and what each reliable stream of it.
  private(set) var window: CreditWindow
  private let streamWindow: UInt64
  /// Streams that owe the peer a new limit.
  private var listed = Deque<UInt16>()
  private(set) var owedReceipts = Deque<ReceiptFrame>()

  private let maximumSize: Int
  private let partialLimit: Int
  /// `latest` messages that came after a newer one.
  private(set) var lateMessages: UInt64 = 0

  /// Ranges of receipts that are owed, at most; the oldest go. Messages that follow each other make one.
  static let receiptLimit = 4096

  /// - Parameters:
  ///   - maximumSize: of a message's content.
  ///   - partialLimit: how many reliable messages may have pieces missing.
  init(maximumSize: Int, partialLimit: Int, window: UInt64, streamWindow: UInt64) {
    self.maximumSize = maximumSize
    self.partialLimit = partialLimit
    self.window = CreditWindow(size: window)
    self.streamWindow = streamWindow
    transients = TransientMessages(longestMessage: maximumSize)
  }

  mutating func prefetch() {
    prefetchStorage(of: &streams, bytes: 192)
    prefetchStorage(of: &ready, bytes: 128)
    index.prefetch()
  }

  // MARK: Messages

  mutating func receive(_ frame: MessageFrame, _ payload: RawSpan, now: Instant) throws(ChannelError) {
    guard frame.total <= UInt64(maximumSize) else { throw .limitExceeded }
    let stream = findOrAdd(frame.stream)
    if frame.stream.delivery.isReliable {
      try receiveReliable(stream, frame, payload)
    } else {
      try receiveUnreliable(stream, frame, payload, now: now)
    }
  }

  private mutating func receiveReliable(
    _ stream: Int, _ frame: MessageFrame, _ payload: RawSpan
  ) throws(ChannelError) {
    let sequence = frame.sequence
    guard streams[stream].settled.reaches(sequence) else { throw .limitExceeded }
    guard !streams[stream].settled.contains(sequence) else { return }
    let isNext = frame.stream.delivery == .reliableUnordered || sequence == streams[stream].settled.floor
    if isNext, frame.bytes.count == Int(frame.total),
      streams[stream].waiting.isEmpty || streams[stream].waiting[sequence] == nil
    {
      try count(stream, Channels.cost(frame.bytes.count))
      handOut(stream, sequence, payload.array(frame.bytes))
    } else {
      try addPiece(stream, frame, payload)
    }
    handOutWaiting(stream)
    decide(stream)
  }

  /// Keeps what may not be handed out yet; all of it that is new costs credit.
  private mutating func addPiece(_ stream: Int, _ frame: MessageFrame, _ payload: RawSpan) throws(ChannelError) {
    let sequence = frame.sequence
    let total = Int(frame.total)
    var message = PartialMessage(total: total)
    var isNew = true
    if let known = streams[stream].waiting.removeValue(forKey: sequence) {
      guard known.total == total else { throw .contradiction }
      message = known
      isNew = false
    }
    let wasComplete = !isNew && message.isComplete
    let new = try message.insert(payload.extracting(frame.bytes), offset: Int(frame.offset))
    try count(stream, new + (isNew ? MessageContent.creditOverhead : 0))
    if isNew { incomplete += 1 }
    if message.isComplete, !wasComplete { incomplete -= 1 }
    guard incomplete <= partialLimit else { throw .limitExceeded }
    let isDone = message.isComplete
    streams[stream].waiting[sequence] = consume message
    guard isDone else { return }
    if frame.stream.delivery == .reliableUnordered { handOutPartial(stream, sequence) }
  }

  /// Hands out what is complete and in order now.
  private mutating func handOutWaiting(_ stream: Int) {
    guard !streams[stream].waiting.isEmpty, streams[stream].id.delivery == .reliableOrdered else { return }
    while streams[stream].waiting[streams[stream].settled.floor]?.isComplete == true {
      handOutPartial(stream, streams[stream].settled.floor)
    }
  }

  private mutating func handOutPartial(_ stream: Int, _ sequence: UInt64) {
    guard let message = streams[stream].waiting.removeValue(forKey: sequence) else { return }
    handOut(stream, sequence, message.prefix)
  }

  private mutating func handOut(_ stream: Int, _ sequence: UInt64, _ content: consuming [UInt8]) {
    let cost = Channels.cost(content.count)
    window.deliver(cost)
    streams[stream].window.deliver(cost)
    streams[stream].settled.insert(sequence)
    ready.append(Ready(stream: streams[stream].id, sequence: sequence, content: content, credit: cost))
  }

  private mutating func receiveUnreliable(
    _ stream: Int, _ frame: MessageFrame, _ payload: RawSpan, now: Instant
  ) throws(ChannelError) {
    let isLatest = frame.stream.delivery == .latest
    guard !isLatest || frame.sequence >= streams[stream].settled.floor else {
      if frame.offset == 0 { lateMessages += 1 }
      return
    }
    let content: [UInt8]
    if frame.bytes.count == Int(frame.total) {
      content = payload.array(frame.bytes)
    } else {
      guard let complete = try transients.insert(frame, payload, now: now) else { return }
      content = complete
    }
    if isLatest {
      streams[stream].settled.raise(to: frame.sequence + 1)
      transients.drop(frame.stream, below: frame.sequence)
    }
    ready.append(Ready(stream: frame.stream, sequence: frame.sequence, content: content, credit: 0))
  }

  mutating func takeMessage() -> Ready? { ready.popFirst() }

  @inline(__always)
  var nextTimeout: Instant? { transients.nextTimeout }

  mutating func handleTimeout(now: Instant) { transients.expire(now: now) }

  // MARK: Giving up

  /// The sender has given a message up: what it has cost counts as if the app had taken it.
  mutating func receive(_ frame: SkipFrame) throws(ChannelError) {
    let stream = findOrAdd(frame.stream)
    guard streams[stream].settled.reaches(frame.sequence) else { throw .limitExceeded }
    guard !streams[stream].settled.contains(frame.sequence) else { return }
    let known = streams[stream].waiting[frame.sequence]
    let counted = known.map { Channels.cost($0.received) } ?? 0
    // What it costs is at least the overhead, and no more than if all of it had been sent.
    guard frame.credit >= UInt64(max(counted, MessageContent.creditOverhead)),
      frame.credit <= UInt64(Channels.cost(known?.total ?? maximumSize))
    else { throw .contradiction }
    let cost = Int(frame.credit)
    try count(stream, cost - counted)
    if let known {
      if !known.isComplete { incomplete -= 1 }
      streams[stream].waiting[frame.sequence] = nil
    }
    window.deliver(cost)
    streams[stream].window.deliver(cost)
    streams[stream].settled.insert(frame.sequence)
    handOutWaiting(stream)
    consume(stream, cost)
  }

  // MARK: Receipts

  /// A message whose sender had asked for a receipt was handed to the app.
  mutating func onHandedOver(_ stream: StreamID, _ sequence: UInt64) {
    // Several streams may take turns; each goes on where it was, if that was not long ago.
    for i in owedReceipts.indices.suffix(4).reversed()
    where owedReceipts[i].stream == stream && owedReceipts[i].sequences.upperBound + 1 == sequence {
      owedReceipts[i].sequences = owedReceipts[i].sequences.lowerBound...sequence
      return
    }
    owe(ReceiptFrame(stream: stream, sequences: sequence...sequence))
  }

  /// Receipts are to be told, again or for the first time. What waits already is not told twice: probes say again what
  /// is still under way, and when all of it is lost it would grow from probe to probe.
  mutating func owe(_ frame: ReceiptFrame) {
    guard !owedReceipts.contains(frame) else { return }
    if owedReceipts.count == Self.receiptLimit { owedReceipts.removeFirst() }
    owedReceipts.append(frame)
  }

  mutating func takeReceipt() -> ReceiptFrame? { owedReceipts.popFirst() }

  // MARK: Credit

  /// Whether a frame about credit or receipts is due.
  var owesControl: Bool { window.owes || !listed.isEmpty || !owedReceipts.isEmpty }

  /// The new limit for the whole session, if the peer is to be told.
  mutating func takeLimit() -> UInt64? { window.owes ? window.takeLimit() : nil }

  /// A stream's new limit, if the peer is to be told one.
  mutating func takeStreamLimit() -> MaxChannelDataFrame? {
    guard let stream = listed.popFirst().map(Int.init) else { return nil }
    streams[stream].isListed = false
    return MaxChannelDataFrame(stream: streams[stream].id, limit: streams[stream].window.takeLimit())
  }

  mutating func onLimitLost() { window.onLimitLost() }

  mutating func onLimitLost(of id: StreamID) {
    guard let stream = index.find(id) else { return }
    streams[stream].window.onLimitLost()
    list(stream)
  }

  /// The app has taken messages of a stream worth `credit`.
  mutating func onConsumed(_ credit: Int, of id: StreamID) {
    guard credit > 0 else { return }
    if let stream = index.find(id) {
      consume(stream, credit)
    } else {
      window.consume(credit)
      window.decide()
    }
  }

  private mutating func consume(_ stream: Int, _ cost: Int) {
    window.consume(cost)
    streams[stream].window.consume(cost)
    decide(stream)
  }

  /// What has arrived counts for the session and for its stream.
  private mutating func count(_ stream: Int, _ cost: Int) throws(ChannelError) {
    try window.receive(cost)
    try streams[stream].window.receive(cost)
  }

  private mutating func decide(_ stream: Int) {
    window.decide()
    streams[stream].window.decide()
    list(stream)
  }

  private mutating func list(_ stream: Int) {
    guard streams[stream].window.owes, !streams[stream].isListed else { return }
    streams[stream].isListed = true
    listed.append(UInt16(stream))
  }

  // MARK: Streams

  private mutating func findOrAdd(_ id: StreamID) -> Int {
    if let known = index.find(id) { return known }
    streams.append(ReceiveStream(id: id, window: streamWindow))
    index.add(id)
    return streams.count - 1
  }
}
