import Foundation
import RoamkeySimulator
import Testing

@testable import RoamkeyCrypto

/// What stands in key files: other forms, other kinds, damage.
@Suite struct KeyFileFormatTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func load(_ text: String) throws -> KeyFileError.Code? {
    let path = try directory.write("file.pem", text)
    return try keyFileCode { _ = try PlayerKey.load(path) }
  }

  private func pem(_ label: String, _ bytes: [UInt8]) -> String {
    "-----BEGIN \(label)-----\n\(Data(bytes).base64EncodedString())\n-----END \(label)-----\n"
  }

  /// The examples of RFC 8410 §10.
  private let v1 =
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
    + "-----END PRIVATE KEY-----\n"
  private let v2 =
    "-----BEGIN PRIVATE KEY-----\nMHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
    + "oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB\nZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
    + "-----END PRIVATE KEY-----\n"
  private let spki =
    "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
    + "-----END PUBLIC KEY-----\n"
  private let seed = "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842"
  private let publicKey = "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1"

  @Test func examplesOfRFC8410() throws {
    for text in [v1, v2] {
      let key = try PlayerKey.load(try directory.write("a.pem", text))
      #expect(hexString(key.id.publicKey.bytes) == publicKey)
      #expect(key.withSeed { hexString($0) } == seed)
    }
    #expect(hexString(try PlayerID.load(try directory.write("a.pub", spki)).publicKey.bytes) == publicKey)
  }

  @Test func textAroundAndLineEndsDoNotMatter() throws {
    #expect(try load("a remark\n\n" + v1 + "more\n") == nil)
    #expect(try load(v1.replacingOccurrences(of: "\n", with: "\r\n")) == nil)
    #expect(try load(String(v1.dropLast())) == nil)
  }

  @Test func publicKeyOfSomebodyElseIsRefused() throws {
    let body = v2.split(separator: "\n").filter { !$0.hasPrefix("-") }.joined()
    let bytes = Array(try #require(Data(base64Encoded: body)))
    #expect(try load(pem("PRIVATE KEY", bytes)) == nil)
    #expect(try load(pem("PRIVATE KEY", bytes.flipped(at: bytes.count - 1))) == .corrupt)
    // A public key belongs to version 2 alone.
    #expect(try load(pem("PRIVATE KEY", bytes.flipped(at: 4))) == .corrupt)
  }

  @Test func everyDamageHasItsError() throws {
    #expect(try load("") == .notPEM)
    #expect(try load("hello\n") == .notPEM)
    #expect(try load(String(repeating: "\n", count: 16 * 1024)) == .notPEM)
    #expect(try load(v1 + String(repeating: "\n", count: 16 * 1024)) == .tooLarge)
    #expect(try load(String(v1.prefix(60))) == .corrupt)
    #expect(try load(v1.replacingOccurrences(of: "END PRIVATE", with: "END PUBLIC")) == .corrupt)
    #expect(try load(v1.replacingOccurrences(of: "MC4C", with: "MC*C")) == .corrupt)
    #expect(try load(v1.replacingOccurrences(of: "MC4C", with: "MC4")) == .corrupt)
    #expect(try load(pem("PRIVATE KEY", [])) == .corrupt)
    #expect(try load(pem("PRIVATE KEY", [0x30, 0x84, 0xff, 0xff, 0xff, 0xff])) == .corrupt)
    #expect(try load(pem("PRIVATE KEY", [0x30, 0x80, 0, 0])) == .corrupt)
    #expect(try load(pem("PRIVATE KEY", [0x30, 0x82])) == .corrupt)
  }

  /// All prefixes, all single wrong bytes: an error, or a key that differs in its seed only.
  @Test func everyByteOfTheStructureCounts() throws {
    let der = hex("302e020100300506032b657004220420" + seed)
    #expect(try load(pem("PRIVATE KEY", der)) == nil)
    for count in der.indices { #expect(try load(pem("PRIVATE KEY", Array(der.prefix(count)))) != nil) }
    #expect(try load(pem("PRIVATE KEY", der + [0])) == .corrupt)
    for index in 0..<16 {
      for bit in 0..<8 where !(index == 4 && bit == 0) {
        #expect(try load(pem("PRIVATE KEY", der.flipped(at: index, bit: bit))) != nil, "byte \(index) bit \(bit)")
      }
    }
  }

  @Test func otherKindsAreNamed() throws {
    for (arguments, word) in [
      (["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"], "RSA"),
      (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "EC"),
      (["-algorithm", "X25519"], "X25519"), (["-algorithm", "ED448"], "Ed448"),
    ] {
      let path = directory.file("\(word).pem")
      try openssl(arguments: ["genpkey"] + arguments + ["-out", path])
      try #require(chmod(path, 0o600) == 0)
      try openssl("pkey", "-in", path, "-pubout", "-out", path + ".pub")
      for read in [{ _ = try PlayerKey.load(path) }, { _ = try PlayerID.load(path + ".pub") }] as [() throws -> Void] {
        let error = #expect(throws: KeyFileError.self) { try read() }
        #expect(error?.code == .wrongKind)
        #expect(error?.description.contains("an \(word) key") == true)
      }
    }
    for label in ["ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "CERTIFICATE", "X"] {
      #expect(try load(pem(label, [1, 2, 3])) == .wrongKind)
    }
  }

  @Test func mutatedFilesNeverTrap() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("mutatedFilesNeverTrap: seed \(seed)")
    var random = SeededRandom(seed: seed)
    let path = directory.file("mutated.pem")
    let passphrase = Passphrase("p")
    let key = PlayerKey.generate()
    let limits = SealedKey.Limits(passes: 1, memoryKiB: 8)
    try key.save(to: path, passphrase: passphrase, overwrite: true, limits: limits)
    let sealed = try directory.read("mutated.pem")
    for round in 0..<3000 {
      var bytes = Array([v1, v2, spki, sealed][round % 4].utf8)
      mutate(&bytes, using: &random)
      // Inside the base64 as well, where most changes of the text would only break it.
      if round % 3 == 0, let body = Data(base64Encoded: v2.split(separator: "\n").dropFirst().dropLast().joined()) {
        var der = Array(body)
        mutate(&der, using: &random)
        bytes = Array(pem(round % 2 == 0 ? "PRIVATE KEY" : "PUBLIC KEY", der).utf8)
      }
      try directory.write("mutated.pem", bytes)
      for read in [{ _ = try PlayerKey.load(path) }, { _ = try PlayerID.load(path) }] as [() throws -> Void] {
        do { try read() } catch { #expect(error is KeyFileError, "seed \(seed)") }
      }
    }
  }
}
