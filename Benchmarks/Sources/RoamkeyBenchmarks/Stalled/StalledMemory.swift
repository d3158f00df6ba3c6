internal import Glibc
internal import Roamkey
internal import Synchronization

/// What the memory of a process may grow by, and what it grew by.
struct StalledMemory: Sendable {
  /// Beside the limits: code and tables that are touched for the first time, rings of sockets, pages that the allocator
  /// keeps. Measured, see Benchmarks/README.md.
  static let allowance = 4 << 20

  /// What the configuration lets it hold, in bytes.
  let limit: Int
  private(set) var before: Int
  /// While the reader stood still, at most and when it went on.
  private(set) var stalledPeak: Int
  private(set) var stalledEnd: Int
  /// Then, until all had arrived.
  private(set) var finalPeak: Int

  init(limit: Int, before: Int) {
    self.limit = limit
    self.before = before
    (stalledPeak, stalledEnd, finalPeak) = (before, before, before)
  }

  var growth: Int { max(stalledPeak, finalPeak) - before }
  var isKept: Bool { growth <= limit + Self.allowance }

  mutating func note(_ bytes: Int, isStalled: Bool) {
    if isStalled {
      stalledPeak = max(stalledPeak, bytes)
      stalledEnd = bytes
    } else {
      finalPeak = max(finalPeak, bytes)
    }
  }

  /// Of the sender: what waits for each player.
  static func serverLimit(_ configuration: RoamkeyConfiguration) -> Int { configuration.sendQueueLimit }

  /// Of the receiver: what waits for its app.
  static func clientLimit(_ configuration: RoamkeyConfiguration) -> Int {
    configuration.receiveCredit + configuration.unreadUnreliableLimit
  }
}

/// Looks at the memory of both processes ten times a second.
final class StalledWatch: Sendable {
  struct Books: Sendable {
    var server: StalledMemory
    var client: StalledMemory
    var samples = 0
  }

  private let books: Mutex<Books>
  private let client: pid_t
  let isOver = Latch()
  /// The reader goes on.
  let goesOn = Latch()

  init(client: pid_t, configuration: RoamkeyConfiguration) throws(BenchmarkFailure) {
    guard let own = residentBytes(of: getpid()), let other = residentBytes(of: client) else {
      throw BenchmarkFailure("the memory of a process cannot be read")
    }
    self.client = client
    books = Mutex(
      Books(
        server: StalledMemory(limit: StalledMemory.serverLimit(configuration), before: own),
        client: StalledMemory(limit: StalledMemory.clientLimit(configuration), before: other)))
  }

  var result: Books { books.withLock { $0 } }

  /// Samples until it is over; blocks.
  func run() {
    let ticks = Ticks(rate: 10, notBefore: .now, offset: 0)
    var tick = 0
    while !isOver.isSet {
      ticks[tick].sleep()
      tick += 1
      sample()
    }
  }

  func sample() {
    let isStalled = !goesOn.isSet
    let (own, other) = (residentBytes(of: getpid()), residentBytes(of: client))
    books.withLock { books in
      if let own { books.server.note(own, isStalled: isStalled) }
      if let other { books.client.note(other, isStalled: isStalled) }
      books.samples += 1
    }
  }
}
