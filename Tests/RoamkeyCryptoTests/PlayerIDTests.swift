import RoamkeySimulator
import Testing

@testable import RoamkeyCrypto

@Suite struct PlayerIDTextTests {
  private let id = PlayerID(publicKey: Digest((0..<32).map { UInt8($0) }))

  private func code(_ text: String) -> PlayerIDError.Code? {
    do {
      _ = try PlayerID(text)
      return nil
    } catch {
      #expect(error.description.hasSuffix("."))
      return error.code
    }
  }

  @Test func textIsStable() throws {
    #expect(id.description == "rk1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0sl4yjy6")
    #expect("\(id)".count == 61)
    #expect(try PlayerID(id.description) == id)
  }

  @Test func upperCaseAndWhiteSpaceAreAccepted() throws {
    #expect(try PlayerID(id.description.uppercased()) == id)
    #expect(try PlayerID(" \t\(id)\r\n") == id)
  }

  /// Every single wrong character is a typo or no character of the alphabet, never another player.
  @Test func everyTypoIsNoticed() {
    let text = Array(id.description)
    for index in text.indices.dropFirst(3) {
      for replacement in "qpzry9x8gf2tvdw0s3jn54khce6mua7l" where replacement != text[index] {
        var wrong = text
        wrong[index] = replacement
        #expect(code(String(wrong)) == .typo)
      }
    }
    for index in text.indices.dropFirst(4) where text[index] != text[index - 1] {
      var wrong = text
      wrong.swapAt(index, index - 1)
      #expect(code(String(wrong)) == .typo)
    }
  }

  @Test func eachFaultHasItsSentence() throws {
    let text = id.description
    #expect(code("") == .empty)
    #expect(code(" \n") == .empty)
    #expect(code("hello") == .notAPlayerID)
    #expect(code(hexString(id.publicKey.bytes)) == .notAPlayerID)
    #expect(code(Bech32m.encode(prefix: "bc", id.publicKey.bytes)) == .notAPlayerID)
    #expect(code("Rk" + text.dropFirst(2)) == .mixedCase)
    #expect(code(String(text.dropLast())) == .wrongLength)
    #expect(code(text + text) == .wrongLength)
    #expect(code(Bech32m.encode(prefix: "rk", [1, 2, 3])) == .wrongLength)
    #expect(code(Bech32m.encode(prefix: "rk", [UInt8](repeating: 1, count: 33))) == .wrongLength)
    #expect(code("rk1b" + text.dropFirst(4)) == .badCharacter)
    #expect(code("rk1\u{1b}" + text.dropFirst(4)) == .badCharacter)
    #expect(!PlayerIDError(.badCharacter, character: "\u{1b}").description.contains("\u{1b}"))
    #expect(code("rk1é" + text.dropFirst(4)) == .badCharacter)
    #expect(code(String(repeating: "x", count: 100_000)) == .notAPlayerID)
  }

  @Test func nonZeroPaddingIsRefused() throws {
    // 52 groups hold 260 bits: with a last group of 1 the text has a right checksum and stray bits.
    let decoded = try Bech32m.decode(id.description)
    var groups = decoded.groups
    groups[51] |= 1
    #expect(Bech32m.bytes(of: groups) == nil)
    #expect(Bech32m.bytes(of: decoded.groups) == id.publicKey.bytes)
  }

  @Test func proquintsAreThoseOfTheProposal() {
    #expect(Proquint.text(of: [127, 0, 0, 1]) == "lusab-babad")
    #expect(Proquint.text(of: [63, 84, 220, 193]) == "gutih-tugad")
    #expect(Proquint.text(of: [147, 67, 119, 2]) == "natag-lisaf")
  }

  @Test func fingerprintIsStable() {
    #expect(id.fingerprint == "samuv-fuvug-dudah-padof-rihar-gizip")
    #expect(id.fingerprint.split(separator: "-").count == 6)
    #expect(PlayerID(publicKey: Digest()).fingerprint != id.fingerprint)
  }

  @Test func mutatedTextsNeverTrap() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    for _ in 0..<5000 {
      var bytes = Array(id.description.utf8)
      mutate(&bytes, using: &random)
      let text = String(decoding: bytes, as: UTF8.self)
      if let other = try? PlayerID(text) {
        let shown = PlayerID(publicKey: other.publicKey).description
        #expect(try PlayerID(shown) == other, "seed \(seed)")
      }
    }
  }
}
