import Glibc
import RoamkeyEngine
import RoamkeyWire
import TestSupport
import Testing

@testable import RoamkeyUDP

/// A sandbox that knows no netlink: the driver carries datagrams as ever, and tells nothing of networks.
@Suite(
  .realTime, .timeLimit(.minutes(40)),
  .enabled(if: Sandbox.isPermitted, "seccomp filters are not allowed, or not known here"))
struct SandboxTests {
  @Test func withoutTheSocket() async throws {
    let server = try makeEcho(.loopback(1))
    let target = server.driver.localAddress
    let client = try Sandbox.inside(refusing: .netlinkSockets) {
      try makeEcho(.any(port: 0), echoes: false, mobility: .client, watches: [target])
    }
    client.driver.perform { handler, _ in handler.send("x", to: target) }
    try await eventually("it works") { client.log.texts == ["x"] }
    #expect(!client.driver.statistics.watchesNetworks && client.driver.statistics.networkLooksFailed == 0)
    #expect(client.log.view == nil)
  }

  /// The socket is there, and may not ask: nothing is told, rather than that there is no way.
  @Test func withoutAnswers() async throws {
    let server = try makeEcho(.loopback(1))
    let target = server.driver.localAddress
    let client = try Sandbox.inside(refusing: .questions) {
      try makeEcho(.any(port: 0), echoes: false, mobility: .client, watches: [target])
    }
    client.driver.perform { handler, _ in handler.send("x", to: target) }
    try await eventually("it works") { client.log.texts == ["x"] }
    // It tries again, but seldom.
    try await eventually("it tries again") { client.driver.statistics.networkLooksFailed >= 2 }
    let statistics = client.driver.statistics
    #expect(statistics.turns <= 10 + 5 * statistics.networkLooksFailed)
    #expect(client.driver.statistics.watchesNetworks && client.log.view == nil)
  }

  /// Without a sandbox the same client is told.
  @Test func outside() async throws {
    let target = NetworkAddress.loopback(1, port: 9)
    let client = try makeEcho(.any(port: 0), mobility: .client, watches: [target])
    try await eventually("it is told") { client.log.view != nil }
    #expect(client.log.view?.routes == [Route(source: .loopback(1), gateway: nil, interface: if_nametoindex("lo"))])
    #expect(client.log.view?.doors == [] && client.driver.statistics.watchesNetworks)
    #expect(client.log.view?.addresses.contains { $0.isLoopback } == false)
  }
}

/// A thread that the system refuses some calls, and the threads that it starts: seccomp(2).
private enum Sandbox {
  enum Refusal { case netlinkSockets, questions }

  static let isPermitted: Bool = (try? inside(refusing: .netlinkSockets) { true }) ?? false

  static func inside<Result: Sendable>(
    refusing refusal: Refusal, _ body: @escaping @Sendable () throws -> Result
  ) throws -> Result {
    let result = Locked<Swift.Result<Result, any Error>?>(nil)
    let thread = try LoopThread(name: "sandbox") {
      let outcome = Swift.Result {
        try enter(refusal)
        return try body()
      }
      result.withLock { $0 = outcome }
    }
    thread.join()
    return try #require(result.withLock { $0 }).get()
  }

  private static func enter(_ refusal: Refusal) throws {
    #if arch(x86_64)
      let (socket, sendto): (UInt32, UInt32) = (41, 44)
    #elseif arch(arm64)
      let (socket, sendto): (UInt32, UInt32) = (198, 206)
    #else
      throw SystemError(number: ENOSYS)
    #endif
    // struct sock_filter: a code, two jumps, a number. Loads the call's number, and its first argument.
    func instruction(_ code: UInt64, _ number: UInt32, jumps: UInt64 = 0) -> UInt64 {
      code | jumps << 16 | UInt64(number) << 32
    }
    let (load, equal, leave): (UInt64, UInt64, UInt64) = (0x20, 0x15, 0x06)
    let refuse = instruction(leave, 0x0005_0000 | UInt32(EPERM))
    let allow = instruction(leave, 0x7fff_0000)
    let program =
      switch refusal {
      case .netlinkSockets:
        [
          instruction(load, 0), instruction(equal, socket, jumps: 3 << 8), instruction(load, 16),
          instruction(equal, UInt32(AF_NETLINK), jumps: 1 << 8), refuse, allow,
        ]
      case .questions: [instruction(load, 0), instruction(equal, sendto, jumps: 1 << 8), refuse, allow]
      }
    typealias Control = @convention(c) (CInt, UInt, UInt, UInt, UInt) -> CInt
    // Variadic in C, and so not to be seen from here.
    guard let symbol = dlsym(nil, "prctl") else { throw SystemError(number: ENOSYS) }
    let prctl = unsafeBitCast(symbol, to: Control.self)
    let error = program.withUnsafeBufferPointer { program -> CInt in
      // struct sock_fprog: how many, padding, where.
      var whole: (UInt, UnsafePointer<UInt64>?) = (UInt(program.count), program.baseAddress)
      return withUnsafePointer(to: &whole) { whole in
        // PR_SET_NO_NEW_PRIVS, then PR_SET_SECCOMP with a filter.
        guard prctl(38, 1, 0, 0, 0) == 0, prctl(22, 2, UInt(bitPattern: whole), 0, 0) == 0 else { return errno }
        return 0
      }
    }
    guard error == 0 else { throw SystemError(number: error) }
  }
}
