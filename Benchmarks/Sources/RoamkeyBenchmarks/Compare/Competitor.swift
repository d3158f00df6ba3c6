internal import Roamkey

/// Who is compared.
enum Competitor: String, CaseIterable, Sendable {
  /// UDP without anything: many datagrams a call (sendmmsg, recvmmsg).
  case raw
  /// The same in runs that the kernel cuts and joins (GSO, GRO).
  case gso
  case enet
  /// DTLS 1.2 by OpenSSL.
  case dtls
  case sealed, signed
  /// The same without threads of its own: the app polls, as one does with ENet.
  case sealedPolled = "sealed-polled"
  case signedPolled = "signed-polled"

  var title: String {
    switch self {
    case .raw: "raw UDP"
    case .gso: "raw GSO"
    case .enet: "ENet"
    case .dtls: "DTLS 1.2"
    case .sealed: "Roamkey sealed"
    case .signed: "Roamkey signed"
    case .sealedPolled: "Roamkey sealed, polled"
    case .signedPolled: "Roamkey signed, polled"
    }
  }

  var isOurs: Bool {
    switch self {
    case .sealed, .signed, .sealedPolled, .signedPolled: true
    case .raw, .gso, .enet, .dtls: false
    }
  }
}

/// How Roamkey is set up.
extension Competitor {
  var policy: SigningPolicy {
    switch self {
    case .signed, .signedPolled: .everyPacket
    case .raw, .gso, .enet, .dtls, .sealed, .sealedPolled: .sealedOnly
    }
  }

  /// How many clients each process of clients has. A client of ours has some five descriptors, and a process may have
  /// 20,000 on many a machine; the clients of others need one or none.
  func shares(of peers: Int) -> [Int] {
    guard isOurs, peers > Self.clientsInProcess else { return [peers] }
    let count = (peers + Self.clientsInProcess - 1) / Self.clientsInProcess
    return (0..<count).map { peers * ($0 + 1) / count - peers * $0 / count }
  }

  static var clientsInProcess: Int { 2000 }

  var loop: LoopMode {
    switch self {
    case .sealedPolled, .signedPolled: .polled
    case .raw, .gso, .enet, .dtls, .sealed, .signed: .ownThread
    }
  }
}

/// Which end of a session a process is.
enum Role: String, Sendable {
  case server, client
}

/// What is promised of a message.
enum Promise: Sendable {
  case reliable, unreliable
}
