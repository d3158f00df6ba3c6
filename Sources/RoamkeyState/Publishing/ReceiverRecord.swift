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

  init(session: UInt64) { self.session = session }

  /// How many frames an older baseline should be before the newer one, so that a slow motion shows in whole numbers.
  static let span: UInt64 = 4
  /// Older baselines are looked for among frames with such numbers first: so most receivers share them.
  static let meeting: UInt64 = 4

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

  /// A receipt came: what became of a state.
  mutating func note(_ frame: UInt64, wasReceived: Bool) {
    guard let index = sent.firstIndex(where: { $0.frame == frame }) else { return }
    if wasReceived { sent[index].isReceived = true } else { sent[index].tree = nil }
    letGo()
  }

  /// Trees that nothing will be made from.
  private mutating func letGo() {
    guard let newest = sent.lastIndex(where: { $0.isReceived && $0.tree != nil }) else { return }
    let received = sent.indices.filter { $0 < newest && sent[$0].isReceived && sent[$0].tree != nil }
    let useful = Set(received.suffix(2) + received.filter { sent[$0].frame % Self.meeting == 0 }.suffix(3))
    for index in sent.indices where index < newest && !useful.contains(index) { sent[index].tree = nil }
  }

  /// What the next state is to be told as the difference to; nothing where the receiver surely has nothing.
  func baselines(for frame: UInt64) -> (base: (frame: UInt64, tree: StateTree), older: (UInt64, StateTree)?)? {
    let received = sent.compactMap { sent in sent.isReceived ? sent.tree.map { (frame: sent.frame, tree: $0) } : nil }
    guard let base = received.last, frame - base.frame < StateHeader.distanceLimit else { return nil }
    let older = received.dropLast().filter { frame - $0.frame < StateHeader.distanceLimit }
    let far = older.filter { base.frame - $0.frame >= Self.span }
    let choice = far.last { $0.frame % Self.meeting == 0 } ?? far.last ?? older.first
    return (base, choice.map { ($0.frame, $0.tree) })
  }
}
