import RoamkeyCrypto

extension FuzzTargets {
  /// Player ids as people copy them. An input chooses whether the checksum is right, so that what lies behind it is
  /// reached.
  static let playerIDs = FuzzTarget(
    "playerids", longestInput: 100, milestones: ["read", "typo", "badCharacter", "padding", "upperCase", "noText"]
  ) { input, reached in
    let mode = input.byte()
    if mode & 3 == 0 {
      let key = input.take(Digest.size)
      let id = PlayerID(publicKey: Digest(key + [UInt8](repeating: 0, count: Digest.size - key.count)))
      precondition((try? PlayerID(id.description)) == id, "an id is not read as what was written")
      precondition((try? PlayerID(" \(id.description.uppercased())\n")) == id, "capitals are another id")
      precondition(id.description.utf8.count == 61, "an id has 61 characters")
      precondition(id.fingerprint.split(separator: "-").count == 6, "a fingerprint has six words")
      return reached.reach(4)
    }
    var text = String(decoding: input.rest(), as: UTF8.self)
    if mode & 3 == 1 { text = FuzzBech32m.withChecksum("rk", text) }
    do throws(PlayerIDError) {
      let id = try PlayerID(text)
      reached.reach(0)
      let written = id.description
      let core = text.unicodeScalars.filter { !$0.properties.isWhitespace }.map { String($0) }.joined()
      precondition(written == core.lowercased(), "an id has two texts: \(written) and \(text)")
    } catch {
      precondition(!error.description.isEmpty, "an error without words")
      switch error.code {
      case .typo: reached.reach(1)
      case .badCharacter: reached.reach(2)
      case .wrongLength: reached.reach(3)
      case .empty: reached.reach(5)
      default: break
      }
    }
  }
}

/// Bech32m's checksum (BIP 350), written from the standard.
enum FuzzBech32m {
  private static let alphabet = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)

  /// `prefix`, `1`, what of `text` can stand there, and the checksum.
  static func withChecksum(_ prefix: String, _ text: String) -> String {
    let groups = text.utf8.compactMap { byte in alphabet.firstIndex(of: byte).map { UInt8($0) } }
    let human = Array(prefix.utf8)
    let sum = polymod(human.map { $0 >> 5 } + [0] + human.map { $0 & 31 } + groups + [0, 0, 0, 0, 0, 0]) ^ 0x2bc8_30a3
    let tail = (0..<6).map { UInt8(sum >> (5 * UInt32(5 - $0)) & 31) }
    return prefix + "1" + String(decoding: (groups + tail).map { alphabet[Int($0)] }, as: UTF8.self)
  }

  private static func polymod(_ values: [UInt8]) -> UInt32 {
    let generators: [UInt32] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3]
    return values.reduce(1) { sum, value in
      let top = sum >> 25
      let shifted = (sum & 0x1ff_ffff) << 5 ^ UInt32(value)
      return generators.enumerated().reduce(shifted) { top >> UInt32($1.offset) & 1 == 1 ? $0 ^ $1.element : $0 }
    }
  }
}
