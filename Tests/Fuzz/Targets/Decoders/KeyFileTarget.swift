import RoamkeyCrypto

extension FuzzTargets {
  /// Key files: as text, or from the DER that an input brings, in a frame that is right.
  static let keyFiles = FuzzTarget(
    "keyfiles", longestInput: 600,
    milestones: ["private", "public", "sealed", "opened", "mismatch", "otherKind", "needsPassphrase", "tooOpen"]
  ) { input, reached in
    let mode = input.byte()
    switch mode & 7 {
    case 0: load(FuzzPEM.frame("PRIVATE KEY", input.rest()), &reached)
    case 1: load(FuzzPEM.frame("PUBLIC KEY", input.rest()), &reached)
    case 2:
      load(FuzzPEM.frame("ROAMKEY ENCRYPTED PRIVATE KEY", cheap(input.rest())), &reached)
      open(&reached)
    case 3:
      // A key that is there with attributes and a public one behind it (RFC 5958).
      let seed = input.take(32)
      let key = FuzzPEM.versionTwo(seed + [UInt8](repeating: 7, count: 32 - seed.count), tail: input.rest())
      load(FuzzPEM.frame("PRIVATE KEY", key), &reached)
    case 4: load(input.rest(), mode: 0o644, &reached)
    default: load(input.rest(), &reached)
    }
  }

  /// What a protected file asks of whoever opens it, within what a fuzzer can pay.
  private static func cheap(_ file: [UInt8]) -> [UInt8] {
    guard file.count >= 9 else { return file }
    // The lowest bits are the input's, so that the limits are tried as well.
    var file = file
    file.replaceSubrange(1..<4, with: [0, 0, 0])
    file.replaceSubrange(5..<8, with: [0, 0, 0])
    file[4] &= 1
    file[8] &= 0x7f
    return file
  }

  private static func load(_ text: [UInt8], mode: UInt32 = 0o600, _ reached: inout Milestones) {
    FuzzFile.shared.write(text, mode: mode)
    let path = FuzzFile.shared.path
    let id = try? PlayerID.load(path)
    if id != nil { reached.reach(1) }
    do throws(KeyFileError) {
      let key = try PlayerKey.load(path)
      reached.reach(0)
      precondition(key.id == id, "a file's player is not that of its key")
      let copy = PlayerKey(seed: key.withSeed { SecretBytes(copying: $0) })
      precondition(!text.isEmpty && mode & 0o077 == 0, "a secret of all is read")
      precondition(copy.id == key.id, "a seed gives another key")
    } catch {
      precondition(!error.description.isEmpty, "an error without words")
      note(error, &reached)
    }
  }

  /// A protected file that is cheap to open.
  private static func open(_ reached: inout Milestones) {
    let path = FuzzFile.shared.path
    guard let id = try? PlayerID.load(path) else { return }
    reached.reach(2)
    do throws(KeyFileError) {
      let key = try PlayerKey.load(path, passphrase: Passphrase("correct horse"))
      precondition(key.id == id, "a protected file is somebody else's")
      reached.reach(3)
    } catch {
      precondition(error.code == .wrongPassphrase || error.code == .corrupt, "another error: \(error)")
    }
  }

  private static func note(_ error: KeyFileError, _ reached: inout Milestones) {
    switch error.code {
    case .passphraseNeeded: reached.reach(6)
    case .wrongKind: reached.reach(5)
    case .corrupt: if error.detail.contains("belong") { reached.reach(4) }
    case .readableByOthers: reached.reach(7)
    default: break
    }
  }
}

/// Key files written from their standards.
enum FuzzPEM {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// RFC 7468.
  static func frame(_ label: String, _ bytes: [UInt8]) -> [UInt8] {
    var text = Array("-----BEGIN \(label)-----\n".utf8)
    for (place, character) in base64(bytes).enumerated() {
      if place > 0, place % 64 == 0 { text.append(UInt8(ascii: "\n")) }
      text.append(character)
    }
    return text + Array("\n-----END \(label)-----\n".utf8)
  }

  private static func base64(_ bytes: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = (0..<3).reduce(UInt32(0)) {
        $0 << 8 | (start + $1 < bytes.count ? UInt32(bytes[start + $1]) : 0)
      }
      for place in 0..<4 {
        let isPadding = start + place > bytes.count
        text.append(isPadding ? UInt8(ascii: "=") : alphabet[Int(group >> UInt32(18 - 6 * place) & 63)])
      }
    }
    return text
  }

  /// OneAsymmetricKey of version 2 (RFC 5958 §2), with `tail` behind the key.
  static func versionTwo(_ seed: [UInt8], tail: [UInt8]) -> [UInt8] {
    let body: [UInt8] =
      [0x02, 0x01, 0x01, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20] + seed + tail
    if body.count < 0x80 { return [0x30, UInt8(body.count)] + body }
    return body.count < 0x100
      ? [0x30, 0x81, UInt8(body.count)] + body : [0x30, 0x82, UInt8(body.count >> 8), UInt8(body.count & 0xff)] + body
  }
}
