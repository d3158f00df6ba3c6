internal import Glibc

/// A file descriptor that closes with its owner.
struct Descriptor: ~Copyable {
  let number: CInt

  /// Takes what a system call returned: a descriptor, or -1 and `errno`.
  init(_ result: CInt) throws(SystemError) {
    guard result >= 0 else { throw SystemError(number: errno) }
    number = result
  }

  deinit { close(number) }
}

/// An error number of the system.
struct SystemError: Error {
  var number: CInt
}
