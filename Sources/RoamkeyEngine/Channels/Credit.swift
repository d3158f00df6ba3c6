import RoamkeyWire

// Credit (PROTOCOL §9.5) is counted twice alike: for a whole session, and for each reliable stream in it.

/// What a sender may still send of what its peer has granted.
struct CreditAllowance: Sendable {
  private var limit: UInt64
  private(set) var used: UInt64 = 0
  /// Messages begun in pieces that have bytes never sent, and what those will cost.
  private(set) var begun = 0
  private(set) var reserved = 0

  init(limit: UInt64) { self.limit = limit }

  var available: Int { Int(clamping: limit - used) }

  /// Whether a message that will cost `cost` may begin in pieces.
  ///
  /// Two that begin at a time could take each other the credit that they need to be complete, and what is not complete
  /// is never taken by an app, so nothing would ever be granted again. So one may always begin, and another only where
  /// there is enough for all.
  func canBegin(_ cost: Int) -> Bool { begun == 0 || available - reserved >= cost }

  mutating func spend(_ cost: Int) { used += UInt64(cost) }

  /// A message was begun; `rest` is what it has yet to cost.
  mutating func begin(rest: Int) {
    begun += 1
    reserved += rest
  }

  /// A begun message has sent `bytes` more, perhaps its last.
  mutating func advance(_ bytes: Int, isLast: Bool) {
    reserved -= bytes
    if isLast { begun -= 1 }
  }

  /// The peer's word. Limits only rise; a lower one is an old frame.
  /// - Returns: whether it is news.
  mutating func raise(to new: UInt64) -> Bool {
    guard new > limit else { return false }
    limit = new
    return true
  }
}

/// What a receiver has granted and what became of it.
struct CreditWindow: Sendable {
  /// How much may be here that the app has not taken.
  private let size: UInt64
  /// What the peer was let send in all, what it has sent, what the app was given of that, and what it has taken.
  private(set) var granted: UInt64
  private(set) var received: UInt64 = 0
  private(set) var delivered: UInt64 = 0
  private(set) var consumed: UInt64 = 0
  /// A higher limit is to be told.
  private(set) var owes = false

  /// A window that nobody can fill: for streams without a limit of their own.
  static let unlimited: UInt64 = 1 << 60
  /// More than any message costs that is never cut into pieces: who has less credit may be unable to send at all.
  private static let wholeMessageCost = UInt64(Channels.cost(maximumDatagramSize))

  init(size: UInt64) {
    self.size = size
    granted = size
  }

  /// How much the peer may still send.
  var available: UInt64 { granted - received }

  /// Whether a peer that has sent `cost` more was let do so.
  func covers(_ cost: UInt64) -> Bool { cost <= available }

  mutating func receive(_ cost: Int) throws(ChannelError) {
    guard covers(UInt64(cost)) else { throw .limitExceeded }
    received += UInt64(cost)
  }

  mutating func deliver(_ cost: Int) { delivered += UInt64(cost) }

  /// The app has taken messages worth `cost`: never more than it was given.
  mutating func consume(_ cost: Int) { consumed = min(delivered, consumed + UInt64(max(0, cost))) }

  /// Decides whether a higher limit is worth a frame: it is half a window higher, or the peer may be held up by the old
  /// one.
  ///
  /// The second happens when a long message begins late in the window: its pieces wait here for the others, and are
  /// themselves why too little is consumed. Who has taken all it could must therefore grant the rest.
  mutating func decide() {
    guard !owes else { return }
    let news = consumed + size - granted
    guard news > 0 else { return }
    let isNearlySpent = available < max(size / 4, Self.wholeMessageCost)
    owes = news >= size / 2 || consumed >= delivered && isNearlySpent
  }

  /// The limit to tell now.
  mutating func takeLimit() -> UInt64 {
    owes = false
    granted = max(granted, consumed + size)
    return granted
  }

  /// The frame that told a limit was lost; the current one is told instead.
  mutating func onLimitLost() { owes = true }
}
