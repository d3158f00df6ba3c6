import AllocationCounter

/// What part of a measurement's work is counted apart. The names are those of the C functions that callgrind knows.
enum Phase: String, CaseIterable {
  /// From the app's `send` until the packets have left.
  case send
  /// From the packets until the app has taken the messages.
  case receive
  /// Acknowledgements on both sides, and whatever else is said until both are silent.
  case acknowledge
  /// Time passes.
  case idle

  /// Runs `body` as this phase.
  /// - Returns: what it took from the heap; zeros in a build that does not count.
  func count(_ body: () -> Void) -> roamkey_allocations {
    withoutActuallyEscaping(body) { body in
      withUnsafePointer(to: body) { pointer in
        let context = UnsafeMutableRawPointer(mutating: pointer)
        let run: roamkey_body = { $0?.assumingMemoryBound(to: (() -> Void).self).pointee() }
        return switch self {
        case .send: roamkey_phase_send(run, context)
        case .receive: roamkey_phase_receive(run, context)
        case .acknowledge: roamkey_phase_acknowledge(run, context)
        case .idle: roamkey_phase_idle(run, context)
        }
      }
    }
  }
}
