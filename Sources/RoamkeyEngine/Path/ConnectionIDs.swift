import RoamkeyCrypto
import RoamkeyWire

/// Which connection id a packet has says to which session it belongs, and to nobody else that two packets belong
/// together: so whoever moves on purpose takes a fresh one (PROTOCOL §5.9).

/// The ids that we gave to the peer, for its packets to us.
struct IssuedConnectionIDs: Sendable {
  private struct Issued: Sendable {
    let sequence: UInt64
    let id: ConnectionID
    let token: UInt128
  }

  /// An id that the peer uses no more, and until when packets that are late are still taken.
  private struct Retired: Sendable {
    let id: ConnectionID
    let until: Instant
  }

  /// The bytes of each; all have as many.
  let size: Int
  private var live: [Issued]
  private var retired: [Retired] = []
  private var nextSequence: UInt64 = 1
  /// Those of which the peer is to be told, oldest first.
  private var owed: [UInt64] = []

  /// Ids that a peer has at a time: the one in use, and some to move with while nothing gets through that could bring
  /// more. Each is a place in the table of ids.
  static let target = 5
  /// Retired ids that are kept: who retires faster has its late packets dropped.
  private static let retiredLimit = 8

  init(_ first: ConnectionID) {
    size = first.count
    live = [Issued(sequence: 0, id: first, token: 0)]
  }

  /// Whether the peer is to get another one. Who uses the empty id has a socket of its own and needs no others.
  var wantsMore: Bool { live.count < Self.target && size > 0 }

  func contains(_ id: ConnectionID) -> Bool {
    live.contains { $0.id == id } || retired.contains { $0.id == id }
  }

  /// All of them, those included that are still recognised.
  var all: [ConnectionID] { live.map(\.id) + retired.map(\.id) }
  /// Those that the peer may use.
  var inUse: [ConnectionID] { live.map(\.id) }

  mutating func issue(_ id: ConnectionID, token: UInt128) {
    live.append(Issued(sequence: nextSequence, id: id, token: token))
    owed.append(nextSequence)
    nextSequence += 1
  }

  /// The peer uses one no more.
  /// - Returns: false where there never was such an id, or it is the last: no packet could have any.
  mutating func retire(_ sequence: UInt64, until: Instant) -> Bool {
    guard sequence < nextSequence else { return false }
    guard let place = live.firstIndex(where: { $0.sequence == sequence }) else { return true }
    guard live.count > 1 else { return false }
    retired.append(Retired(id: live.remove(at: place).id, until: until))
    owed.removeAll { $0 == sequence }
    return true
  }

  /// Ids that are recognised no more.
  mutating func takeExpired(now: Instant) -> [ConnectionID] {
    guard !retired.isEmpty else { return [] }
    let excess = max(0, retired.count - Self.retiredLimit)
    let count = retired.enumerated().prefix { $0.offset < excess || $0.element.until <= now }.count
    defer { retired.removeFirst(count) }
    return retired.prefix(count).map(\.id)
  }

  var nextTimeout: Instant? { retired.first?.until }

  mutating func prefetch() {
    prefetchStorage(of: &live, bytes: 64)
    prefetchStorage(of: &owed, bytes: 64)
  }

  // MARK: Telling

  var owesFrame: Bool { !owed.isEmpty }

  /// Writes the next id that the peer is to be told of.
  mutating func appendFrame(to output: inout OutputRawSpan) -> SentFrame? {
    while !owed.isEmpty {
      let sequence = owed.removeFirst()
      guard let issued = live.first(where: { $0.sequence == sequence }) else { continue }
      output.appendNewConnectionID(sequence: sequence, retirePriorTo: 0, issued.id, token: issued.token)
      return .newConnectionID(sequence: sequence)
    }
    return nil
  }

  mutating func onLost(_ sequence: UInt64) {
    if !owed.contains(sequence), live.contains(where: { $0.sequence == sequence }) { owed.append(sequence) }
  }
}

/// The ids that the peer gave to us, for our packets to it, with their reset tokens.
struct PeerConnectionIDs: Sendable {
  /// What paths have in common whose packets may be seen to belong together: they leave by one socket in one family.
  struct Way: Sendable, Equatable {
    let port: UInt16
    let isIPv4: Bool

    init(_ path: NetworkPath) {
      port = path.local.port
      isIPv4 = path.remote.isIPv4
    }
  }

  enum Use: Sendable, Equatable {
    case spare
    case active
    /// Packets that ask another path have it.
    case asking(Way)
  }

  private struct Given: Sendable {
    let sequence: UInt64
    let id: ConnectionID
    let token: UInt128?
    var use: Use
  }

  private var given: [Given]
  /// Lower numbers were given and are retired.
  private var retiredBelow: UInt64 = 0
  private var retired: Set<UInt64> = []
  /// Retirements of which the peer is to be told.
  private var owed: [UInt64] = []
  /// The id of packets on the active path.
  private(set) var active: ConnectionID

  /// More unretired ids than this no peer has reason to give.
  static let limit = 8
  /// Retired numbers that are remembered one by one: they come in order, but for what is lost on the way.
  private static let gapLimit = 256

  init(_ first: ConnectionID, token: UInt128?) {
    active = first
    given = [Given(sequence: 0, id: first, token: token, use: .active)]
  }

  // MARK: What the peer gives

  enum Misuse: Error { case contradiction, tooMany }

  mutating func add(sequence: UInt64, _ id: ConnectionID, token: UInt128, retirePriorTo: UInt64) throws(Misuse) {
    // Who uses the empty id has no others, and all of one peer have one size.
    guard id.count == active.count else { throw .contradiction }
    if let known = given.first(where: { $0.sequence == sequence }) {
      guard known.id == id else { throw .contradiction }
    } else if !isRetired(sequence) {
      guard !given.contains(where: { $0.id == id }) else { throw .contradiction }
      given.append(Given(sequence: sequence, id: id, token: token, use: .spare))
    } else if !owed.contains(sequence) {
      // It was told that this one is retired, and has not heard it.
      owed.append(sequence)
    }
    for old in given where old.sequence < retirePriorTo { retire(old.sequence) }
    guard given.count <= Self.limit, owed.count <= Self.gapLimit, retired.count <= Self.gapLimit else { throw .tooMany }
  }

  private func isRetired(_ sequence: UInt64) -> Bool { sequence < retiredBelow || retired.contains(sequence) }

  // MARK: Using them

  /// Another path is in use: it gets the id that it was asked with, or one that nobody has seen, and the one before is
  /// retired. Where there is none it stays: better known than gone.
  mutating func activate(for way: Way) {
    guard let place = place(for: way), let current = given.firstIndex(where: { $0.use == .active }) else { return }
    let old = given[current].sequence
    given[current].use = .spare
    given[place].use = .active
    active = given[place].id
    retire(old)
  }

  /// The id for packets that ask a path of another way; that of the active path where there is no other.
  mutating func id(asking way: Way) -> ConnectionID {
    guard let place = place(for: way) else { return active }
    given[place].use = .asking(way)
    return given[place].id
  }

  private func place(for way: Way) -> Int? {
    given.firstIndex { $0.use == .asking(way) } ?? given.firstIndex { $0.use == .spare }
  }

  /// Retires ids that were seen on ways which are gone.
  mutating func retireAsking(where isGone: (Way) -> Bool) {
    for id in given {
      if case .asking(let way) = id.use, isGone(way) { retire(id.sequence) }
    }
  }

  private mutating func retire(_ sequence: UInt64) {
    guard let place = given.firstIndex(where: { $0.sequence == sequence }) else { return }
    if given[place].use == .active {
      // The last one stays: better known than gone.
      guard let next = given.firstIndex(where: { $0.use != .active && $0.sequence != sequence }) else { return }
      given[next].use = .active
      active = given[next].id
    }
    given.remove(at: place)
    retired.insert(sequence)
    while retired.remove(retiredBelow) != nil { retiredBelow += 1 }
    owed.append(sequence)
  }

  /// Whether these 16 bytes are the token of an id that is not retired; compared in constant time.
  func isToken(_ bytes: RawSpan) -> Bool {
    guard bytes.byteCount == ResetDatagram.tokenSize else { return false }
    let found = UInt128(bigEndian: bytes.unsafeLoadUnaligned(as: UInt128.self))
    var isEqual = false
    for candidate in given {
      guard let token = candidate.token else { continue }
      // One comparison of words, without a branch that depends on where they differ.
      let difference = token ^ found
      isEqual = (difference == 0) || isEqual
    }
    return isEqual
  }

  mutating func prefetch() { prefetchStorage(of: &owed, bytes: 64) }

  // MARK: Telling

  var owesFrame: Bool { !owed.isEmpty }

  /// Writes the next retirement that the peer is to be told of.
  mutating func appendFrame(to output: inout OutputRawSpan) -> SentFrame? {
    guard !owed.isEmpty else { return nil }
    let sequence = owed.removeFirst()
    output.appendRetireConnectionID(sequence)
    return .retireConnectionID(sequence: sequence)
  }

  mutating func onLost(_ sequence: UInt64) {
    if !owed.contains(sequence) { owed.append(sequence) }
  }
}
