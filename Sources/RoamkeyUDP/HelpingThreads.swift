package import RoamkeyEngine
internal import Synchronization

/// The threads of one server, which verify signatures for each other while they have nothing else to do
/// (docs/decisions/0024-verifying-ahead.md).
///
/// Each says when it sleeps. Who has a batch of signatures lays them out on a bench of its own, and rings for some of
/// those that sleep; they take part until nothing is left there, or they have datagrams themselves. Whoever is awake is
/// not asked, and does not look.
package final class HelpingThreads: Sendable {
  /// One of them: what a thread's endpoint has its signatures verified by, and what its loop is called by.
  package struct Member: VerificationBoard {
    let threads: HelpingThreads
    let index: Int
  }

  /// What the others know of a thread.
  private final class Place: Sendable {
    let bench = VerificationBench()
    let bell: Bell
    let state = Atomic<Int>(State.busy)

    init(bell: Bell) { self.bell = bell }
  }

  /// A number from `calledBy` on: by the thread with the rest as its index.
  private enum State {
    static let busy = 0
    static let asleep = 1
    static let calledBy = 2
  }

  private let places: [Place]
  /// Signatures for which it is worth waking somebody.
  private static let sharePerHelper = 2
  /// So many a helper verifies between two looks at its own datagrams.
  private static let turn = 4

  /// - Parameter inboxes: of all drivers, whose bells wake them.
  package init(_ inboxes: [DatagramInbox]) {
    places = inboxes.map { Place(bell: $0.bell) }
  }

  package func member(_ index: Int) -> Member {
    precondition(places.indices.contains(index), "there is a thread for each inbox")
    return Member(threads: self, index: index)
  }
}

extension HelpingThreads.Member {
  // MARK: For its endpoint

  package var hasIdleHelpers: Bool {
    threads.places.indices.contains { $0 != index && threads.isAsleep($0) }
      && threads.places[index].bench.record.mayAsk()
  }

  package func verify(_ tasks: UnsafeMutableBufferPointer<Verification>) -> Int {
    guard !tasks.isEmpty else { return 0 }
    let bench = threads.places[index].bench
    bench.open(tasks)
    let start = Instant.current
    let isHelped = threads.call(for: index, atMost: tasks.count / HelpingThreads.sharePerHelper)
    return bench.finish(tasks.count, since: isHelped ? start : nil)
  }

  // MARK: For its loop

  /// The thread is about to sleep: it may be called.
  func fallAsleep() {
    threads.places[index].state.store(HelpingThreads.State.asleep, ordering: .sequentiallyConsistent)
  }

  /// It is awake.
  /// - Returns: who has called it.
  func wake() -> Int? {
    let before = threads.places[index].state.exchange(HelpingThreads.State.busy, ordering: .acquiringAndReleasing)
    return before >= HelpingThreads.State.calledBy ? before - HelpingThreads.State.calledBy : nil
  }

  /// Verifies some signatures of another thread.
  /// - Returns: whether there may be more.
  func help(_ other: Int) -> Bool { threads.places[other].bench.help(atMost: HelpingThreads.turn) }
}

extension HelpingThreads {
  fileprivate func isAsleep(_ index: Int) -> Bool { places[index].state.load(ordering: .relaxed) == State.asleep }

  /// Wakes as many of those that sleep.
  /// - Returns: whether there was any.
  fileprivate func call(for caller: Int, atMost limit: Int) -> Bool {
    var called = 0
    for step in 1..<max(places.count, 1) where called < limit {
      let place = places[(caller + step) % places.count]
      let (isCalled, _) = place.state.compareExchange(
        expected: State.asleep, desired: State.calledBy + caller, ordering: .acquiringAndReleasing)
      guard isCalled else { continue }
      place.bell.ring()
      called += 1
    }
    return called > 0
  }
}
