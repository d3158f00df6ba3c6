internal import Glibc
internal import RoamkeyEngine
internal import RoamkeySockets
internal import Synchronization

/// Where one thread lays out signatures for others to verify with it, a batch at a time.
///
/// Its owner and its helpers take tasks one by one. The owner goes on when all that were taken are done, so that
/// whoever comes late finds nothing to take, and nobody ever looks at the memory of a batch that is over.
///
/// `@unchecked`, because `tasks` is written before the claims are opened, and read only by whoever has claimed one; and
/// `record` is touched by the owner alone.
final class VerificationBench: @unchecked Sendable {
  /// How many tasks there are, in the upper half, and how many have been taken. A claim that is read here and made in
  /// a later batch is as good as any of that batch.
  private let claims = Atomic<UInt64>(0)
  /// Tasks that helpers have finished, less those that the owner waits for once it has begun to.
  private let balance = Atomic<Int>(0)
  private let finished = Semaphore()
  private var tasks: UnsafeMutablePointer<Verification>?
  /// The owner's.
  var record = HelpRecord()

  /// Looks at the last claims for a few microseconds before the thread sleeps: as long as a verification takes.
  private static let looks = 1000

  // MARK: The owner

  /// Lays out `tasks`, of which there is at least one; nobody may be at work here.
  func open(_ tasks: UnsafeMutableBufferPointer<Verification>) {
    self.tasks = tasks.baseAddress
    claims.store(UInt64(tasks.count) << 32, ordering: .releasing)
  }

  /// Works at them, and waits for the others.
  /// - Parameter start: when help was asked for; nil where there was nobody to ask.
  /// - Returns: how many the helpers have verified.
  func finish(_ count: Int, since start: Instant?) -> Int {
    let before = Instant.ofThread
    var own = 0
    while work() { own += 1 }
    let spent = Instant.ofThread - before
    wait(for: count - own)
    if let start { record.note(count, own: own, processorTime: spent, elapsed: Instant.current - start) }
    return count - own
  }

  private func wait(for helped: Int) {
    var looks = 0
    while balance.load(ordering: .acquiring) != helped {
      looks += 1
      if looks > Self.looks {
        // Below zero whoever brings it back to zero is the last, and wakes us; at zero already, there is nobody.
        if balance.wrappingSubtract(helped, ordering: .acquiringAndReleasing).newValue != 0 { finished.wait() }
        return
      }
      roamkey_relax()
    }
    balance.store(0, ordering: .relaxed)
  }

  // MARK: Helpers

  /// Verifies at most `limit` signatures for the owner.
  /// - Returns: whether there may be more.
  func help(atMost limit: Int) -> Bool {
    for _ in 0..<limit {
      guard work() else { return false }
      // The last access to the batch: the owner may go on after it.
      if balance.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue == 0 { finished.signal() }
    }
    return true
  }

  /// Takes one task and does it; false where all are taken.
  private func work() -> Bool {
    var seen = claims.load(ordering: .acquiring)
    while true {
      let place = Int(seen & 0xffff_ffff)
      guard place < Int(seen >> 32) else { return false }
      let (isOurs, current) = claims.compareExchange(
        expected: seen, desired: seen + 1, successOrdering: .acquiringAndReleasing, failureOrdering: .acquiring)
      if isOurs {
        tasks?[place].run()
        return true
      }
      seen = current
    }
  }
}

/// Wakes one thread that waits, however early it is signalled.
///
/// `@unchecked` as in `Gate`.
private final class Semaphore: @unchecked Sendable {
  private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  init() {
    semaphore.initialize(to: sem_t())
    sem_init(semaphore, 0, 0)
  }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  func signal() { sem_post(semaphore) }

  func wait() {
    while sem_wait(semaphore) != 0 && errno == EINTR {}
  }
}

extension Instant {
  /// How much of a processor's time the calling thread has had.
  fileprivate static var ofThread: Instant {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }
}
