internal import Glibc

/// Runs `body` on a thread of its own: for what blocks, which must never happen on the few threads that tasks share.
///
/// Where the system gives no more threads it runs on the caller's, late rather than never.
package func runOnOwnThread(_ body: @escaping @Sendable () -> Void) {
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
  if result == 0 {
    pthread_detach(thread)
  } else {
    start.release()
    body()
  }
}
