import Foundation
import RoamkeySimulator
import Synchronization

@testable import Roamkey

/// A bad network between real sockets: a UDP relay on loopback that drops, doubles and reorders datagrams, and that
/// changes the address its clients seem to come from, as a NAT does that has forgotten them.
///
/// It has a thread of its own and ends with `stop`.
final class HostileRelay: Sendable {
  struct Conditions: Sendable {
    /// In hundredths of the datagrams, each way.
    var dropped: UInt64 = 0
    var doubled: UInt64 = 0
    /// Held back until a few others have passed.
    var delayed: UInt64 = 0
  }

  struct Counts: Sendable {
    var passed = 0
    var dropped = 0
    var doubled = 0
    var delayed = 0
  }

  private struct State: Sendable {
    var conditions: Conditions
    var counts = Counts()
    var server: NetworkAddress
    /// The address that the server sees next: set to move every client.
    var rebindTo: NetworkAddress?
    var isStopped = false
  }

  /// Where clients connect to.
  let address: NetworkAddress
  private let state: Mutex<State>

  init(to server: NetworkAddress, conditions: Conditions, seed: UInt64) throws {
    let front = try RelaySocket(NetworkAddress(ipv4: 127, 0, 0, 1, port: 0))
    let back = try RelaySocket(NetworkAddress(ipv4: 127, 0, 0, 2, port: 0))
    address = front.address
    state = Mutex(State(conditions: conditions, server: server))
    let thread = Thread { [weak self] in
      var loop = Loop(front: front, back: back, server: server, random: SeededRandom(seed: seed))
      while let relay = self, loop.turn(relay.state) {}
    }
    thread.start()
  }

  deinit { stop() }

  func stop() { state.withLock { $0.isStopped = true } }

  var counts: Counts { state.withLock { $0.counts } }

  /// From now on the server sees the client at another address and port.
  func rebind(to address: NetworkAddress) { state.withLock { $0.rebindTo = address } }

  /// From now on it leads to another server; what the one before still says is not passed on.
  func lead(to server: NetworkAddress) { state.withLock { $0.server = server } }

  func set(_ conditions: Conditions) { state.withLock { $0.conditions = conditions } }

  private struct Loop {
    let front: RelaySocket
    var back: RelaySocket
    var server: NetworkAddress
    var random: SeededRandom
    var client: NetworkAddress?
    /// Datagrams held back, and after how many others they go.
    var held: [(up: Bool, bytes: [UInt8], after: Int)] = []

    /// Returns false once the relay was stopped.
    mutating func turn(_ state: borrowing Mutex<State>) -> Bool {
      RelaySocket.wait(front, back)
      let (rebindTo, isStopped) = state.withLock { state in
        defer { state.rebindTo = nil }
        return (state.rebindTo, state.isStopped)
      }
      guard !isStopped else { return false }
      if let rebindTo, let fresh = try? RelaySocket(rebindTo) { back = fresh }
      while let (bytes, from) = front.receive() {
        client = from
        pass(bytes, up: true, state)
      }
      while let (bytes, from) = back.receive() {
        if from == state.withLock({ $0.server }) { pass(bytes, up: false, state) }
      }
      if !held.isEmpty { release(by: 1) }
      return true
    }

    /// The conditions are asked for after the datagram was received: what is sent after `set` or `lead` has returned is
    /// never treated as before.
    private mutating func pass(_ bytes: [UInt8], up: Bool, _ state: borrowing Mutex<State>) {
      let chances = (random.next() % 100, random.next() % 100, random.next() % 100)
      let (isDropped, isDelayed, isDoubled) = state.withLock { state in
        server = state.server
        let conditions = state.conditions
        let isDropped = chances.0 < conditions.dropped
        let isDelayed = !isDropped && chances.1 < conditions.delayed
        let isDoubled = !isDropped && !isDelayed && chances.2 < conditions.doubled
        state.counts.dropped += isDropped ? 1 : 0
        state.counts.passed += isDropped ? 0 : 1
        state.counts.delayed += isDelayed ? 1 : 0
        state.counts.doubled += isDoubled ? 1 : 0
        return (isDropped, isDelayed, isDoubled)
      }
      guard !isDropped else { return }
      guard !isDelayed else {
        held.append((up, bytes, Int(1 + random.next() % 8)))
        return
      }
      for _ in 0..<(isDoubled ? 2 : 1) { send(bytes, up: up) }
      release(by: 1)
    }

    private mutating func release(by count: Int) {
      for i in held.indices { held[i].after -= count }
      for datagram in held where datagram.after <= 0 { send(datagram.bytes, up: datagram.up) }
      held.removeAll { $0.after <= 0 }
    }

    private func send(_ bytes: [UInt8], up: Bool) {
      if up {
        back.send(bytes, to: server)
      } else if let client {
        front.send(bytes, to: client)
      }
    }
  }
}

/// A plain IPv4 UDP socket.
final class RelaySocket: Sendable {
  private let descriptor: Int32
  let address: NetworkAddress

  init(_ bind: NetworkAddress) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
    guard descriptor >= 0 else { throw POSIXError(.EMFILE) }
    // A burst of a whole congestion window must not be lost here: what is lost is what the relay decides.
    var size: Int32 = 4 << 20
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    let bound = Self.withAddress(bind) { Glibc.bind(descriptor, $0, $1) }
    guard bound == 0 else {
      close(descriptor)
      throw POSIXError(.EADDRINUSE)
    }
    var name = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(descriptor, $0, &length) }
    }
    self.descriptor = descriptor
    address = Self.address(name)
  }

  deinit { close(descriptor) }

  /// Until something can be read from either, for 2 ms at most.
  static func wait(_ a: RelaySocket, _ b: RelaySocket) {
    var descriptors = [
      pollfd(fd: a.descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: b.descriptor, events: Int16(POLLIN), revents: 0),
    ]
    poll(&descriptors, 2, 2)
  }

  func receive() -> (bytes: [UInt8], from: NetworkAddress)? {
    var buffer = [UInt8](repeating: 0, count: 2048)
    var name = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let count = withUnsafeMutablePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { recvfrom(descriptor, &buffer, 2048, 0, $0, &length) }
    }
    guard count >= 0 else { return nil }
    return (Array(buffer[..<count]), Self.address(name))
  }

  func send(_ bytes: [UInt8], to address: NetworkAddress) {
    _ = Self.withAddress(address) { name, length in sendto(descriptor, bytes, bytes.count, 0, name, length) }
  }

  private static func withAddress<R>(
    _ address: NetworkAddress, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R
  ) -> R {
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = address.port.bigEndian
    name.sin_addr.s_addr = UInt32(truncatingIfNeeded: address.ip).bigEndian
    return withUnsafePointer(to: name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }

  private static func address(_ name: sockaddr_in) -> NetworkAddress {
    let ip = UInt32(bigEndian: name.sin_addr.s_addr)
    return NetworkAddress(
      ipv4: UInt8(ip >> 24), UInt8(ip >> 16 & 255), UInt8(ip >> 8 & 255), UInt8(ip & 255),
      port: UInt16(bigEndian: name.sin_port))
  }
}
