import Glibc

/// Why a key file could not be read or written: one sentence that names the file and says what to do.
///
/// It never contains anything of a key or a passphrase.
public struct KeyFileError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What went wrong. More may be added.
  public struct Code: Hashable, Sendable {
    private enum Name {
      case notFound, isDirectory, notRegularFile, readableByOthers, alreadyExists, notPEM, corrupt, tooLarge
      case wrongKind, publicOnly, passphraseNeeded, wrongPassphrase, emptyPassphrase, cannotRead, cannotWrite
      case outOfMemory
    }
    private let name: Name

    /// There is no such file.
    public static let notFound = Code(name: .notFound)
    /// The path leads to a directory.
    public static let isDirectory = Code(name: .isDirectory)
    /// The path leads to a pipe, a socket or a device.
    public static let notRegularFile = Code(name: .notRegularFile)
    /// Others than the owner have rights to a file that holds a secret.
    public static let readableByOthers = Code(name: .readableByOthers)
    /// Something stands where the file should go; it was not touched.
    public static let alreadyExists = Code(name: .alreadyExists)
    /// Not a PEM file.
    public static let notPEM = Code(name: .notPEM)
    /// A key file that was cut off or altered.
    public static let corrupt = Code(name: .corrupt)
    /// More than 16 KiB.
    public static let tooLarge = Code(name: .tooLarge)
    /// A key, but not an Ed25519 key as Roamkey reads it.
    public static let wrongKind = Code(name: .wrongKind)
    /// A public key where a private one is needed.
    public static let publicOnly = Code(name: .publicOnly)
    /// The key is protected by a passphrase and none was given.
    public static let passphraseNeeded = Code(name: .passphraseNeeded)
    /// The passphrase does not open the file.
    public static let wrongPassphrase = Code(name: .wrongPassphrase)
    /// A passphrase without any character protects nothing.
    public static let emptyPassphrase = Code(name: .emptyPassphrase)
    /// The system refused to read.
    public static let cannotRead = Code(name: .cannotRead)
    /// The system refused to write.
    public static let cannotWrite = Code(name: .cannotWrite)
    /// Too little memory to work with a passphrase.
    public static let outOfMemory = Code(name: .outOfMemory)
  }

  /// What went wrong.
  public let code: Code
  /// The file, as it was named by the caller.
  public let path: String
  /// The system's words, where it refused something.
  package let detail: String
  /// What the file should hold.
  private var content = Content.key

  enum Content {
    case key, passphrase, words, handovers
  }

  init(_ code: Code, _ path: String, _ detail: String = "") {
    self.code = code
    self.path = path
    self.detail = detail
  }

  /// With the system's words for `number`.
  init(_ code: Code, _ path: String, errno number: Int32) {
    self.init(code, path, String(cString: strerror(number)))
  }

  /// The same, said of a file that should hold no key.
  func about(_ content: Content) -> KeyFileError {
    var error = self
    error.content = content
    return error
  }

  public var description: String {
    let file = KeyFileError.shown(path)
    switch (content, code) {
    case (.passphrase, .notFound): return "There is no passphrase file \(file): check the path."
    case (.passphrase, .tooLarge):
      return "\(file) is larger than 16 KiB, which no passphrase file is: check the path."
    case (.passphrase, .emptyPassphrase): return "The first line of \(file) is empty: write the passphrase there."
    case (.words, .notFound): return "There is no file of words \(file): check the path."
    case (.words, .tooLarge): return "\(file) is larger than 16 KiB, which no file of words is: check the path."
    case (.handovers, .notFound): return "There is no file of hand-overs \(file): check the path."
    case (.handovers, .tooLarge):
      return "\(file) is larger than 16 KiB: check the path, or give fewer hand-overs at once."
    default: break
    }
    switch code {
    case .notFound: return "There is no file \(file): check the path, or make a key with `roamkey keygen`."
    case .isDirectory: return "\(file) is a directory: give the path of a file."
    case .notRegularFile: return "\(file) is not a regular file: give the path of a file on disk."
    case .readableByOthers: return "Others can read the secret in \(file): run: chmod 600 \(file)"
    case .alreadyExists: return "\(file) exists already and was left as it is: choose another path or overwrite it."
    case .notPEM: return "\(file) is not a key file: it should contain a line -----BEGIN PRIVATE KEY-----."
    case .corrupt: return "The key file \(file) is damaged (\(detail)): restore it from a copy."
    case .tooLarge: return "\(file) is larger than 16 KiB, which no key file is: check the path."
    case .wrongKind: return "\(file) holds \(detail): give an Ed25519 key, as `roamkey keygen` makes it."
    case .publicOnly: return "\(file) holds a public key only: give the file with the private key."
    case .passphraseNeeded: return "The key in \(file) is protected: give its passphrase (--passphrase-file)."
    case .wrongPassphrase: return "The passphrase does not open \(file): try again, or restore the file from a copy."
    case .emptyPassphrase: return "The passphrase for \(file) is empty: give at least one character."
    case .outOfMemory: return "There is too little memory to use a passphrase with \(file): close other programs."
    case .cannotWrite: return "\(file) cannot be written (\(detail)): check the directory and its permissions."
    default: return "\(file) cannot be read (\(detail)): check the file and its permissions."
    }
  }

  /// The path, without control characters that a terminal would obey.
  package static func shown(_ path: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in path.unicodeScalars {
      result.append(scalar.properties.generalCategory == .control ? "?" : scalar)
    }
    return result.isEmpty ? "(no path)" : String(result)
  }
}
