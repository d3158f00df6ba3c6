package import Testing

/// For suites that wait for sockets, timers and processes: their tests go on when what they wait for has come, and not
/// only after the hundreds of tests in virtual time that are queued for the same few threads.
///
/// Those never wait, so a test that waits once would find itself behind all of them, minutes later, and past its limits.
package struct RealTime: TestTrait, SuiteTrait, TestScoping {
  package var isRecursive: Bool { true }

  package func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    try await withoutActuallyEscaping(function) { function in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask(priority: .high) { try await function() }
        try await group.waitForAll()
      }
    }
  }
}

extension Trait where Self == RealTime {
  /// Tests that wait for the real world.
  package static var realTime: Self { Self() }
}
