internal import Glibc
package import RoamkeyEngine

/// A gate that threads wait at until somebody opens it, for good.
///
/// `@unchecked`, because mutex and condition are the system's: they synchronize themselves and `isOpen`.
package final class Gate: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let opened = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var isOpen = false

  /// Closed.
  package init() {
    mutex.initialize(to: pthread_mutex_t())
    pthread_mutex_init(mutex, nil)
    opened.initialize(to: pthread_cond_t())
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    // The clock of `Instant`: nobody sets it.
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(opened, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(opened)
    opened.deallocate()
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  /// Lets all through, from now on.
  package func open() {
    pthread_mutex_lock(mutex)
    isOpen = true
    pthread_cond_broadcast(opened)
    pthread_mutex_unlock(mutex)
  }

  /// Returns when it is open, or at `limit`; it blocks the thread.
  package func wait(until limit: Instant = .distantFuture) {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    if limit == .distantFuture {
      while !isOpen { pthread_cond_wait(opened, mutex) }
      return
    }
    let nanoseconds = max(limit.nanoseconds, 0)
    var end = timespec(tv_sec: time_t(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    while !isOpen && pthread_cond_timedwait(opened, mutex, &end) == 0 {}
  }
}
