internal import Glibc
internal import Roamkey
internal import RoamkeyTerminal

/// A bench server: one door for each signing policy, all with one key.
struct BenchHost: Sendable {
  let services: [BenchService]
  private let voice: BenchVoice

  /// How many clients at once: a few, with the sessions that they have just closed. More would measure each other.
  static let maximumGuests = 32

  /// - Parameter listen: of the first policy; the next one gets the next port, or with port 0 any.
  init(key: consuming PlayerKey, listen: NetworkAddress, policy: BenchPolicy, voice: BenchVoice) async throws(Failure) {
    self.voice = voice
    var servers: [(SigningPolicy, Server)] = []
    for (index, policy) in policy.policies.enumerated() {
      var address = listen
      if listen.port > 0 {
        guard let port = UInt16(exactly: Int(listen.port) + index) else {
          throw Failure(.usage, code: "badPort", "there is no port after 65535 for the second policy: take another one")
        }
        address.port = port
      }
      let copy = key.withSeed { PlayerKey(seed: SecretBytes(copying: $0)) }
      servers.append((policy, try await Self.start(copy, address, policy)))
    }
    let ports = Dictionary(servers.map { ($0.0, $0.1.address.port) }, uniquingKeysWith: { first, _ in first })
    let population = Locked<UInt64>(0)
    services = servers.map { policy, server in
      BenchService(
        server: server, doors: BenchDoors(ports: ports, here: policy), population: population, voice: voice)
    }
  }

  private static func start(
    _ key: consuming PlayerKey, _ address: NetworkAddress, _ policy: SigningPolicy
  ) async throws(Failure) -> Server {
    var configuration = RoamkeyConfiguration()
    configuration.maximumSessions = maximumGuests
    configuration.maximumMessageSize = BenchAction.maximumMessageSize
    // As much as reliable messages may take: a server that cannot count for a moment is not a network that loses.
    configuration.unreadUnreliableLimit = configuration.receiveCredit
    do throws(RoamkeyError) {
      return try await Server(
        key: key, application: BenchAction.application, listen: address, signingPolicy: policy, instanceFile: .none,
        discovery: .off, configuration: configuration)
    } catch {
      throw Failure(error)
    }
  }

  var id: PlayerID { services[0].server.id }
  var address: NetworkAddress { services[0].server.address }

  /// Serves until ``close()``.
  func run() async {
    voice.listening(self)
    await withTaskGroup(of: Void.self) { group in
      for service in services {
        group.addTask { await service.watchGuests() }
      }
      await withTaskGroup(of: Void.self) { serving in
        for service in services { serving.addTask { await service.run() } }
      }
      group.cancelAll()
    }
  }

  func close() async {
    await withTaskGroup(of: Void.self) { group in
      for service in services { group.addTask { await service.server.close() } }
    }
  }

  // MARK: How to get here

  /// What the other machine is to call this one, as far as this one can tell.
  var invitation: String {
    guard address.isUnspecified else { return address.description }
    return "\(Self.ownAddress ?? "THIS-MACHINE"):\(address.port)"
  }

  /// The address from which this machine talks to the internet: the best guess, which sends nothing (connect(2) on a
  /// datagram socket only looks up the way).
  private static var ownAddress: String? {
    let descriptor = socket(AF_INET, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    defer { Glibc.close(descriptor) }
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = UInt16(9).bigEndian
    // 192.0.2.1, which is nobody's (RFC 5737).
    name.sin_addr.s_addr = UInt32(0xc000_0201).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isFound = withUnsafeMutablePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
      }
    }
    let ip = UInt32(bigEndian: name.sin_addr.s_addr)
    guard isFound, ip != 0 else { return nil }
    return [24, 16, 8, 0].map { "\(ip >> $0 & 255)" }.joined(separator: ".")
  }
}
