internal import Glibc

/// Runs `body` on a thread of its own: for what blocks, which must never happen on the few threads that tasks share.
///
/// Where the system gives no more threads it runs on the caller's, late rather than never.
package func runOnOwnThread(_ body: @escaping @Sendable () -> Void) {
  if !startOwnThread(body) { body() }
}

/// Runs `body` on a thread of its own, or not at all: for callers that must not wait.
/// - Returns: whether the system has given a thread.
func startOwnThread(_ body: @escaping @Sendable () -> Void) -> Bool {
  final class Start: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  let start = Unmanaged.passRetained(Start(body))
  var thread = pthread_t()
  let result = pthread_create(
    &thread, nil,
    { pointer in
      if let pointer { Unmanaged<Start>.fromOpaque(pointer).takeRetainedValue().body() }
      return nil
    }, start.toOpaque())
  guard result == 0 else {
    start.release()
    return false
  }
  pthread_detach(thread)
  return true
}
