import Testing

@testable import RoamkeyCrypto

private struct BIP350: Decodable {
  struct Program: Decodable {
    let text, program: String
  }
  let valid, invalid, badPadding: [String]
  let programs: [Program]

  static func load() throws -> BIP350 { try Vectors.decode(BIP350.self, "bip350.json") }
}

@Suite struct Bech32mTests {
  @Test func validTextsPass() throws {
    for text in try BIP350.load().valid {
      #expect(throws: Never.self, "\(text)") { try Bech32m.decode(text) }
    }
  }

  @Test func invalidTextsAreRefused() throws {
    for text in try BIP350.load().invalid {
      #expect(throws: Bech32m.DecodingError.self, "\(text)") { try Bech32m.decode(text) }
    }
  }

  @Test func bytesOfSegwitPrograms() throws {
    for vector in try BIP350.load().programs {
      let decoded = try Bech32m.decode(vector.text)
      #expect(Bech32m.bytes(of: Array(decoded.groups.dropFirst())) == hex(vector.program))
    }
  }

  @Test func paddingIsChecked() throws {
    for text in try BIP350.load().badPadding {
      #expect(Bech32m.bytes(of: Array(try Bech32m.decode(text).groups.dropFirst())) == nil)
    }
  }

  @Test(arguments: 0...48) func roundTrip(size: Int) throws {
    let bytes = (0..<size).map { _ in UInt8.random(in: 0...255) }
    let decoded = try Bech32m.decode(Bech32m.encode(prefix: "rk", bytes))
    #expect(decoded.prefix == "rk")
    #expect(Bech32m.bytes(of: decoded.groups) == bytes)
  }
}
