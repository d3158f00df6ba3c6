internal import Glibc
internal import RoamkeySockets
internal import Synchronization

/// A thread that runs one function, and that others can wait for.
///
/// It is detached: several threads may wait for its end, and one that ends itself is waited for by nobody.
struct LoopThread: Sendable {
  private let identity = Identity()
  private let ended = Gate()

  /// Starts the thread.
  ///
  /// `body` is not Sendable and need not be: it goes through an opaque pointer to exactly one other thread, and
  /// `sending` makes sure that nobody here keeps a hold on what it captured.
  /// - Throws: the error number, when the system gives no more threads.
  init(name: String, body: sending @escaping () -> Void) throws(SystemError) {
    let start = Unmanaged.passRetained(Start(name: name, body: body, identity: identity, ended: ended))
    var thread = pthread_t()
    var old = sigset_t()
    var all = sigset_t()
    // Signals are for the app's own threads: one must not interrupt the loop, nor run its handler on this stack.
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &old)
    let result = pthread_create(&thread, nil, { Start.run($0) }, start.toOpaque())
    pthread_sigmask(SIG_SETMASK, &old, nil)
    guard result == 0 else {
      start.release()
      throw SystemError(number: result)
    }
    pthread_detach(thread)
  }

  /// Whether the caller runs on it.
  var isCurrent: Bool { identity.value.load(ordering: .acquiring) == Identity.ofCaller }

  /// Waits until the function has returned and what it captured is gone; at once when called on the thread itself.
  func join() {
    if !isCurrent { ended.wait() }
  }
}

/// What a new thread is given.
private final class Start {
  let name: String
  var body: (() -> Void)?
  let identity: Identity
  let ended: Gate

  init(name: String, body: sending @escaping () -> Void, identity: Identity, ended: Gate) {
    self.name = name
    self.body = body
    self.identity = identity
    self.ended = ended
  }

  static func run(_ pointer: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let pointer else { return nil }
    let start = Unmanaged<Start>.fromOpaque(pointer).takeRetainedValue()
    start.identity.value.store(Identity.ofCaller, ordering: .releasing)
    // The system takes 15 bytes; half a character at the end harms nobody, but whole ones are nicer.
    var name = start.name
    while name.utf8.count > 15 { name.removeLast() }
    _ = roamkey_pthread_setname(pthread_self(), name)
    start.body?()
    start.body = nil
    start.identity.value.store(0, ordering: .releasing)
    start.ended.open()
    return nil
  }
}

/// Which thread it is, as the thread itself tells: `pthread_create` may return only after the thread has begun.
private final class Identity: Sendable {
  let value = Atomic<UInt>(0)

  static var ofCaller: UInt { UInt(pthread_self()) }
}
