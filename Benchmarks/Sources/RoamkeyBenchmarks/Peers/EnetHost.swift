internal import Enet

/// An ENet host with its socket, and at most one peer.
///
/// `@unchecked`: ENet has no lock; a host is handed to exactly one thread, and used by no other from then on.
final class EnetHost: @unchecked Sendable {
  enum Event {
    case connected
    case message([UInt8])
    case disconnected
  }

  private static let isInitialized = enet_initialize() == 0

  private let host: UnsafeMutablePointer<ENetHost>
  private var peer: UnsafeMutablePointer<ENetPeer>?

  /// The library's version, such as `1.3.17`.
  static var version: String {
    let version = enet_linked_version()
    return "\(version >> 16 & 255).\(version >> 8 & 255).\(version & 255)"
  }

  private init(at address: ENetAddress?) throws(BenchmarkFailure) {
    guard Self.isInitialized else { throw BenchmarkFailure("ENet does not start") }
    // One peer and one channel; no limits of bandwidth.
    let created =
      if var address { enet_host_create(&address, 1, 1, 0, 0) } else { enet_host_create(nil, 1, 1, 0, 0) }
    guard let created else { throw BenchmarkFailure("ENet has no host") }
    host = created
  }

  deinit { enet_host_destroy(host) }

  /// Waits for a peer on a free port of 127.0.0.1.
  static func server() throws(BenchmarkFailure) -> EnetHost { try EnetHost(at: loopback(port: 0)) }

  /// Calls a server on 127.0.0.1; `connected` follows.
  static func client(of port: UInt16) throws(BenchmarkFailure) -> EnetHost {
    let client = try EnetHost(at: nil)
    var address = try loopback(port: port)
    client.peer = enet_host_connect(client.host, &address, 1, 0)
    guard client.peer != nil else { throw BenchmarkFailure("ENet does not connect") }
    return client
  }

  private static func loopback(port: UInt16) throws(BenchmarkFailure) -> ENetAddress {
    var address = ENetAddress(host: 0, port: port)
    guard enet_address_set_host_ip(&address, "127.0.0.1") == 0 else { throw BenchmarkFailure("ENet has no address") }
    return address
  }

  var port: UInt16 { host.pointee.address.port }

  /// Sends a reliable message at once.
  func send(_ bytes: [UInt8]) throws(BenchmarkFailure) {
    let packet = enet_packet_create(bytes, bytes.count, ENET_PACKET_FLAG_RELIABLE.rawValue)
    guard let packet, enet_peer_send(peer, 0, packet) == 0 else { throw BenchmarkFailure("ENet does not send") }
    enet_host_flush(host)
  }

  /// Until something has arrived, but no longer than `limit`.
  func wait(atMost limit: Duration) { DatagramSocket.wait(for: host.pointee.socket, atMost: limit) }

  /// Sends and receives what there is; what happened, if anything did.
  func service() throws(BenchmarkFailure) -> Event? {
    var event = ENetEvent()
    guard enet_host_service(host, &event, 0) >= 0 else { throw BenchmarkFailure("ENet has failed") }
    switch event.type {
    case ENET_EVENT_TYPE_CONNECT: return .connected
    case ENET_EVENT_TYPE_DISCONNECT: return .disconnected
    case ENET_EVENT_TYPE_RECEIVE:
      guard let packet = event.packet else { return nil }
      defer { enet_packet_destroy(packet) }
      return .message(Array(UnsafeBufferPointer(start: packet.pointee.data, count: packet.pointee.dataLength)))
    // C enumerations may have any value; ENet's only other one says that nothing happened.
    default: return nil
    }
  }

  /// Tells the other side once that this one is gone.
  func disconnect() {
    if let peer { enet_peer_disconnect_now(peer, 0) }
  }
}
