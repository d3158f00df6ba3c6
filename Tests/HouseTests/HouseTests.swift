import Foundation
import Testing

/// The tree keeps the rules of the house.
@Suite struct HouseTests {
  @Test func filesAndLinesStayShort() throws {
    let (sources, examples) = (try Tree.sources().map(\.file), try Tree.examples())
    #expect(sources.count > 10 && examples.count > 10, "the sources were not found")
    #expect((sources + examples).flatMap { HouseRules.longFile($0) } == [])
    #expect((sources + examples).flatMap { HouseRules.longLines($0) } == [])
  }

  @Test func arrowsPointDown() throws {
    #expect(try Tree.sources().flatMap { HouseRules.upwardImports($0.file, target: $0.target) } == [])
  }

  @Test func nothingUnfinishedAndNothingThatTraps() throws {
    let files = try Tree.sources().map(\.file) + Tree.examples()
    #expect(files.flatMap { HouseRules.forbidden(HouseRules.forbiddenText, in: $0) } == [])
  }

  @Test func theEngineIsHandedTimeAndChance() throws {
    let sources = try Tree.sources().filter { HouseRules.sansIOTargets.contains($0.target) }
    #expect(!sources.isEmpty)
    #expect(sources.flatMap { HouseRules.forbidden(HouseRules.forbiddenInSansIO, in: $0.file) } == [])
  }

  @Test func everyDecisionIsListedAndComplete() throws {
    let records = try Tree.files(below: "docs/decisions", extensions: ["md"]).filter { !$0.hasSuffix("/README.md") }
    #expect(!records.isEmpty)
    let names = records.map { ($0 as NSString).lastPathComponent }
    #expect(Set(names.map { $0.prefix(4) }).count == names.count, "two decisions share a number")
    let index = try Tree.text("docs/decisions/README.md").lines.joined(separator: "\n")
    #expect(HouseRules.unlisted(names, in: index) == [])
    #expect(try records.flatMap { HouseRules.incompleteRecord(try Tree.text($0)) } == [])
  }

  @Test func linksLeadSomewhere() throws {
    for page in try Tree.pages() {
      let folder = (page.path as NSString).deletingLastPathComponent
      for link in HouseRules.relativeLinks(page) {
        #expect(Tree.exists(folder.isEmpty ? link : "\(folder)/\(link)"), "\(page.path) links to \(link)")
      }
    }
  }

  /// What a page says that a test shows is shown: the test is still there.
  @Test func testsThatPagesNameExist() throws {
    let files = try Tree.files(below: "Tests", extensions: ["swift"]).map { try Tree.text($0) }
    let tests = Set(files.flatMap(HouseRules.tests))
    #expect(tests.count > 500, "the tests were not found")
    #expect(HouseRules.namedTests(try Tree.text("docs/THREATS.md")).count > 150)
    for page in try Tree.pages() {
      #expect(HouseRules.namedTests(page).filter { !tests.contains($0) } == [], "\(page.path)")
    }
  }
}
