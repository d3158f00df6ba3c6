internal import Glibc
internal import RoamkeySockets

/// What wakes a loop from other threads: an eventfd. Its counter is never read (see `Poller`).
final class Bell: Sendable {
  private let descriptor: Descriptor

  init() throws(SystemError) { descriptor = try Descriptor(eventfd(0, ROAMKEY_EVENTFD_FLAGS)) }

  var number: CInt { descriptor.number }

  func ring() {
    var one: UInt64 = 1
    write(descriptor.number, &one, 8)
  }
}
