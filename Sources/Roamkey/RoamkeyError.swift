public import RoamkeyCrypto

/// Why a server could not start, or a client could not connect or move: one sentence that says what to do.
///
/// It never contains anything secret. What concerns key files is a `KeyFileError`, what concerns a single message a
/// `SendError`.
public struct RoamkeyError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What went wrong, for programs. More may be added. Its description is a stable short name.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    private let name: Name

    private enum Name: String {
      case badApplication, badName, badPort, badThreads, badAddress, hostNotFound, nameServiceSilent
      case portInUse, addressNotAvailable, permissionDenied, system, closed
      case noAnswer, wrongServer, unsupportedVersion, wrongApplication, wrongSigningPolicy
      case notAllowed, banned, full
      case cannotRecord
    }

    /// The application's name is empty or too long.
    public static let badApplication = Code(name: .badApplication)
    /// The name for people is too long, or has characters that are none.
    public static let badName = Code(name: .badName)
    /// Not a port number.
    public static let badPort = Code(name: .badPort)
    /// Not a number of threads that a server may have.
    public static let badThreads = Code(name: .badThreads)
    /// Not a host and port.
    public static let badAddress = Code(name: .badAddress)
    /// There is no such host.
    public static let hostNotFound = Code(name: .hostNotFound)
    /// The name service did not answer.
    public static let nameServiceSilent = Code(name: .nameServiceSilent)
    /// Somebody else has the UDP port.
    public static let portInUse = Code(name: .portInUse)
    /// The address is none of this machine's.
    public static let addressNotAvailable = Code(name: .addressNotAvailable)
    /// The system does not allow it.
    public static let permissionDenied = Code(name: .permissionDenied)
    /// The system has refused for another reason.
    public static let system = Code(name: .system)
    /// It was closed, or its task cancelled.
    public static let closed = Code(name: .closed)
    /// Nobody answered.
    public static let noAnswer = Code(name: .noAnswer)
    /// The server has another key than the pinned one.
    public static let wrongServer = Code(name: .wrongServer)
    /// The server speaks other versions of the protocol.
    public static let unsupportedVersion = Code(name: .unsupportedVersion)
    /// The server runs another application.
    public static let wrongApplication = Code(name: .wrongApplication)
    /// The signing policies of server and client do not go together.
    public static let wrongSigningPolicy = Code(name: .wrongSigningPolicy)
    /// The server has a list of players, and this one is not on it.
    public static let notAllowed = Code(name: .notAllowed)
    /// The server does not let this player in.
    public static let banned = Code(name: .banned)
    /// The server has no place left.
    public static let full = Code(name: .full)
    /// What is received cannot be recorded, or not any more.
    public static let cannotRecord = Code(name: .cannotRecord)

    public var description: String { name.rawValue }

    /// Whether the other side or a pin has said no: trying again changes nothing until a person has changed something.
    var isRefusal: Bool {
      switch name {
      case .wrongServer, .unsupportedVersion, .wrongApplication, .wrongSigningPolicy, .notAllowed, .banned, .full: true
      case .badApplication, .badName, .badPort, .badThreads, .badAddress, .hostNotFound, .nameServiceSilent, .portInUse,
        .addressNotAvailable, .permissionDenied, .system, .closed, .noAnswer, .cannotRecord:
        false
      }
    }
  }

  /// What went wrong.
  public let code: Code
  public let description: String
  /// Where the key is not the pinned one: the key that was found.
  public let foundServer: PlayerID?

  /// Whether the peer or a pin has said no, as opposed to something that failed.
  public var isRefusal: Bool { code.isRefusal }

  init(_ code: Code, _ description: String, foundServer: PlayerID? = nil) {
    self.code = code
    self.description = description
    self.foundServer = foundServer
  }
}
