internal import Glibc

/// A counting semaphore for threads of our own.
///
/// `@unchecked`, because the system's synchronizes itself, and only its address is kept here.
package final class Semaphore: @unchecked Sendable {
  private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  /// Begins with none.
  package init() {
    semaphore.initialize(to: sem_t())
    sem_init(semaphore, 0, 0)
  }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  /// One more.
  package func signal() { sem_post(semaphore) }

  /// Takes one, when there is one.
  package func wait() { while sem_wait(semaphore) != 0 && errno == EINTR {} }
}
