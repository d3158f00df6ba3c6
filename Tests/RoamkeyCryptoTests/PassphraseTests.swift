import Foundation
import Testing

@testable import RoamkeyCrypto

@Suite struct PassphraseTests {
  private let directory: TemporaryDirectory
  /// The least that libsodium allows, so that tests are fast.
  private let light = SealedKey.Limits(passes: 1, memoryKiB: 8)

  init() throws { directory = try TemporaryDirectory() }

  private func code(_ passphrase: borrowing Passphrase) throws -> KeyFileError.Code? {
    do {
      _ = try PlayerKey.load(directory.file("me.pem"), passphrase: passphrase)
      return nil
    } catch {
      return error.code
    }
  }

  private func sealed(_ key: borrowing PlayerKey, _ passphrase: borrowing Passphrase) throws -> [UInt8] {
    let bytes = SealedKey.seal(key, passphrase, light)
    return try #require(bytes)
  }

  @Test func rightOneOpensAndNoOther() throws {
    let path = directory.file("me.pem")
    let key = PlayerKey.generate()
    let passphrase = Passphrase("correct horse")
    try key.save(to: path, passphrase: passphrase)
    #expect(try PlayerKey.load(path, passphrase: passphrase).id == key.id)
    #expect(try code(Passphrase("correct hors")) == .wrongPassphrase)
    #expect(try keyFileCode { _ = try PlayerKey.load(path) } == .passphraseNeeded)
    #expect(try PlayerID.load(path) == key.id, "the id needs no passphrase")
    #expect(try directory.mode("me.pem") == 0o600)
    #expect(try directory.read("me.pem").hasPrefix("-----BEGIN ROAMKEY ENCRYPTED PRIVATE KEY-----\n"))
    try #require(chmod(path, 0o644) == 0)
    #expect(try code(passphrase) == .readableByOthers)
  }

  @Test func seedIsNotInTheFileAndNoTwoFilesAreAlike() throws {
    let key = PlayerKey.generate()
    let passphrase = Passphrase("p")
    let first = try sealed(key, passphrase)
    let second = try sealed(key, passphrase)
    #expect(first.count == SealedKey.size)
    #expect(first[9..<49] != second[9..<49])
    #expect(first[81...] != second[81...])
    let seed = key.withSeed { Array($0) }
    #expect(!first.indices.contains { first[$0...].starts(with: seed.prefix(8)) })
  }

  /// Version, work, salt, nonce, public key, ciphertext: whatever is altered, the file does not open.
  @Test func everyByteIsAuthenticated() throws {
    let key = PlayerKey.generate()
    let passphrase = Passphrase("p")
    let file = try sealed(key, passphrase)
    for index in file.indices {
      let altered = file.flipped(at: index)
      #expect(throws: SealedKey.OpeningError.self, "byte \(index)") {
        try altered.withUnsafeBytes { bytes in _ = try SealedKey.open(bytes, passphrase) }
      }
    }
    let opened = try file.withUnsafeBytes { bytes in try SealedKey.open(bytes, passphrase).id }
    #expect(opened == key.id)
  }

  @Test func hostileWorkIsRefusedUnread() throws {
    let passphrase = Passphrase("p")
    let file = try sealed(PlayerKey.generate(), passphrase)
    for (offset, value) in [(1, 9), (1, 0), (1, UInt32.max), (5, 512 * 1024 + 1), (5, 7), (5, UInt32.max)] {
      var hostile = file
      withUnsafeBytes(of: UInt32(value).bigEndian) { hostile.replaceSubrange(offset..<offset + 4, with: $0) }
      #expect(throws: SealedKey.OpeningError.malformed) {
        try hostile.withUnsafeBytes { bytes in _ = try SealedKey.open(bytes, passphrase) }
      }
    }
    #expect(SealedKey.Limits.moderate.areBearable)
  }

  @Test func plainFileNeedsNone() throws {
    let key = PlayerKey.generate()
    try key.save(to: directory.file("me.pem"))
    #expect(try PlayerKey.load(directory.file("me.pem"), passphrase: Passphrase("p")).id == key.id)
  }

  @Test func emptyOneIsRefused() throws {
    let key = PlayerKey.generate()
    let code = try keyFileCode { try key.save(to: directory.file("me.pem"), passphrase: Passphrase("")) }
    #expect(code == .emptyPassphrase)
    #expect(try directory.names().isEmpty)
  }

  @Test(arguments: ["secret", "secret\n", "secret\r\n", "secret\nmore\n"])
  func firstLineOfAFile(text: String) throws {
    let key = PlayerKey.generate()
    try key.save(to: directory.file("me.pem"), passphrase: Passphrase("secret"), overwrite: false, limits: light)
    let passphrase = try Passphrase(contentsOfFile: try directory.write("pass", text))
    #expect(try code(passphrase) == nil)
    #expect(try code(Passphrase("secret\n")) == .wrongPassphrase)
  }

  @Test func passphraseFilesAreChecked() throws {
    func code(_ text: String, mode: mode_t = 0o600) throws -> KeyFileError.Code? {
      let path = try directory.write("pass", text, mode: mode)
      return try keyFileCode { _ = try Passphrase(contentsOfFile: path) }
    }
    #expect(try code("x", mode: 0o644) == .readableByOthers)
    #expect(try code("") == .emptyPassphrase)
    #expect(try code("\nx") == .emptyPassphrase)
    #expect(try code("\r\n") == .emptyPassphrase)
    #expect(try code(String(repeating: "x", count: 20_000)) == .tooLarge)
    #expect(try keyFileCode { _ = try Passphrase(contentsOfFile: directory.path) } == .isDirectory)
    #expect(try keyFileCode { _ = try Passphrase(contentsOfFile: directory.file("none")) } == .notFound)
  }
}
