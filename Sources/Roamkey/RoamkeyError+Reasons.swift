internal import RoamkeyCrypto
internal import RoamkeyEngine
internal import RoamkeyUDP
internal import RoamkeyWire

extension RoamkeyError {
  /// Why there is no session with `server`, the text that the app gave.
  init(_ error: ConnectError, server: String) {
    let server = Self.shown(server)
    switch error {
    case .noAnswer:
      self.init(
        .noAnswer, "nobody answers at \(server): check address and port, and whether the server runs and is reachable")
    case .wrongServer(let expected, let found):
      self.init(
        .wrongServer,
        "the server at \(server) is not the expected one: its key is \(found), not \(expected); "
          + "connect only if its owner confirms the new key",
        foundServer: found)
    case .unsupportedVersion:
      self.init(
        .unsupportedVersion, "the server at \(server) speaks another version of the protocol: update both sides")
    case .wrongApplication(let application):
      self.init(
        .wrongApplication,
        "the server at \(server) runs '\(Self.shown(application))', another application: connect to one that runs yours"
      )
    case .wrongSigningPolicy(let policy):
      let words = policy == .everyPacket ? "signs every packet" : "does not sign packets"
      self.init(.wrongSigningPolicy, "the server at \(server) \(words), which this client does not accept")
    case .refused(let refusal): self.init(refusal, server: server)
    case .closed: self.init(.closed, "the client was closed before it was connected")
    }
  }

  private init(_ refusal: Refusal, server: String) {
    switch refusal {
    case .wrongApplication:
      self.init(.wrongApplication, "the server at \(server) runs another application: connect to one that runs yours")
    case .wrongSigningPolicy:
      self.init(.wrongSigningPolicy, "the server at \(server) does not accept this client's signing policy")
    case .notAllowed:
      self.init(
        .notAllowed,
        "the server at \(server) lets only known players in: send its owner your player id and ask to be let in"
      )
    case .banned:
      self.init(.banned, "the server at \(server) does not let this player in: ask its owner why")
    case .full:
      self.init(
        .full, "the server at \(server) is full, or has enough players from your address: try again later"
      )
    }
  }

  init(_ error: HostError) {
    let code: Code =
      switch error {
      case .badText: .badAddress
      case .badPort: .badPort
      case .notFound: .hostNotFound
      case .noAnswer: .nameServiceSilent
      }
    self.init(code, error.description)
  }

  init(_ error: UDPError) {
    let code: Code =
      switch error.kind {
      case .portInUse: .portInUse
      case .addressNotAvailable: .addressNotAvailable
      case .permissionDenied: .permissionDenied
      case .stopped: .closed
      case .system: .system
      }
    self.init(code, error.description)
  }

  /// Looks at what the app itself says in the handshake, so that a mistake is told at once and not by the peer.
  static func check(application: String, name: String? = nil) throws(RoamkeyError) {
    guard (1...255).contains(application.utf8.count) else {
      throw RoamkeyError(
        .badApplication, "an application's name has 1 to 255 bytes of UTF-8, this one \(application.utf8.count)")
    }
    guard let name else { return }
    guard name.utf8.count <= 64 else {
      throw RoamkeyError(.badName, "a name has at most 64 bytes of UTF-8, this one \(name.utf8.count)")
    }
    guard DisplayText.isClean(name) else {
      throw RoamkeyError(.badName, "a name has no control characters or marks of writing direction")
    }
  }

  static func check(threads: Int, _ loop: LoopMode) throws(RoamkeyError) {
    if loop == .polled && threads != 1 {
      throw RoamkeyError(.badThreads, "a server that is polled runs on one thread, the app's own, not on \(threads)")
    }
    guard (1...ServerShard.most).contains(threads) else {
      throw RoamkeyError(.badThreads, "a server has 1 to \(ServerShard.most) threads, not \(threads)")
    }
  }

  /// - Throws: `badPort` outside of 0 to 65535.
  static func port(_ number: Int) throws(RoamkeyError) -> UInt16 {
    guard let port = UInt16(exactly: number) else {
      throw RoamkeyError(.badPort, "\(number) is not a UDP port: give a number from 0 to 65535")
    }
    return port
  }

  /// A text from elsewhere, short and without what could disturb a terminal.
  private static func shown(_ text: String) -> String {
    DisplayText.clean(String(String.UnicodeScalarView(text.unicodeScalars.prefix(80))))
  }
}
