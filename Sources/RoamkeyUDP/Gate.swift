internal import Glibc

/// A gate that threads wait at until somebody opens it, for good.
///
/// `@unchecked`, because the semaphore is the system's: it synchronizes itself, and only its address is kept here.
final class Gate: @unchecked Sendable {
  private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  init() {
    semaphore.initialize(to: sem_t())
    sem_init(semaphore, 0, 0)
  }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  func open() { sem_post(semaphore) }

  func wait() {
    while sem_wait(semaphore) != 0 && errno == EINTR {}
    // Passed on to the next who waits.
    sem_post(semaphore)
  }
}
