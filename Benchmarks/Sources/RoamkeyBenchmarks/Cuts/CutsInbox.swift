internal import Roamkey
internal import Synchronization

/// What one side's app was told, held against the promises as it comes.
struct CutsInbox: Sendable {
  struct Arrival: Sendable {
    var stream: CutsStream
    var sentAt: Monotonic
    var at: Monotonic
  }

  private var logs: [CutsStream: DeliveryLog]
  private(set) var arrivals: [Arrival] = []
  /// When the other side was told to be offline, and online again.
  private(set) var offline: [Monotonic] = []
  private(set) var online: [Monotonic] = []
  private(set) var joins = 0
  /// The first promise that was broken.
  private(set) var failure: BenchmarkFailure?

  init() {
    logs = Dictionary(uniqueKeysWithValues: CutsStream.allCases.map { ($0, DeliveryLog($0.promise)) })
  }

  func count(_ stream: CutsStream) -> Int { logs[stream]?.count ?? 0 }

  /// Whether all that is reliable has come.
  func isComplete(_ sent: [CutsStream: Int]) -> Bool {
    CutsStream.allCases.allSatisfy { !$0.promise.isReliable || count($0) == sent[$0, default: 0] }
  }

  // MARK: What is told

  mutating func receive(_ message: Message, at now: Monotonic) {
    guard let stream = CutsStream(rawValue: message.action) else {
      return fail("a message `\(message.action)` arrived, which nobody sent")
    }
    do throws(BenchmarkFailure) {
      guard let taken = try logs[stream]?.receive(message.body, at: now) else { return }
      arrivals.append(Arrival(stream: stream, sentAt: taken.sentAt, at: now))
    } catch {
      fail("\(stream): \(error)")
    }
  }

  mutating func noteOffline(at now: Monotonic) {
    if offline.count != online.count { fail("offline was told twice in a row") }
    offline.append(now)
  }

  mutating func noteOnline(at now: Monotonic) {
    if offline.count != online.count + 1 { fail("online was told without offline before it") }
    online.append(now)
  }

  mutating func noteJoin() {
    joins += 1
    if joins > 1 { fail("the player joined a second time: a new session") }
  }

  mutating func noteRenewal() { fail("the session was lost, and another one begun") }

  mutating func noteEnd(_ reason: EndReason) { fail("the session has ended: \(reason)") }

  private mutating func fail(_ what: String) { failure = failure ?? BenchmarkFailure(what) }

  // MARK: After a cut

  /// How long after `end` the first message of any kind came.
  func firstArrival(after end: Monotonic) -> Duration? {
    arrivals.first { $0.at >= end }.map { $0.at - end }
  }

  /// How long after `end` the moves were up to date again: the first one came that was sent after it, and so, in order,
  /// all that had waited.
  func caughtUp(after end: Monotonic) -> Duration? {
    arrivals.first { $0.stream == .moves && $0.sentAt >= end }.map { $0.at - end }
  }
}

/// The inbox of a side, for its reader and for those who look at it meanwhile.
final class CutsSide: Sendable {
  private let inbox = Mutex(CutsInbox())

  var snapshot: CutsInbox { inbox.withLock { $0 } }

  func isComplete(_ sent: [CutsStream: Int]) -> Bool { inbox.withLock { $0.isComplete(sent) } }

  var failure: BenchmarkFailure? { inbox.withLock { $0.failure } }

  func read(_ server: Server) async {
    for await event in server.events {
      inbox.withLock { inbox in
        switch event {
        case .joined: inbox.noteJoin()
        case .message(let message, _): inbox.receive(message, at: .now)
        case .offline: inbox.noteOffline(at: .now)
        case .online: inbox.noteOnline(at: .now)
        case .left(_, let reason): inbox.noteEnd(reason)
        case .roamed: break
        }
      }
    }
  }

  func read(_ client: Client) async {
    for await event in client.events {
      inbox.withLock { inbox in
        switch event {
        case .message(let message): inbox.receive(message, at: .now)
        case .offline: inbox.noteOffline(at: .now)
        case .online: inbox.noteOnline(at: .now)
        case .reconnected: inbox.noteRenewal()
        case .disconnected(let reason): inbox.noteEnd(reason)
        case .roamed, .serverRoamed: break
        }
      }
    }
  }
}
