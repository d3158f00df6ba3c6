import RoamkeyCrypto
import RoamkeyEngine
import RoamkeyWire

/// An engine and its app, with what must hold for it whatever comes in.
final class FuzzEngine {
  enum Kind {
    case server(ServerEndpoint)
    case client(ClientEndpoint)
  }

  /// What an app is handed of the engine's events.
  var onEvent: (EngineEvent) -> Void = { _ in }

  let kind: Kind
  private let handler: any DatagramHandler
  private var batch = DatagramBatch()
  private(set) var handle: SessionHandle?
  private(set) var hasJoined = false
  private(set) var hasEnded = false
  /// Signatures were verified ahead.
  private(set) var hasLookedAhead = false
  /// Reliable messages that the app has and has not taken yet.
  private(set) var unread: [(credit: Int, stream: StreamID)] = []
  private var mail = ReceivedMail()
  private let configuration: RoamkeyConfiguration

  /// Nothing that a peer says makes an engine send so much at one moment.
  private static let mostAtOnce = 6000

  init(_ kind: Kind, configuration: RoamkeyConfiguration) {
    self.kind = kind
    self.configuration = configuration
    switch kind {
    case .server(let endpoint): handler = endpoint
    case .client(let endpoint): handler = endpoint
    }
  }

  // MARK: Getters

  func statistics(now: Instant) -> SessionStatistics? {
    switch kind {
    case .server(let endpoint): handle.flatMap { endpoint.statistics(of: $0, now: now) }
    case .client(let endpoint): endpoint.sessionStatistics(now: now)
    }
  }

  var queuedBytes: Int {
    switch kind {
    case .server(let endpoint): handle.map { endpoint.queuedBytes(of: $0) } ?? 0
    case .client(let endpoint): endpoint.queuedBytes
    }
  }

  private var eventCount: Int {
    switch kind {
    case .server(let endpoint): endpoint.eventCount
    case .client(let endpoint): endpoint.eventCount
    }
  }

  var isIdle: Bool {
    switch kind {
    case .server(let endpoint): endpoint.isIdle
    case .client(let endpoint): endpoint.isIdle
    }
  }

  // MARK: Datagrams

  /// What must not change by what nobody can have sent who has the keys.
  private struct Snapshot: Equatable {
    var statistics: SessionStatistics?
    var queuedBytes: Int
    var eventCount: Int
  }

  private func snapshot(now: Instant) -> Snapshot {
    Snapshot(statistics: statistics(now: now), queuedBytes: queuedBytes, eventCount: eventCount)
  }

  /// - Parameter isForged: it is not authentic, so that nothing may come of it for the session.
  func receive(_ datagram: [UInt8], path: NetworkPath, isForged: Bool = false, now: Instant) {
    let before = isForged && hasJoined ? snapshot(now: now) : nil
    receive([(datagram, path)], now: now)
    if let before {
      let after = snapshot(now: now)
      precondition(after == before, "what is not authentic has changed a session: \(before), then \(after)")
    }
    drain()
  }

  /// A batch, as a driver hands it over; each datagram in memory of just its size, so that a sanitizer sees what is read
  /// beyond its end.
  func receive(_ datagrams: [(bytes: [UInt8], path: NetworkPath)], now: Instant) {
    let memory = datagrams.map { datagram in
      let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: datagram.bytes.count, alignment: 1)
      copy.copyBytes(from: datagram.bytes)
      return copy
    }
    defer { for copy in memory { copy.deallocate() } }
    handler.expect(memory.count) { UnsafeRawBufferPointer(memory[$0]) }
    let looksAhead = handler.looksAhead
    if looksAhead {
      for copy in memory { handler.lookAhead(at: copy.bytes) }
      handler.beginBatch()
      hasLookedAhead = true
    }
    for (copy, datagram) in zip(memory, datagrams) {
      var span = MutableRawSpan(_unsafeBytes: copy)
      handler.receive(&span, path: datagram.path, now: now)
    }
    if looksAhead { handler.endBatch() }
  }

  /// Takes all that the engine has to send now.
  func flush(now: Instant, _ take: ([UInt8], NetworkPath) -> Void) {
    var count = 0
    repeat {
      batch.removeAll()
      handler.fill(&batch, now: now)
      count += batch.count
      precondition(count < Self.mostAtOnce, "the engine sends without end")
      for place in 0..<batch.count {
        let bytes = Array(batch.bytes(place))
        precondition(!bytes.isEmpty && bytes.count <= maximumDatagramSize, "a datagram of \(bytes.count) bytes")
        take(bytes, batch.path(place))
      }
    } while batch.isFull
    drain()
  }

  /// Lets time pass, in steps of what the engine waits for.
  func pass(to end: Instant, from start: Instant, _ take: (Instant, [UInt8], NetworkPath) -> Void) {
    var now = start
    var idle = 0
    while let next = handler.nextTimeout, next <= end {
      idle = next > now ? 0 : idle + 1
      precondition(idle < 100, "the engine's timer does not get on")
      now = max(now, next)
      handler.handleTimeout(now: now)
      flush(now: now) { take(now, $0, $1) }
    }
  }

  // MARK: The app

  func send(_ content: [UInt8], _ options: MessageOptions, now: Instant) -> Bool {
    do throws(SendError) {
      switch kind {
      case .server(let endpoint):
        guard let handle else { return false }
        try endpoint.send(content, options, to: handle, now: now)
      case .client(let endpoint): try endpoint.send(content, options, now: now)
      }
      let limit = configuration.sendQueueLimit + configuration.messageLimit + 1024
      precondition(queuedBytes <= limit, "the queue holds more than it may: \(queuedBytes)")
      return true
    } catch {
      return false
    }
  }

  /// Gives credit back for the oldest messages.
  func consume(_ count: Int, now: Instant) {
    for (credit, stream) in unread.prefix(count) {
      switch kind {
      case .server(let endpoint):
        if let handle { endpoint.consumed(credit, stream: stream, of: handle, now: now) }
      case .client(let endpoint): endpoint.consumed(credit, stream: stream, now: now)
      }
    }
    unread.removeFirst(min(count, unread.count))
  }

  func close(now: Instant) {
    switch kind {
    case .server(let endpoint):
      if let handle { endpoint.close(handle, code: .kicked, reason: "enough", now: now) }
    case .client(let endpoint): endpoint.close(afterDelivery: false, now: now)
    }
  }

  func setResting(_ isResting: Bool, now: Instant) {
    switch kind {
    case .server(let endpoint): if let handle { endpoint.setResting(isResting, of: handle, now: now) }
    case .client(let endpoint): endpoint.setResting(isResting, now: now)
    }
  }

  func flushBundles(now: Instant) {
    switch kind {
    case .server(let endpoint): endpoint.flush(now: now)
    case .client(let endpoint): endpoint.flush(now: now)
    }
  }

  func networkChanged(_ view: NetworkView, now: Instant) { handler.networkChanged(view, now: now) }

  // MARK: Events

  func drain() {
    while let event = next() {
      note(event)
      onEvent(event)
    }
  }

  private func next() -> EngineEvent? {
    switch kind {
    case .server(let endpoint): endpoint.takeEvent()
    case .client(let endpoint): endpoint.takeEvent()
    }
  }

  private func note(_ event: EngineEvent) {
    switch event {
    case .joined(let handle, _, _):
      self.handle = handle
      hasJoined = true
      hasEnded = false
      mail = ReceivedMail()
      unread = []
    case .message(let handle, let message):
      precondition(hasJoined && !hasEnded && handle == self.handle, "a message outside of its session")
      mail.check(message)
      if message.stream.delivery.isReliable { unread.append((message.credit, message.stream)) }
      let owed = unread.reduce(0) { $0 + $1.credit }
      precondition(UInt64(owed) <= configuration.creditWindow, "more messages than were granted: \(owed)")
    case .left(let handle, _):
      guard handle == self.handle else { break }
      precondition(!hasEnded, "a session ends twice")
      hasEnded = true
    case .connectFailed: hasEnded = true
    case .reset: hasJoined = false
    case .roamed, .offline, .online, .receipt, .searching: break
    }
  }
}

/// What is promised of messages to the app that gets them, whoever sends them.
struct ReceivedMail {
  private var last: [StreamID: UInt64] = [:]
  private var seen: [StreamID: Set<UInt64>] = [:]

  mutating func check(_ message: InboundMessage) {
    let (stream, sequence) = (message.stream, message.sequence)
    switch stream.delivery {
    case .reliableOrdered, .latest:
      if let last = last[stream] { precondition(sequence > last, "\(stream) goes back from \(last) to \(sequence)") }
      last[stream] = sequence
    case .reliableUnordered:
      precondition(seen[stream, default: []].insert(sequence).inserted, "\(stream) brings \(sequence) twice")
    case .unreliable: break
    }
    precondition((message.credit > 0) == stream.delivery.isReliable, "credit for what has none")
  }
}
