import Foundation
import RoamkeyCBOR
import RoamkeySimulator
import Testing

/// What ours writes is read by `cbor2`, a well-known library for Python, and the other way round.
@Suite(.enabled(if: Python.withCBOR != nil, "a Python with the package cbor2 is not there"))
struct OtherLanguageTests {
  @Test func whatPythonReadsAndWritesAnewIsTheSame() throws {
    var random = SeededRandom(seed: 51)
    let values = (0..<1000).map { _ in Value.plain(depth: 4, using: &random) }
    // Twice: in the library's own way, and with lengths and numbers as short as they get.
    let script = """
      import sys, cbor2
      for line in sys.stdin:
          value = cbor2.loads(bytes.fromhex(line))
          print(cbor2.dumps(value).hex(), cbor2.dumps(value, canonical=True).hex())
      """
    let answers = try Python.run(script, input: values.map { hex(try $0.cbor()) })
    #expect(answers.count == values.count)
    for (value, answer) in zip(values, answers) {
      let forms = answer.split(separator: " ").map(String.init)
      #expect(forms.count == 2)
      for form in forms { #expect(try Value(cbor: bytes(form)) == value) }
    }
  }

  @Test func whatPythonSaysItIsIsWhatItWas() throws {
    let value: Value = [
      "name": "Ada ü", "hp": 10, "speed": -1.5, "bag": ["rope", true, .null, .bytes([0, 255])], 7: -3,
    ]
    let script = """
      import sys, cbor2
      print(cbor2.loads(bytes.fromhex(sys.stdin.readline())) == {
          "name": "Ada ü", "hp": 10, "speed": -1.5, "bag": ["rope", True, None, b"\\0\\xff"], 7: -3})
      """
    #expect(try Python.run(script, input: [hex(value.cbor())]) == ["True"])
  }
}

private enum Python {
  static let withCBOR = ["python3", "/usr/bin/python3"].first { (try? run("import cbor2", input: [], with: $0)) != nil }

  /// The lines that a script prints.
  static func run(_ script: String, input: [String], with python: String = withCBOR ?? "python3") throws -> [String] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [python, "-c", script]
    // From a file: two pipes at once could wait for each other.
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).txt")
    try Data(input.joined(separator: "\n").utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    process.standardInput = try FileHandle(forReadingFrom: file)
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    struct Failed: Error {}
    guard process.terminationStatus == 0 else { throw Failed() }
    return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
  }
}

extension Value {
  /// A value without what Python makes something else of: known tags, and keys that are equal there and not here.
  fileprivate static func plain(depth: Int, using random: inout SeededRandom) -> Value {
    switch Int.random(in: 0..<(depth > 0 ? 3 : 1), using: &random) {
    case 1:
      return .list((0..<manyOrFew(&random)).map { _ in plain(depth: depth - 1, using: &random) })
    case 2:
      let entries = (0..<manyOrFew(&random)).map { _ in
        (
          Bool.random(using: &random) ? Value("k\(random.next() % 1000)") : Value(Int(random.next() % 1000)),
          plain(depth: depth - 1, using: &random)
        )
      }
      return .dictionary(Dictionary(entries, uniquingKeysWith: { $1 }))
    default:
      while true {
        let value = Value.random(depth: 0, using: &random)
        // Reserved there.
        if case .simple = value { continue }
        return value
      }
    }
  }
}
