import RoamkeyCBOR

/// The examples of RFC 8949, Appendix A.
enum AppendixA {
  /// What bytes stand for. All but those marked are what a deterministic encoder makes of the value.
  struct Example: Sendable, CustomStringConvertible {
    let hex: String
    let value: Value
    let isDeterministic: Bool

    init(_ hex: String, _ value: Value, deterministic: Bool = true) {
      (self.hex, self.value, isDeterministic) = (hex, value, deterministic)
    }

    var description: String { hex }
  }

  static let examples = integers + numbers + simples + tags + strings + collections + indefinite

  private static let integers: [Example] = [
    Example("00", 0), Example("01", 1), Example("0a", 10), Example("17", 23), Example("1818", 24),
    Example("1819", 25), Example("1864", 100), Example("1903e8", 1000), Example("1a000f4240", 1_000_000),
    Example("1b000000e8d4a51000", 1_000_000_000_000), Example("1bffffffffffffffff", 18_446_744_073_709_551_615),
    Example("3bffffffffffffffff", -18_446_744_073_709_551_616), Example("20", -1), Example("29", -10),
    Example("3863", -100), Example("3903e7", -1000),
  ]

  private static let numbers: [Example] = [
    Example("f90000", 0.0), Example("f98000", -0.0), Example("f93c00", 1.0), Example("fb3ff199999999999a", 1.1),
    Example("f93e00", 1.5), Example("f97bff", 65504.0), Example("fa47c35000", 100000.0),
    Example("fa7f7fffff", 3.4028234663852886e+38), Example("fb7e37e43c8800759c", 1.0e+300),
    Example("f90001", 5.960464477539063e-8), Example("f90400", 0.00006103515625), Example("f9c400", -4.0),
    Example("fbc010666666666666", -4.1), Example("f97c00", .number(.infinity)), Example("f97e00", .number(.nan)),
    Example("f9fc00", .number(-.infinity)), Example("fa7f800000", .number(.infinity), deterministic: false),
    Example("fa7fc00000", .number(.nan), deterministic: false),
    Example("faff800000", .number(-.infinity), deterministic: false),
    Example("fb7ff0000000000000", .number(.infinity), deterministic: false),
    Example("fb7ff8000000000000", .number(.nan), deterministic: false),
    Example("fbfff0000000000000", .number(-.infinity), deterministic: false),
  ]

  private static let simples: [Example] = [
    Example("f4", false), Example("f5", true), Example("f6", .null), Example("f7", .undefined),
    Example("f0", .simple(16)), Example("f8ff", .simple(255)),
  ]

  private static let tags: [Example] = [
    Example("c249010000000000000000", .tagged(2, .bytes([1, 0, 0, 0, 0, 0, 0, 0, 0]))),
    Example("c349010000000000000000", .tagged(3, .bytes([1, 0, 0, 0, 0, 0, 0, 0, 0]))),
    Example("c074323031332d30332d32315432303a30343a30305a", .tagged(0, "2013-03-21T20:04:00Z")),
    Example("c11a514b67b0", .tagged(1, 1_363_896_240)), Example("c1fb41d452d9ec200000", .tagged(1, 1_363_896_240.5)),
    Example("d74401020304", .tagged(23, .bytes([1, 2, 3, 4]))),
    Example("d818456449455446", .tagged(24, .bytes([0x64, 0x49, 0x45, 0x54, 0x46]))),
    Example("d82076687474703a2f2f7777772e6578616d706c652e636f6d", .tagged(32, "http://www.example.com")),
  ]

  private static let strings: [Example] = [
    Example("40", .bytes([])), Example("4401020304", .bytes([1, 2, 3, 4])), Example("60", ""), Example("6161", "a"),
    Example("6449455446", "IETF"), Example("62225c", "\"\\"), Example("62c3bc", "\u{fc}"),
    Example("63e6b0b4", "\u{6c34}"), Example("64f0908591", "\u{10151}"),
  ]

  private static let oneToTwentyFive = Value.list((1...25).map { .integer($0) })
  private static let oneToTwentyFiveBytes = "0102030405060708090a0b0c0d0e0f101112131415161718181819"

  private static let collections: [Example] = [
    Example("80", []), Example("83010203", [1, 2, 3]), Example("8301820203820405", [1, [2, 3], [4, 5]]),
    Example("9819" + oneToTwentyFiveBytes, oneToTwentyFive), Example("a0", [:]), Example("a201020304", [1: 2, 3: 4]),
    Example("a26161016162820203", ["a": 1, "b": [2, 3]]), Example("826161a161626163", ["a", ["b": "c"]]),
    Example(
      "a56161614161626142616361436164614461656145", ["a": "A", "b": "B", "c": "C", "d": "D", "e": "E"]),
  ]

  private static let indefinite: [Example] = [
    Example("5f42010243030405ff", .bytes([1, 2, 3, 4, 5]), deterministic: false),
    Example("7f657374726561646d696e67ff", "streaming", deterministic: false),
    Example("9fff", [], deterministic: false),
    Example("9f018202039f0405ffff", [1, [2, 3], [4, 5]], deterministic: false),
    Example("9f01820203820405ff", [1, [2, 3], [4, 5]], deterministic: false),
    Example("83018202039f0405ff", [1, [2, 3], [4, 5]], deterministic: false),
    Example("83019f0203ff820405", [1, [2, 3], [4, 5]], deterministic: false),
    Example("9f" + oneToTwentyFiveBytes + "ff", oneToTwentyFive, deterministic: false),
    Example("bf61610161629f0203ffff", ["a": 1, "b": [2, 3]], deterministic: false),
    Example("826161bf61626163ff", ["a", ["b": "c"]], deterministic: false),
    Example("bf6346756ef563416d7421ff", ["Fun": true, "Amt": -2], deterministic: false),
  ]
}

/// Bytes in hexadecimal digits.
func hex(_ bytes: [UInt8]) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

/// The bytes that pairs of hexadecimal digits stand for.
func bytes(_ hex: String) -> [UInt8] {
  let digits = hex.compactMap(\.hexDigitValue)
  return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
}
