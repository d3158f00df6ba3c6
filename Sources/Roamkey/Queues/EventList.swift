internal import RoamkeyEngine

/// Events in the order in which they came, out of which a session's oldest unreliable messages can be dropped, and the
/// oldest of all where there are too many.
///
/// A doubly linked list whose nodes are numbers of one array, and a list through it for each session that has
/// unreliable messages in it. So every step takes the same short time, and nothing is left where something was
/// dropped: an array with gaps would grow for as long as an app reads nothing.
struct EventList<Event: Sendable>: Sendable {
  typealias Item = EventQueue<Event>.Item

  private struct Node: Sendable {
    var item: Item?
    var previous = EventList.none
    /// The next event; of a free node the next free one.
    var next = EventList.none
    /// The next unreliable message of the same session.
    var newer = EventList.none
  }

  /// The unreliable messages of one session.
  private struct Unreliable: Sendable {
    var oldest: Int32
    var newest: Int32
    var bytes: Int
  }

  private static var none: Int32 { -1 }
  /// An empty list gives its memory back when it has more nodes than this.
  private static var spareNodes: Int { 1024 }

  private var nodes: [Node] = []
  private var free = EventList.none
  private var first = EventList.none
  private var last = EventList.none
  private var unreliable: [SessionHandle: Unreliable] = [:]
  private let limit: Int
  private let eventLimit: Int

  /// What waits.
  private(set) var backlog = EventQueue<Event>.Backlog()
  /// Events that made room for newer ones.
  private(set) var dropped: UInt64 = 0

  /// How many nodes there are, free ones included.
  var nodeCount: Int { nodes.count }

  /// - Parameters:
  ///   - limit: how many bytes of unreliable messages it keeps of each session. The newest one stays whatever its size.
  ///   - eventLimit: how many events it keeps at all. The newest one stays.
  init(limit: Int, eventLimit: Int = .max) {
    self.limit = max(0, limit)
    self.eventLimit = max(1, eventLimit)
  }

  // MARK: In

  mutating func append(_ item: Item) {
    if case .unreliable(let session, let bytes) = item.cost { makeRoom(for: bytes, of: session) }
    if backlog.events >= eventLimit {
      _ = remove(first)
      dropped += 1
    }
    let index = place(Node(item: item, previous: last))
    if last == Self.none { first = index } else { nodes[Int(last)].next = index }
    last = index
    backlog.events += 1
    backlog.bytes += item.cost.bytes
    guard case .unreliable(let session, let bytes) = item.cost else { return }
    if let newest = unreliable[session]?.newest {
      nodes[Int(newest)].newer = index
      unreliable[session]?.newest = index
      unreliable[session]?.bytes += bytes
    } else {
      unreliable[session] = Unreliable(oldest: index, newest: index, bytes: bytes)
    }
  }

  private mutating func makeRoom(for bytes: Int, of session: SessionHandle) {
    while let waiting = unreliable[session], bytes > limit - waiting.bytes {
      _ = remove(waiting.oldest)
      dropped += 1
    }
  }

  private mutating func place(_ node: Node) -> Int32 {
    guard free != Self.none else {
      nodes.append(node)
      return Int32(nodes.count - 1)
    }
    let index = free
    free = nodes[Int(index)].next
    nodes[Int(index)] = node
    return index
  }

  // MARK: Out

  mutating func popFirst() -> Item? {
    guard first != Self.none else { return nil }
    return remove(first)
  }

  /// All that waits, in order.
  mutating func removeAll() -> [Item] {
    var items: [Item] = []
    items.reserveCapacity(backlog.events)
    while let item = popFirst() { items.append(item) }
    return items
  }

  /// - Precondition: an unreliable message is the oldest of its session: those who take begin at the front.
  private mutating func remove(_ index: Int32) -> Item? {
    // Moved out, not copied: a message is several references.
    let taken = nodes[Int(index)].item.take()
    let node = nodes[Int(index)]
    if node.previous == Self.none { first = node.next } else { nodes[Int(node.previous)].next = node.next }
    if node.next == Self.none { last = node.previous } else { nodes[Int(node.next)].previous = node.previous }
    nodes[Int(index)] = Node(item: nil, next: free)
    free = index
    guard let item = taken else { return nil }
    backlog.events -= 1
    backlog.bytes -= item.cost.bytes
    if case .unreliable(let session, let bytes) = item.cost {
      if node.newer == Self.none {
        unreliable[session] = nil
      } else {
        unreliable[session]?.oldest = node.newer
        unreliable[session]?.bytes -= bytes
      }
    }
    if backlog.events == 0, nodes.count > Self.spareNodes {
      nodes = []
      free = Self.none
    }
    return item
  }
}
