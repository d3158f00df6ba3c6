internal import Glibc
internal import Synchronization

/// Runs `body` on a thread of its own: what waits for a clock or a socket must not hold one of the few threads that
/// tasks share.
func runOnOwnThread(_ body: @escaping @Sendable () -> Void) {
  final class Start: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  var thread = pthread_t()
  let result = pthread_create(
    &thread, nil,
    { pointer in
      if let pointer { Unmanaged<Start>.fromOpaque(pointer).takeRetainedValue().body() }
      return nil
    }, Unmanaged.passRetained(Start(body)).toOpaque())
  precondition(result == 0, "a benchmark without its threads would measure nothing")
  pthread_detach(thread)
}

/// The same, for tasks that wait for what it returns or throws.
func onOwnThread<R: Sendable>(
  _ body: @escaping @Sendable () throws(BenchmarkFailure) -> R
) async throws(BenchmarkFailure) -> R {
  let result = await withCheckedContinuation {
    (continuation: CheckedContinuation<Result<R, BenchmarkFailure>, Never>) in
    runOnOwnThread {
      continuation.resume(returning: Result { () throws(BenchmarkFailure) in try body() })
    }
  }
  return try result.get()
}

extension Result where Failure == BenchmarkFailure {
  /// What `body` gives, for tasks: those know no typed errors.
  static func of(_ body: () async throws(BenchmarkFailure) -> Success) async -> Self {
    do throws(BenchmarkFailure) { return .success(try await body()) } catch { return .failure(error) }
  }
}

/// Something that happens once, for threads that look now and then.
final class Latch: Sendable {
  private let value = Atomic(false)

  var isSet: Bool { value.load(ordering: .acquiring) }
  func set() { value.store(true, ordering: .releasing) }
}

/// Why a benchmark has no figures: one sentence.
struct BenchmarkFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }

  /// What the system has just refused, in its words.
  static func system(_ what: String) -> BenchmarkFailure {
    BenchmarkFailure("\(what): \(String(cString: strerror(errno)))")
  }
}
