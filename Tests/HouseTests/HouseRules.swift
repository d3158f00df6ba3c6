/// The rules of the house as functions on text, so that each one can be shown to fail.
///
/// A finding says where and what; no findings means that the rule is kept.
enum HouseRules {
  static let maximumFileLines = 400
  static let maximumLineLength = 120

  /// What each target may import besides the standard library. Arrows point down only; a module missing here fails.
  static let allowedImports: [String: Set<String>] = [
    "RoamkeyCLI": [
      "Roamkey", "RoamkeyTerminal", "RoamkeySimulator", "ArgumentParser", "Logging", "Glibc", "Musl", "Synchronization",
    ],
    "RoamkeyTerminal": ["Roamkey", "Glibc", "Musl", "Synchronization"],
    "RoamkeyMetrics": ["Roamkey", "CoreMetrics"],
    "Roamkey": [
      "RoamkeyUDP", "RoamkeyEvidence", "RoamkeyEngine", "RoamkeyWire", "RoamkeyCrypto", "RoamkeyCBOR", "Logging",
      "DequeModule", "Glibc", "Musl", "Synchronization",
    ],
    "RoamkeyUDP": [
      "RoamkeyEngine", "RoamkeyWire", "RoamkeySockets", "DequeModule", "HeapModule", "Glibc", "Musl", "Synchronization",
    ],
    "RoamkeySimulator": ["Roamkey", "RoamkeyEngine", "RoamkeyWire", "RoamkeyCrypto", "DequeModule"],
    "RoamkeyState": ["Roamkey", "RoamkeyCBOR"],
    "RoamkeyEvidence": ["RoamkeyEngine", "RoamkeyWire", "RoamkeyCrypto", "Glibc", "Musl"],
    "RoamkeyEngine": ["RoamkeyWire", "RoamkeyCrypto", "DequeModule", "HeapModule"],
    "RoamkeyWire": [],
    "RoamkeyCBOR": [],
    "RoamkeyCrypto": ["RoamkeySodium", "Glibc", "Musl", "Synchronization"],
    "RoamkeySockets": [],
    "RoamkeySodium": [],
  ]

  /// Targets that are handed time, datagrams and random numbers, and never reach for them.
  static let sansIOTargets: Set<String> = ["RoamkeyWire", "RoamkeyEngine", "RoamkeyState", "RoamkeySimulator"]

  /// Text that has no place in `Sources`, and why.
  static let forbiddenText: [(text: String, reason: String)] = [
    ("TODO", "finish it, or write an issue"),
    ("FIXME", "fix it, or write an issue"),
    ("try!", "remote input must never trap; for our own bugs say `precondition` with a reason"),
    ("as!", "a cast that can trap"),
    ("fatalError(", "for our own bugs say `preconditionFailure` with a reason"),
    ("\t", "two spaces, no tabs"),
  ]

  /// Text that has no place in a sans-IO target.
  static let forbiddenInSansIO: [(text: String, reason: String)] = [
    ("ContinuousClock", "time is handed in"),
    ("SuspendingClock", "time is handed in"),
    ("clock_gettime", "time is handed in"),
    ("SystemRandomNumberGenerator", "the random generator is handed in"),
    ("print(", "the engine has no output but events and datagrams"),
  ]

  /// Files that grew too long.
  static func longFile(_ file: SourceText) -> [String] {
    file.lines.count > maximumFileLines
      ? ["\(file.path): \(file.lines.count) lines, at most \(maximumFileLines); split it by concern"] : []
  }

  /// Lines that grew too long, counted in characters.
  static func longLines(_ file: SourceText) -> [String] {
    file.numberedLines.compactMap { number, line in
      line.count > maximumLineLength
        ? "\(file.path):\(number): \(line.count) characters, at most \(maximumLineLength)" : nil
    }
  }

  /// Lines that hold any of `texts`; a word is found only where no letter or digit touches it.
  static func forbidden(_ texts: [(text: String, reason: String)], in file: SourceText) -> [String] {
    file.numberedLines.flatMap { number, line in
      texts.compactMap { text, reason in
        line.containsWord(text) ? "\(file.path):\(number): `\(text)`: \(reason)" : nil
      }
    }
  }

  /// Imports that `allowedImports` does not list for the target.
  static func upwardImports(_ file: SourceText, target: String) -> [String] {
    guard let allowed = allowedImports[target] else {
      return ["\(file.path): the target \(target) has no row in the table of allowed imports"]
    }
    return file.numberedLines.compactMap { number, line in
      guard let module = importedModule(line), module != "Swift", !allowed.contains(module) else { return nil }
      return "\(file.path):\(number): \(target) must not import \(module)"
    }
  }

  /// The module that a line of Swift imports, if it is an import:
  /// `@preconcurrency public import struct Foundation.Data` gives `Foundation`.
  static func importedModule(_ line: String) -> String? {
    var words = line.split(whereSeparator: \.isWhitespace)[...]
    let modifiers: Set<Substring> = ["public", "package", "internal", "fileprivate", "private"]
    while let word = words.first, word.hasPrefix("@") || modifiers.contains(word) { words = words.dropFirst() }
    guard words.first == "import" else { return nil }
    words = words.dropFirst()
    let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var"]
    if let word = words.first, kinds.contains(word) { words = words.dropFirst() }
    guard let name = words.first else { return nil }
    return String(name.prefix { $0.isLetter || $0.isNumber || $0 == "_" })
  }

  /// Names of `records` that the text of `index` does not link to.
  static func unlisted(_ records: [String], in index: String) -> [String] {
    records.filter { !index.contains("](\($0))") }.map { "docs/decisions/README.md does not list \($0)" }
  }

  /// What a decision record lacks of its form.
  static func incompleteRecord(_ file: SourceText) -> [String] {
    let headings = ["## Context", "## Decision", "## Rejected", "## Consequences"]
    var findings = headings.filter { heading in !file.lines.contains { $0.hasPrefix(heading) } }
      .map { "\(file.path): no heading `\($0)`" }
    if !file.lines.contains(where: { $0.hasPrefix("Status: ") }) { findings.append("\(file.path): no `Status: ` line") }
    return findings
  }

  /// The targets of a page's relative links, without their fragments.
  static func relativeLinks(_ page: SourceText) -> [String] {
    page.lines.flatMap { line in
      line.components(separatedBy: "](").dropFirst().compactMap { rest in
        let target = rest.prefix { $0 != ")" && $0 != "#" && $0 != " " }
        return target.isEmpty || target.contains(":") ? nil : String(target)
      }
    }
  }

  /// The tests that a page names, as `SuiteTests.test`; what follows with a comma is of the same suite:
  /// `SuiteTests.one`, `other`.
  static func namedTests(_ page: SourceText) -> [String] {
    page.lines.flatMap { line in
      var suite: String?
      var names: [String] = []
      // Odd pieces stand between backticks.
      let pieces = line.components(separatedBy: "`")
      for (i, piece) in pieces.enumerated() {
        guard i % 2 == 1, i + 1 < pieces.count else {
          if piece != ", " { suite = nil }
          continue
        }
        let parts = piece.components(separatedBy: ".")
        // `SomeTests.swift` is a file.
        if parts.count == 2, parts[0].hasSuffix("Tests"), parts.allSatisfy(isIdentifier), parts[1] != "swift" {
          suite = parts[0]
          names.append(piece)
        } else if let suite, isIdentifier(piece) {
          names.append("\(suite).\(piece)")
        } else {
          suite = nil
        }
      }
      return names
    }
  }

  /// The tests that a file holds, as `SuiteTests.test`.
  static func tests(in file: SourceText) -> [String] {
    var suite: String?
    var isTest = false
    var names: [String] = []
    for line in file.lines {
      if let name = name(after: ["struct ", "class ", "extension "], in: line), name.hasSuffix("Tests") {
        suite = name
        isTest = false
      }
      if line.containsWord("@Test") { isTest = true }
      guard isTest, let suite, let name = name(after: ["func "], in: line) else { continue }
      names.append("\(suite).\(name)")
      isTest = false
    }
    return names
  }

  private static func name(after words: [String], in line: String) -> String? {
    for word in words where line.containsWord(word) {
      let rest = line.components(separatedBy: word).dropFirst().first ?? ""
      let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
      if !name.isEmpty { return String(name) }
    }
    return nil
  }

  private static func isIdentifier(_ text: String) -> Bool {
    !text.isEmpty && text.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
  }
}
