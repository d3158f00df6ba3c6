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

  var title: String {
    switch self {
    case .raw: "raw UDP"
    case .gso: "raw GSO"
    case .enet: "ENet"
    case .dtls: "DTLS 1.2"
    case .sealed: "Roamkey sealed"
    case .signed: "Roamkey signed"
    }
  }

  var isOurs: Bool {
    switch self {
    case .sealed, .signed: true
    case .raw, .gso, .enet, .dtls: false
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
