internal import Glibc
internal import RoamkeyEngine
internal import RoamkeySockets
internal import RoamkeyWire

/// What discovery sends and receives by: a socket of each family, and the links that the machine is on. It belongs to
/// one thread at a time.
final class DiscoveryPort {
  /// Where servers are asked (PROTOCOL §15): beside the usual port of games.
  static let number: UInt16 = 7446
  /// Links that are asked: machines with more are no players'.
  private static let mostLinks = 16
  /// Datagrams that one call takes off a socket, so that a flood cannot keep the thread from stopping.
  private static let batch = 64

  private let ipv4: DiscoverySocket?
  private let ipv6: DiscoverySocket?
  private var queries: NetworkQueries
  private let buffer: UnsafeMutableRawBufferPointer
  /// Whether questions to the groups are heard, on all links.
  private let joinsGroups: Bool
  private(set) var links = LocalLinks()

  /// For one that asks.
  /// - Throws: where the system gives no socket of either family, or does not tell of its links.
  convenience init() throws(SystemError) {
    let any = NetworkAddress.any(port: 0)
    try self.init(ipv4: any, ipv6: any, joinsGroups: false)
  }

  /// For a server that listens at `address`, and answers nobody else than those who reach it there.
  convenience init(answeringFor address: NetworkAddress) throws(SystemError) {
    let any = NetworkAddress.any(port: Self.number)
    // What is not for loopback then does not even get here; and to join a group there would tell the links of us.
    var own = NetworkAddress(ipv4: 127, 255, 255, 255, port: Self.number)
    if !address.isLoopback { own = any }
    let isBoth = address.ip == 0
    try self.init(
      ipv4: isBoth || address.isIPv4 ? own : nil, ipv6: isBoth || !address.isIPv4 ? any : nil,
      joinsGroups: !address.isLoopback)
    join()
  }

  private init(ipv4: NetworkAddress?, ipv6: NetworkAddress?, joinsGroups: Bool) throws(SystemError) {
    self.joinsGroups = joinsGroups
    queries = try NetworkQueries()
    // A machine may lack either family; only where there is none at all nobody can be heard.
    var problem = SystemError(number: EAFNOSUPPORT)
    func open(_ family: SocketFamily, _ address: NetworkAddress?) -> DiscoverySocket? {
      guard let address else { return nil }
      do throws(SystemError) {
        return try DiscoverySocket(family, bind: address)
      } catch {
        problem = error
        return nil
      }
    }
    self.ipv4 = open(.ipv4, ipv4)
    self.ipv6 = open(.ipv6, ipv6)
    // Last: nothing frees it where something throws before it is all there.
    buffer = .allocate(byteCount: DiscoverySocket.bufferSize, alignment: 8)
    guard !descriptors.isEmpty else { throw problem }
    try look()
  }

  deinit { buffer.deallocate() }

  /// Asks the system for the links.
  func look() throws(SystemError) {
    var running: [UInt32: Link] = [:]
    // Around a tunnel nobody is asked: whoever is at its other end is no neighbour.
    for link in try queries.links() where link.isRunning && !link.isPointToPoint { running[link.interface] = link }
    var entries: [LocalLinks.Entry] = []
    for address in try queries.addresses() {
      guard let link = running[address.interface] else { continue }
      entries.append(
        LocalLinks.Entry(
          interface: address.interface, address: address.address, prefixLength: address.prefixLength,
          isLoopback: link.isLoopback))
    }
    links = LocalLinks(entries)
  }

  /// Asks the system for the links, and hears questions on those that are new.
  func lookAndJoin() throws(SystemError) {
    try look()
    join()
  }

  /// To join again where it is joined already is refused, and harmless.
  private func join() {
    guard joinsGroups else { return }
    for interface in Set(links.entries.lazy.filter { !$0.isLoopback }.map(\.interface)) {
      ipv4?.join(interface)
      ipv6?.join(interface)
    }
  }

  /// What `poll` is to look at.
  var descriptors: [CInt] { [ipv4, ipv6].compactMap { $0?.descriptor } }

  /// Sends a question to all, on all links.
  func broadcast(_ question: [UInt8]) {
    var asked: Set<UInt32> = []
    for entry in links.entries where asked.count < Self.mostLinks {
      guard asked.insert(entry.interface).inserted else { continue }
      let here = links.entries.filter { $0.interface == entry.interface }
      if entry.isLoopback {
        // It has no groups, but a broadcast.
        for case let address? in here.map(\.broadcast) { ask(question, at: address, by: entry.interface) }
        continue
      }
      if here.contains(where: \.address.isIPv4) {
        ask(question, at: LocalLinks.group4, by: entry.interface)
        ask(question, at: LocalLinks.everybody, by: entry.interface)
      }
      if here.contains(where: { !$0.address.isIPv4 }) { ask(question, at: LocalLinks.group6, by: entry.interface) }
    }
  }

  private func ask(_ question: [UInt8], at address: NetworkAddress, by interface: UInt32) {
    var address = address
    address.port = Self.number
    send(question, to: address, from: nil, by: interface)
  }

  func send(_ bytes: [UInt8], to address: NetworkAddress, from source: NetworkAddress?, by interface: UInt32) {
    if address.isIPv4 {
      ipv4?.send(bytes, to: address, from: source, by: interface)
    } else {
      ipv6?.send(bytes, to: address, from: source, by: interface)
    }
  }

  /// Hands over what has come.
  func receive(_ take: (RawSpan, Arrival) -> Void) {
    for _ in 0..<Self.batch {
      guard let (count, arrival) = ipv4?.receive(into: buffer) else { break }
      take(UnsafeRawBufferPointer(rebasing: buffer[..<count]).bytes, arrival)
    }
    for _ in 0..<Self.batch {
      guard let (count, arrival) = ipv6?.receive(into: buffer) else { break }
      take(UnsafeRawBufferPointer(rebasing: buffer[..<count]).bytes, arrival)
    }
  }

  /// Blocks until something has come to one of the descriptors, or until `limit`.
  static func wait(_ descriptors: [CInt], until limit: Instant) {
    var entries = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    let left = (limit - .current).inNanoseconds
    // Rounded up: a wait that ends too early would spin.
    let milliseconds = limit == .distantFuture ? -1 : CInt(clamping: max(0, left / 1_000_000 + 1))
    _ = poll(&entries, nfds_t(entries.count), left <= 0 ? 0 : milliseconds)
  }

  /// Makes the calling thread give way to others: nobody waits for its milliseconds.
  static func yieldToOthers() {
    // Of this thread alone, as Linux has it.
    let target = __priority_which_t(PRIO_PROCESS.rawValue)
    setpriority(target, 0, getpriority(target, 0) + 5)
  }
}
