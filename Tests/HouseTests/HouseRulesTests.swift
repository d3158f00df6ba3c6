import Testing

/// Each rule fails where it should, and only there.
@Suite struct HouseRulesTests {
  private func file(_ text: String) -> SourceText { SourceText(path: "Some.swift", text: text) }

  @Test func longFiles() {
    #expect(HouseRules.longFile(file(String(repeating: "x\n", count: 400))) == [])
    #expect(HouseRules.longFile(file(String(repeating: "x\n", count: 401))).count == 1)
  }

  @Test func longLines() {
    let fits = String(repeating: "x", count: 120)
    #expect(HouseRules.longLines(file(fits)) == [])
    #expect(HouseRules.longLines(file("a\n\(fits)x\n")) == ["Some.swift:2: 121 characters, at most 120"])
  }

  @Test(arguments: [
    "// TODO: later", "let a = try! b()", "let a = b as! Int", "fatalError()", "\tlet a = 1", "/* FIXME */",
  ])
  func forbiddenText(_ line: String) {
    #expect(HouseRules.forbidden(HouseRules.forbiddenText, in: file("let a = 1\n\(line)\n")).count == 1)
  }

  @Test(arguments: [
    "let TODOS = 1", "let a = try b()", "let a = b as? Int", "let alias = has!", "preconditionFailure(\"x\")",
  ])
  func allowedText(_ line: String) {
    #expect(HouseRules.forbidden(HouseRules.forbiddenText, in: file(line)) == [])
  }

  @Test func clocksInTheEngine() {
    let rule = HouseRules.forbiddenInSansIO
    #expect(HouseRules.forbidden(rule, in: file("let now = ContinuousClock.now")).count == 1)
    #expect(HouseRules.forbidden(rule, in: file("print(1)")).count == 1)
    #expect(HouseRules.forbidden(rule, in: file("let fingerprint = footprint(of: key)")) == [])
  }

  @Test(arguments: [
    ("import RoamkeySodium", "RoamkeySodium"),
    ("  package import RoamkeyWire", "RoamkeyWire"),
    ("@preconcurrency public import struct Foundation.Data  // why", "Foundation"),
    ("@_spi(Testing) @testable import RoamkeyCrypto", "RoamkeyCrypto"),
    ("import func Glibc.memcpy", "Glibc"),
    ("// import Foundation", nil),
    ("let important = 1", nil),
    ("", nil),
  ])
  func imports(_ line: String, module: String?) {
    #expect(HouseRules.importedModule(line) == module)
  }

  @Test(arguments: [
    ("RoamkeyEngine", "RoamkeySodium"), ("RoamkeyEngine", "RoamkeyUDP"), ("RoamkeyEngine", "Glibc"),
    ("RoamkeyWire", "RoamkeyCrypto"), ("Roamkey", "RoamkeySockets"), ("Roamkey", "Foundation"),
    ("RoamkeyCrypto", "FoundationEssentials"), ("RoamkeyNew", "RoamkeyWire"),
  ])
  func upwardArrows(target: String, module: String) {
    #expect(HouseRules.upwardImports(file("import \(module)"), target: target).count == 1)
  }

  @Test func downwardArrows() {
    #expect(
      HouseRules.upwardImports(file("package import RoamkeyWire\nimport DequeModule"), target: "RoamkeyEngine") == [])
  }

  /// The table itself points down: no module that is reached from a target reaches that target again.
  @Test func theTableHasNoCycle() {
    func reaches(_ from: String, _ goal: String) -> Bool {
      (HouseRules.allowedImports[from] ?? []).contains { $0 == goal || reaches($0, goal) }
    }
    for target in HouseRules.allowedImports.keys { #expect(!reaches(target, target), "\(target) reaches itself") }
  }

  @Test func onlyOneImporterOfEachSystemLibrary() {
    for (library, importer) in [("RoamkeySodium", "RoamkeyCrypto"), ("RoamkeySockets", "RoamkeyUDP")] {
      #expect(HouseRules.allowedImports.filter { $0.value.contains(library) }.map(\.key) == [importer])
    }
  }

  @Test func decisions() {
    let index = "| [0001](0001-a.md) | a |"
    #expect(HouseRules.unlisted(["0001-a.md"], in: index) == [])
    #expect(HouseRules.unlisted(["0001-a.md", "0002-b.md"], in: index).count == 1)
    let whole = "Status: accepted\n## Context\n## Decision\n## Rejected\n## Consequences\n"
    #expect(HouseRules.incompleteRecord(file(whole)) == [])
    #expect(HouseRules.incompleteRecord(file("## Context\n")).count == 4)
  }

  @Test func links() {
    let page = file("[a](docs/A.md#x) and [b](https://example.org/b) [c](#here)\n[d](../d.md)")
    #expect(HouseRules.relativeLinks(page) == ["docs/A.md", "../d.md"])
  }

  @Test func namedTests() {
    let page = file(
      "shown (`AuthorTests.one`, `other`), `else`; `Session.close`, `x`\n`ATests.b` and `c`, `ATests.d e`")
    #expect(HouseRules.namedTests(page) == ["AuthorTests.one", "AuthorTests.other", "ATests.b"])
    let tests = file(
      """
      func helper() {}
      @Suite struct OneTests {
        @Test func a() {}
        func helper() {}
        @Test(arguments: [1, 2])
        func b(x: Int) {}
      }
      extension OneTests { @Test func c() {} }
      """)
    #expect(HouseRules.tests(in: tests) == ["OneTests.a", "OneTests.b", "OneTests.c"])
  }
}
