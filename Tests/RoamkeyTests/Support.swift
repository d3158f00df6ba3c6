import Foundation
import TestSupport
import Testing

@testable import Roamkey

/// All events so far of something that is asked for them, looked through again and again.
final class Log<Event: Sendable>: @unchecked Sendable {
  private(set) var events: [Event] = []
  private let take: () -> [Event]

  init(_ take: @escaping () -> [Event]) { self.take = take }

  @discardableResult
  func first<T>(_ what: String, _ match: (Event) -> T?) async throws -> T {
    try await eventually(what) {
      events += take()
      for event in events { if let result = match(event) { return result } }
      return nil
    }
  }

  /// Looks only at what comes from now on.
  func forget() { events = [] }

  /// Waits until `count` events match, and returns what they gave.
  func all<T>(_ count: Int, _ what: String, _ match: (Event) -> T?) async throws -> [T] {
    try await eventually(what, within: .seconds(240)) {
      events += take()
      let found = events.compactMap(match)
      return found.count >= count ? found : nil
    }
  }
}

let loopback = NetworkAddress(ipv4: 127, 0, 0, 1, port: 0)

/// A server on a free port of loopback.
/// - Parameter discovery: off where a relay is to be the only way: else a client that misses its server would find it.
func makeServer(
  application: String = "test/1", allow: Set<PlayerID>? = nil, deny: Set<PlayerID> = [],
  signingPolicy: SigningPolicy = .everyPacket, discovery: Discovery = .localNetwork,
  configuration: RoamkeyConfiguration = .init()
) async throws -> Server {
  try await Server(
    key: .generate(), application: application, listen: loopback, signingPolicy: signingPolicy, allow: allow,
    deny: deny, discovery: discovery, configuration: configuration)
}

/// A client of it, which the server's app has been told of: until then the server says `notConnected`.
func makeClient(
  _ server: Server, key: consuming PlayerKey = .generate(), bind: NetworkAddress? = nil,
  configuration: RoamkeyConfiguration = .init()
) async throws -> Client {
  let client = try await Client(
    key: key, application: "test/1", server: "\(server.address)", pinned: server.id, bind: bind,
    configuration: configuration)
  try await eventually("the server to know of its client") { server.players.contains(client.id) ? true : nil }
  return client
}

extension Server {
  var log: Log<Event> { Log { self.takeEvents() } }
  var receiptLog: Log<Receipt> { Log { self.takeReceipts() } }
}

extension Client {
  var log: Log<Event> { Log { self.takeEvents() } }
  var receiptLog: Log<Receipt> { Log { self.takeReceipts() } }
}

/// A key as often as it is needed, since each one is handed over for good.
func sameKey(_ seed: [UInt8]) -> PlayerKey {
  var seed = seed
  return PlayerKey(seed: SecretBytes(wiping: &seed))
}

/// What such a key is made of.
func randomSeed() -> [UInt8] { (0..<32).map { _ in UInt8.random(in: 0...255) } }
