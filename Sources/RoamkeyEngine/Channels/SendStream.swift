import DequeModule
import RoamkeyWire

/// A reliable message of which something was sent, but for its content, which the stream keeps beside.
struct SentMessage: Sendable {
  struct Flags: OptionSet, Sendable {
    let rawValue: UInt16
    /// Every byte is acknowledged, or its SKIP is: nothing is left to do.
    static let done = Flags(rawValue: 1 << 0)
    /// It was given up: the peer is told by SKIP until it has acknowledged that.
    static let skipped = Flags(rawValue: 1 << 1)
    /// It is, or was once, under way in several pieces.
    static let inPieces = Flags(rawValue: 1 << 2)
    static let expires = Flags(rawValue: 1 << 3)
    static let awaitsReceipt = Flags(rawValue: 1 << 4)
    /// The whole of it waits to be sent again.
    static let lost = Flags(rawValue: 1 << 5)
    /// A copy may ride along with other messages.
    static let candidate = Flags(rawValue: 1 << 6)
    /// A copy should leave soon, since its packet's acknowledgement is overdue.
    static let urgent = Flags(rawValue: 1 << 7)
  }

  private let size: UInt32
  private var sentSize: UInt32
  let priority: Priority
  var flags: Flags

  init(total: Int, sent: Int, priority: Priority, flags: Flags) {
    size = UInt32(total)
    sentSize = UInt32(sent)
    self.priority = priority
    self.flags = flags
  }

  /// The size of its content.
  var total: Int { Int(size) }

  /// The bytes that were sent at least once are the first of it.
  var sent: Int {
    get { Int(sentSize) }
    set { sentSize = UInt32(newValue) }
  }

  /// What it has cost of the peer's credit.
  var cost: Int { Channels.cost(sent) }
}

/// A message whose sender wants to know what becomes of it.
struct AwaitedReceipt: Sendable {
  let sequence: UInt64
  let token: UInt64
  /// Unreliable modes: its packets of which nothing is known.
  var open: UInt32 = 0
  var hasLoss = false
  /// All of it was sent at least once.
  var isSent = false
  /// The app was told; its place goes when all before it are settled.
  var isSettled = false
}

/// One stream as its sender sees it: what was sent of it. What waits is in its lanes.
struct SendStream: Sendable {
  let id: StreamID
  /// Its lane, or the first of the four that it has where messages need not keep their order.
  let firstLane: Int
  /// The sequence that the next message gets, when its first byte is sent.
  var nextSequence: UInt64 = 0
  var credit: CreditAllowance
  /// Reliable messages from the first one that is not settled, in order of sequence.
  var sent = Deque<SentMessage>()
  /// What they contain, in the same places.
  private(set) var contents = Deque<[UInt8]>()
  /// Of those in pieces, which bytes are acknowledged, by sequence.
  var acknowledged: [UInt64: ByteRanges] = [:]
  /// Whether messages that are done keep their content until all before them are.
  var keepsBehindGaps = false
  var awaited = Deque<AwaitedReceipt>()
  var settledReceipts = 0
  /// Latest: the turn in which the waiting messages were queued.
  var turn: UInt32 = 0
  /// Unreliable modes: the message that was counted as lost last, so that its other pieces are not.
  var lastLost: UInt64?

  /// How far ahead of the first message that is not settled others may be sent: half of what a receiver remembers.
  static let aheadLimit = Int(SequenceWindow.limit / 2)

  init(id: StreamID, firstLane: Int, credit: CreditAllowance) {
    self.id = id
    self.firstLane = firstLane
    self.credit = credit
  }

  func lane(for priority: Priority) -> Int {
    switch id.delivery {
    case .reliableOrdered, .latest: firstLane
    case .reliableUnordered, .unreliable: firstLane + Int(priority.rawValue)
    }
  }

  var lanes: Range<Int> {
    switch id.delivery {
    case .reliableOrdered, .latest: firstLane..<firstLane + 1
    case .reliableUnordered, .unreliable: firstLane..<firstLane + Priority.allCases.count
    }
  }

  /// Where a sent message stands that is not done.
  func place(of sequence: UInt64) -> Int? {
    guard sequence < nextSequence else { return nil }
    let back = nextSequence - sequence
    guard back <= UInt64(sent.count) else { return nil }
    let place = sent.count - Int(back)
    return sent[place].flags.contains(.done) ? nil : place
  }

  /// Takes note of a reliable message that leaves for the first time.
  mutating func append(_ message: SentMessage, _ content: consuming [UInt8]) {
    sent.append(message)
    contents.append(content)
  }

  /// Nothing of it is needed any more.
  mutating func dropContent(at place: Int) { contents[place] = [] }

  /// The message at `place` needs nothing more; those in front that need nothing go.
  mutating func remove(at place: Int) {
    if sent[place].flags.contains(.inPieces) {
      acknowledged[nextSequence - UInt64(sent.count - place)] = nil
    }
    guard place == 0 else {
      sent[place].flags = .done
      if !keepsBehindGaps { contents[place] = [] }
      return
    }
    repeat {
      sent.removeFirst()
      contents.removeFirst()
    } while !sent.isEmpty && sent[0].flags.contains(.done)
  }

  /// The first awaited receipt of this sequence or a later one.
  func awaitedPlace(notBelow sequence: UInt64) -> Int {
    var low = 0
    var high = awaited.count
    while low < high {
      let middle = low + (high - low) / 2
      if awaited[middle].sequence < sequence { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Where a receipt is awaited for this sequence.
  func awaitedPlace(of sequence: UInt64) -> Int? {
    let place = awaitedPlace(notBelow: sequence)
    guard place < awaited.count, awaited[place].sequence == sequence, !awaited[place].isSettled else { return nil }
    return place
  }

  /// Forgets settled receipts: those in front, and all once they are half of what is kept.
  mutating func removeSettled() {
    while let first = awaited.first, first.isSettled {
      awaited.removeFirst()
      settledReceipts -= 1
    }
    if settledReceipts > awaited.count / 2 {
      awaited.removeAll(where: \.isSettled)
      settledReceipts = 0
    }
  }
}
