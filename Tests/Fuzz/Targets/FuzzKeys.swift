import RoamkeyCrypto

/// The players of all targets: the same keys always, so that an input means the same always.
enum FuzzKeys {
  enum Role: UInt8 { case server = 1, client = 2 }

  static let server = make(.server).id
  static let client = make(.client).id
  private static let serverKey = make(.server)
  private static let clientKey = make(.client)

  static func make(_ role: Role) -> PlayerKey {
    var seed = [UInt8](repeating: role.rawValue, count: 32)
    return PlayerKey(seed: SecretBytes(wiping: &seed))
  }

  /// 64 bytes.
  static func sign(_ message: RawSpan, as role: Role) -> [UInt8] {
    switch role {
    case .server: serverKey.sign(message).bytes
    case .client: clientKey.sign(message).bytes
    }
  }

  /// 32 secret bytes that follow from a number.
  static func secret(_ number: UInt8) -> SecretBytes {
    var bytes = [UInt8](repeating: number, count: 32)
    return SecretBytes(wiping: &bytes)
  }
}
