import Foundation
import Testing

@testable import RoamkeyCLI

@Suite struct JSONLineTests {
  @Test func everyScalarComesBack() throws {
    var text = "\"\\/\u{8}\u{c}\n\r\t"
    for value in UInt32(0)..<0x300 { text.unicodeScalars.append(Unicode.Scalar(value) ?? " ") }
    text += "\u{2028}\u{2029}😀é"
    let line = JSONLine([("event", .text("x")), ("text", .text(text))]).text
    #expect(!line.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7f || $0.value == 0x2028 })
    let parsed = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])
    #expect(parsed["text"].map { Array($0.unicodeScalars) } == Array(text.unicodeScalars))
  }

  @Test func fieldsStandInOrder() {
    let line = JSONLine([
      ("event", .text("stats")), ("time", .literal("1.5")), ("n", .number(.max)),
      ("drops", .object([("a", .number(1))])),
    ])
    #expect(line.text == #"{"event":"stats","time":1.5,"n":18446744073709551615,"drops":{"a":1}}"#)
    #expect(JSONLine([]).text == "{}")
  }

  @Test func fractionsAreNumbersToo() {
    let line = JSONLine([
      ("a", .seconds(.milliseconds(1500))), ("b", .decimal(0)), ("c", .decimal(.infinity)), ("d", .decimal(.nan)),
      ("e", .seconds(.nanoseconds(10))),
    ])
    #expect(line.text == #"{"a":1.5,"b":0.0,"c":0,"d":0,"e":1e-08}"#)
  }
}
