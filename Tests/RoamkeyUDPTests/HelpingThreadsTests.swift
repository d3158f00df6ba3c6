import Dispatch
import RoamkeyCrypto
import RoamkeyEngine
import Synchronization
import TestSupport
import Testing

@testable import RoamkeyUDP

/// Threads that verify signatures for each other.
@Suite(.realTime, .timeLimit(.minutes(40)))
struct HelpingThreadsTests {
  /// Signatures of one player, every third of which is not good.
  private static func tasks(_ count: Int) -> [Verification] {
    let key = PlayerKey.generate()
    return (0..<count).map { i in
      let root = Digest([UInt8(i & 0xff), UInt8(i >> 8)] + [UInt8](repeating: 7, count: 30))
      let signature = SignatureTrailer.withSignedBytes(depth: i % 3 == 0 ? 1 : 0, root: root) { key.sign($0) }
      return Verification(signer: key.id, depth: 0, root: root, signature: signature)
    }
  }

  /// - Returns: how many others have verified; nil where a verdict is not what it should be.
  private static func verify(_ count: Int, of tasks: [Verification], by member: HelpingThreads.Member) -> Int? {
    var tasks = Array(tasks.prefix(count))
    let helped = tasks.withUnsafeMutableBufferPointer { member.verify($0) }
    let isRight = tasks.indices.allSatisfy { tasks[$0].isGood == ($0 % 3 != 0) }
    return isRight && (0...count).contains(helped) ? helped : nil
  }

  /// Drivers for all but the first `owners`, which have nothing to do but to help.
  private static func crew(_ count: Int, owners: Int = 1) throws -> (threads: HelpingThreads, drivers: [EchoDriver]) {
    let inboxes = try (0..<count).map { _ in try DatagramInbox() }
    let threads = HelpingThreads(inboxes)
    let drivers = try (owners..<count).map { i in
      try EchoDriver(
        bind: .loopback(1), name: "helper", inbox: inboxes[i], helper: threads.member(i),
        handler: EchoHandler(log: .init(), echoes: true), onTurn: { _, _ in })
    }
    return (threads, drivers)
  }

  /// Runs `body` on threads of their own, at the same time, and waits for all of them.
  private static func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) async {
    await withTaskGroup(of: Void.self) { group in
      for i in 0..<count {
        group.addTask {
          await withCheckedContinuation { done in
            DispatchQueue(label: "owner \(i)").async {
              body(i)
              done.resume()
            }
          }
        }
      }
    }
  }

  /// Who is busy is not asked; with nobody else there is nobody to ask.
  @Test(arguments: [1, 4]) func alone(count: Int) throws {
    let (threads, _) = try Self.crew(count, owners: count)
    let tasks = Self.tasks(100)
    #expect(!threads.member(0).hasIdleHelpers)
    for size in [0, 1, 2, 100] { #expect(Self.verify(size, of: tasks, by: threads.member(0)) == 0) }
  }

  /// Sleeping threads take their part, and all verdicts are right, batch after batch.
  @Test(arguments: [1, 3]) func helpersTakeTheirPart(helpers: Int) async throws {
    let (threads, drivers) = try Self.crew(helpers + 1)
    let (member, tasks) = (threads.member(0), Self.tasks(256))
    try await eventually("they sleep") { member.hasIdleHelpers }
    let helped = Atomic(0)
    let wrong = Atomic(0)
    await Self.onThreads(1) { _ in
      for round in 0..<60 {
        let found = Self.verify([256, 32, 4, 1][round % 4], of: tasks, by: member)
        if let found { helped.add(found, ordering: .relaxed) } else { wrong.add(1, ordering: .relaxed) }
      }
    }
    #expect(wrong.load(ordering: .relaxed) == 0)
    #expect(helped.load(ordering: .relaxed) > 0)
    try await eventually("they sleep again") { member.hasIdleHelpers }
    for driver in drivers { driver.stop() }
    #expect(!member.hasIdleHelpers, "whoever has gone is not asked")
    #expect(Self.verify(256, of: tasks, by: member) == 0)
  }

  /// Several have work at the same time, and help each other only where they sleep.
  @Test func severalOwners() async throws {
    let (threads, drivers) = try Self.crew(5, owners: 3)
    let tasks = Self.tasks(64)
    let wrong = Atomic(0)
    await Self.onThreads(3) { owner in
      for round in 0..<60 where Self.verify(64 >> (round % 5), of: tasks, by: threads.member(owner)) == nil {
        wrong.add(1, ordering: .relaxed)
      }
    }
    #expect(wrong.load(ordering: .relaxed) == 0)
    for driver in drivers { driver.stop() }
  }

  /// A thread that ends, or has datagrams of its own, while it helps: the owner waits for nothing that does not come.
  @Test func helpersThatStop() async throws {
    let tasks = Self.tasks(256)
    for _ in 0..<5 {
      let (threads, drivers) = try Self.crew(3)
      try await eventually("they sleep") { threads.member(0).hasIdleHelpers }
      let started = Atomic(0)
      let wrong = Atomic(0)
      async let owner: Void = Self.onThreads(1) { _ in
        for _ in 0..<8 {
          started.add(1, ordering: .relaxed)
          if Self.verify(256, of: tasks, by: threads.member(0)) == nil { wrong.add(1, ordering: .relaxed) }
        }
      }
      drivers[0].perform { handler, _ in handler.send("hello", to: drivers[1].localAddress) }
      try await eventually("it has begun") { started.load(ordering: .relaxed) > 1 }
      for driver in drivers { driver.stop() }
      await owner
      #expect(wrong.load(ordering: .relaxed) == 0)
    }
  }
}
