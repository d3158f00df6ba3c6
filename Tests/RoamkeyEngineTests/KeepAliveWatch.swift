import Testing

@testable import RoamkeyEngine

/// One side's keep-alive, with a session around it that does what it is told, in virtual time.
struct KeepAliveWatch {
  enum Entry: Equatable {
    case ping(Int64)
    case offline(Int64)
    case end(Int64)
  }

  var keepAlive: KeepAlive
  var packets = KeepAlive.Packets(lastAckElicitingSent: nil, isAnswerAwaited: false)
  /// Whether the peer is there, and answers at once.
  var isPeerThere = true
  /// What was done, with milliseconds from the start.
  var log: [Entry] = []
  var now = at(0)
  var isEnded = false

  init(_ configuration: RoamkeyConfiguration = RoamkeyConfiguration()) {
    keepAlive = KeepAlive(configuration, now: at(0))
  }

  var milliseconds: Int64 { now.nanoseconds / 1_000_000 }

  mutating func run(until end: Int64) {
    while !isEnded, keepAlive.nextTimeout(packets) <= at(end) {
      now = max(now, keepAlive.nextTimeout(packets))
      let action = keepAlive.takeDue(packets, now: now)
      switch action {
      case .nothing: Issue.record("a timer for nothing at \(milliseconds) ms")
      case .ping:
        log.append(.ping(milliseconds))
        send()
      case .offline:
        log.append(.offline(milliseconds))
        send()
      case .end:
        log.append(.end(milliseconds))
        isEnded = true
      }
      guard isEnded || keepAlive.nextTimeout(packets) > now, log.count < 5000 else {
        Issue.record("a loop at \(milliseconds) ms after \(action)")
        return
      }
    }
    now = max(now, at(end))
  }

  /// Something ack-eliciting leaves, and is answered if anybody is there.
  mutating func send() {
    packets.lastAckElicitingSent = now
    packets.isAnswerAwaited = true
    if isPeerThere { hear() }
  }

  mutating func message() {
    keepAlive.onAppTraffic(now: now)
    send()
  }

  mutating func hear() {
    packets.isAnswerAwaited = false
    _ = keepAlive.onHeard(now: now)
  }
}
