import Foundation

/// A text file of the tree: its path from the root, and its lines.
struct SourceText {
  let path: String
  let lines: [String]

  init(path: String, text: String) {
    self.path = path
    var lines = text.components(separatedBy: "\n")
    if lines.last == "" { lines.removeLast() }
    self.lines = lines
  }

  /// Lines with their numbers, from 1.
  var numberedLines: [(number: Int, line: String)] { lines.enumerated().map { ($0.offset + 1, $0.element) } }
}

extension String {
  /// Whether `word` stands in this line with no letter or digit touching the letters at its ends.
  func containsWord(_ word: String) -> Bool {
    var start = startIndex
    while let found = range(of: word, range: start..<endIndex) {
      let before = found.lowerBound == startIndex ? nil : self[index(before: found.lowerBound)]
      let after = found.upperBound == endIndex ? nil : self[found.upperBound]
      let touchesBefore = word.first.isPartOfName && before.isPartOfName
      let touchesAfter = word.last.isPartOfName && after.isPartOfName
      if !touchesBefore && !touchesAfter { return true }
      start = found.upperBound
    }
    return false
  }
}

extension Character? {
  /// Whether there is a character, and it can be part of an identifier.
  fileprivate var isPartOfName: Bool { map { $0.isLetter || $0.isNumber || $0 == "_" } ?? false }
}

/// The package's own files, found from where this file stands.
enum Tree {
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The Swift files and C headers below `Sources`, each with its target's name.
  static func sources() throws -> [(target: String, file: SourceText)] {
    try files(below: "Sources", extensions: ["swift", "h", "modulemap"]).map { path in
      (path.components(separatedBy: "/")[1], try text(path))
    }
  }

  /// The Swift files of the examples, their tests included: a package of its own, to which the rules for text apply.
  static func examples() throws -> [SourceText] {
    try ["Examples/Sources", "Examples/Tests"].flatMap { try files(below: $0, extensions: ["swift"]) }.map(text)
  }

  /// Paths from the root of the files below `folder`, in order.
  static func files(below folder: String, extensions: Set<String>) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: root.appendingPathComponent(folder).path)
      .filter { extensions.contains(($0 as NSString).pathExtension) }
      .map { "\(folder)/\($0)" }.sorted()
  }

  static func text(_ path: String) throws -> SourceText {
    SourceText(path: path, text: try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8))
  }

  static func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: root.appendingPathComponent(path).standardizedFileURL.path)
  }

  /// The pages people read: those at the root, and those below `docs` and `keys`.
  static func pages() throws -> [SourceText] {
    let top = try FileManager.default.contentsOfDirectory(atPath: root.path).filter { $0.hasSuffix(".md") }.sorted()
    let below = try ["docs", "keys"].flatMap { try files(below: $0, extensions: ["md"]) }
    return try (top + below).map(text)
  }
}
