import RoamkeyWire

/// What each kind of work may take from the heap, a unit: the promise that the hot path takes nothing, and its
/// exceptions.
extension CountedCase {
  /// - Returns: allocations a message, datagram or turn.
  func allocationBudget(_ phase: Phase) -> Double {
    switch work {
    case .messages(let messages): messages.allocationBudget(phase)
    // An idle session gives its rings back with each packet, and takes small ones for the next. Once a minute clocks are
    // compared, in memory of their own.
    case .silence: 2.1
    case .turns: 0
    }
  }

  /// Allocations a unit that no budget names: rings that double once more, now and then. Everything else that allocates
  /// does so oftener than once in fifty units.
  static let allocationSlack = 0.02
}

extension CountedCase.Messages {
  fileprivate func allocationBudget(_ phase: Phase) -> Double {
    let isLarge = size == CountedCase.large
    return switch phase {
    case .send, .idle: 0
    // The content is the app's from then on. Pieces are put together in memory that doubles.
    case .receive: isLarge ? 7 : 1
    // Which bytes of a message in pieces are acknowledged is kept in an array, of one run or of two: behind a number that
    // was left out an acknowledgement has two ranges, the newer one first. What was lost arrives in this phase.
    case .acknowledge: isLarge && delivery.isReliable ? 1.2 : lossPeriod > 0 ? 0.1 : 0
    }
  }
}
