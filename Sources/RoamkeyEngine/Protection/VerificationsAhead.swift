import RoamkeyCrypto

/// The signatures of a batch of datagrams, verified before those are received (docs/decisions/0024).
///
/// It gathers them (`add`), has all of them verified at once, is asked for each (`verdict`) while the datagrams are
/// received, and forgets them. Nothing is allocated before the first use, nor after it.
struct VerificationsAhead {
  /// Datagrams that a driver hands over in a turn.
  static let capacity = 256
  /// So many keep a helper busy for longer than it takes to wake.
  static let fewest = 4
  /// Packets that were opened in vain, beyond those that were opened: more are not tried in a batch, since whoever
  /// floods a session with forged ones would have each opened twice.
  private static let vainLimit = 16

  private var tasks: [Verification] = []
  /// Whether there are verdicts.
  private(set) var areVerified = false
  /// Where the next one that is asked for should stand: they are received in the order in which they were looked at.
  private var next = 0
  /// Packets that were opened, less those that could not be.
  private var balance = 0
  /// A packet is opened here, and received later.
  private var scratch: [UInt8] = []

  var count: Int { tasks.count }
  var isEmpty: Bool { tasks.isEmpty }

  /// Whether another packet is worth opening.
  var takesMore: Bool { tasks.count < Self.capacity && balance >= -Self.vainLimit }

  /// Looks at a packet of a session, in a copy.
  mutating func add(_ packet: RawSpan, of session: Session) {
    guard takesMore, session.mayVerifyAhead, packet.byteCount <= maximumDatagramSize else { return }
    if scratch.isEmpty {
      scratch = [UInt8](repeating: 0, count: maximumDatagramSize)
      tasks.reserveCapacity(Self.capacity)
    }
    let look = scratch.withUnsafeMutableBytes { bytes -> Session.LookAhead in
      packet.withUnsafeBytes { bytes.copyMemory(from: $0) }
      var copy = MutableRawSpan(_unsafeBytes: UnsafeMutableRawBufferPointer(rebasing: bytes[..<packet.byteCount]))
      return session.lookAhead(&copy)
    }
    switch look {
    case .unopened: balance -= 1
    case .settled: balance += 1
    case .unverified(let task):
      balance += 1
      add(task)
    }
  }

  /// Adds one that is not there yet. The newest are compared first: most packets of a tree follow each other.
  mutating func add(_ task: Verification) {
    guard !tasks.reversed().contains(where: { $0.isSame(as: task) }) else { return }
    tasks.append(task)
  }

  /// Has all of them verified; what is too little to share is forgotten.
  /// - Returns: how many others have verified.
  mutating func verify(on board: any VerificationBoard) -> Int {
    guard tasks.count >= Self.fewest else {
      removeAll()
      return 0
    }
    areVerified = true
    return tasks.withUnsafeMutableBufferPointer { board.verify($0) }
  }

  /// Whether the signature is good, where that is known; it was this one, of this root, depth and player.
  mutating func verdict(on question: Verification) -> Bool? {
    guard areVerified else { return nil }
    var place = next
    for _ in tasks.indices {
      if place >= tasks.count { place = 0 }
      if tasks[place].isSame(as: question) {
        next = place + 1
        return tasks[place].isGood
      }
      place += 1
    }
    return nil
  }

  /// The batch has been received.
  mutating func removeAll() {
    tasks.removeAll(keepingCapacity: true)
    areVerified = false
    next = 0
    balance = 0
  }
}
