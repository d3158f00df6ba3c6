/// What was sent to one receiver, as far as it may still have it (STATE §3).
struct ReceiverRecord {
  private struct Sent {
    let frame: UInt64
    /// What it weighs for the receiver.
    let weight: Int
    /// Nil once nothing is made from it any more.
    var tree: StateTree?
    var isReceived = false
  }

  /// The session in which it was sent.
  let session: UInt64
  private var sent: [Sent] = []
  /// A large whole state whose outcome is not known yet.
  private var largeState: UInt64?

  init(session: UInt64) { self.session = session }

  /// A state goes out.
  mutating func note(_ frame: UInt64, _ tree: StateTree) {
    if sent.count == StateLimits.maximumBaselines { sent.removeFirst() }
    sent.append(Sent(frame: frame, weight: tree.weight, tree: tree))
    // The receiver counts only what it got, so it has everything that is within the limit here.
    var weight = 0
    for index in sent.indices.reversed() {
      weight += sent[index].weight
      guard weight <= StateLimits.maximumWeight || index == sent.count - 1 else {
        sent.removeFirst(index + 1)
        break
      }
    }
  }

  /// A large whole state goes out: what was sent before is of no more use.
  mutating func noteLarge(_ frame: UInt64, _ tree: StateTree) {
    sent = []
    note(frame, tree)
    largeState = frame
  }

  /// A large whole state is under way, and nothing else is to be sent. A receipt that never comes is waited for only so
  /// long.
  func isWaiting(_ frame: UInt64) -> Bool {
    largeState.map { frame - $0 < StateLimits.longestWait } ?? false
  }

  /// A receipt came: what became of a state.
  mutating func note(_ frame: UInt64, wasReceived: Bool) {
    if frame == largeState { largeState = nil }
    guard let index = sent.firstIndex(where: { $0.frame == frame }) else { return }
    if wasReceived { sent[index].isReceived = true } else { sent[index].tree = nil }
    letGo()
  }

  /// Trees that nothing will be made from: all before the last two that arrived.
  private mutating func letGo() {
    let received = sent.indices.filter { sent[$0].isReceived && sent[$0].tree != nil }
    guard let oldest = received.suffix(2).first else { return }
    for index in sent.indices where index < oldest && sent[index].isReceived { sent[index].tree = nil }
    // One that is still under way is of use only while it is newer than what arrived.
    guard let newest = received.last else { return }
    for index in sent.indices where index < newest && !sent[index].isReceived { sent[index].tree = nil }
  }

  /// What the next state is to be told as the difference to: the last two states that arrived. Nothing where the
  /// receiver surely has nothing.
  func baselines(for frame: UInt64) -> (base: (frame: UInt64, tree: StateTree), older: (UInt64, StateTree)?)? {
    let received = sent.compactMap { sent in sent.isReceived ? sent.tree.map { (frame: sent.frame, tree: $0) } : nil }
    guard let base = received.last, frame - base.frame < StateHeader.distanceLimit else { return nil }
    // The nearer the older one is, the truer is the guess how things go on (docs/decisions/0031-state.md).
    guard let older = received.dropLast().last, frame - older.frame < StateHeader.distanceLimit else {
      return (base, nil)
    }
    return (base, (older.frame, older.tree))
  }
}
