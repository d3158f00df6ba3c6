import Foundation
import RoamkeyCrypto
import Testing

/// The data files in Tests/Vectors.
enum Vectors {
  static func data(_ name: String, from file: String = #filePath) throws -> Data {
    let tests = URL(fileURLWithPath: file).deletingLastPathComponent().deletingLastPathComponent()
    return try Data(contentsOf: tests.appendingPathComponent("Vectors").appendingPathComponent(name))
  }

  static func decode<T: Decodable>(_ type: T.Type, _ name: String) throws -> T {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(type, from: data(name))
  }
}

/// The bytes of a hexadecimal string; what is no such string gives nothing, so a vector with a typo does not pass.
func hex(_ text: String) -> [UInt8] {
  let digits = text.compactMap { $0.hexDigitValue }
  guard digits.count == text.count, digits.count.isMultiple(of: 2) else {
    Issue.record("not hexadecimal: \(text)")
    return []
  }
  return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

func hexString(_ bytes: some Sequence<UInt8>) -> String {
  bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
}

func secret(_ text: String) -> SecretBytes {
  var bytes = hex(text)
  return SecretBytes(wiping: &bytes)
}

extension SecretBytes {
  /// What a test may look at.
  borrowing func hexString(at offset: Int = 0, size: Int = 32) -> String {
    withUnsafeBytes { RoamkeyCryptoTests.hexString($0[offset..<offset + size]) }
  }
}

extension Array where Element == UInt8 {
  func flipped(at index: Int, bit: Int = 0) -> [UInt8] {
    var copy = self
    copy[index] ^= 1 << UInt8(bit)
    return copy
  }
}
