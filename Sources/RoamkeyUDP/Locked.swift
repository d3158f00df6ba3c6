internal import Glibc

/// A value that threads take turns with.
///
/// The system's own mutex rather than `Synchronization.Mutex`: that one is compiled into a library without thread
/// sanitizer checks, which then reports every use as a race. `@unchecked`, because the value is only touched between
/// lock and unlock. That it is inlined spares asking the runtime for types at each use.
@usableFromInline
package final class Locked<Value: Sendable>: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  @usableFromInline var value: Value

  /// Begins with `value`.
  package init(_ value: Value) {
    self.value = value
    mutex.initialize(to: pthread_mutex_t())
    pthread_mutex_init(mutex, nil)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  /// Looks at or changes the value; `body` must be short, and must not come back here.
  @inlinable
  package func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
    lock()
    defer { unlock() }
    return body(&value)
  }

  @usableFromInline func lock() { pthread_mutex_lock(mutex) }

  @usableFromInline func unlock() { pthread_mutex_unlock(mutex) }
}
