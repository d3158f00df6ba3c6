import Foundation
import FuzzTargets
import Testing

private let targets = FuzzTargets.all + CommandTargets.all

/// The inputs that fuzzing has kept, and those that once found something, in each run of the tests.
///
/// In turn, since some targets share a file.
@Suite(.serialized) struct ReplayTests {
  /// A target that bounces off something shows here: the inputs that were kept do not get to its deep places.
  @Test(arguments: targets.map(\.name))
  func keptInputsReachDeepPlaces(_ name: String) throws {
    let target = try #require(targets.first { $0.name == name })
    let inputs = try Self.inputs("Corpora", of: name)
    #expect(!inputs.isEmpty, "\(name) has no inputs")
    var reached: UInt64 = 0
    for input in inputs { reached |= Self.run(target, input) }
    let missing = Set(target.milestones).subtracting(target.names(of: reached))
    #expect(missing.isEmpty, "\(name) does not reach \(missing.sorted())")
  }

  /// Each of these was a fault once. A fault ends the process, and its message names the reason.
  @Test(arguments: targets.map(\.name))
  func whatWasFoundStaysMended(_ name: String) throws {
    let target = try #require(targets.first { $0.name == name })
    for input in try Self.inputs("Findings", of: name) { _ = Self.run(target, input) }
  }

  /// The same bytes take the same way: else nothing that is found could be looked at.
  @Test(arguments: targets.map(\.name))
  func inputsMeanTheSameAlways(_ name: String) throws {
    let target = try #require(targets.first { $0.name == name })
    for input in try Self.inputs("Corpora", of: name).prefix(8) {
      #expect(Self.run(target, input) == Self.run(target, input))
    }
  }

  @Test func foldersBelongToTargets() throws {
    let names = Set(targets.map(\.name))
    #expect(names.count == targets.count, "two targets share a name")
    for folder in ["Corpora", "Findings"] {
      let found = try FileManager.default.contentsOfDirectory(atPath: Self.path(folder)).filter { !$0.hasPrefix(".") }
      #expect(Set(found).subtracting(names).isEmpty, "\(folder) has folders of no target")
    }
  }

  @Test func inputsBeyondTheirEndAreZeros() {
    let target = targets.first { $0.name == "peer" }
    #expect(target?.run(UnsafeRawBufferPointer(start: nil, count: 0)) != nil, "an empty input is an input")
  }

  // MARK: Tools

  private static func path(_ folder: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent(folder).path
  }

  private static func inputs(_ folder: String, of target: String) throws -> [Data] {
    let folder = path(folder) + "/" + target
    guard FileManager.default.fileExists(atPath: folder) else { return [] }
    return try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      .map { try Data(contentsOf: URL(fileURLWithPath: folder + "/" + $0)) }
  }

  private static func run(_ target: FuzzTarget, _ input: Data) -> UInt64 { input.withUnsafeBytes { target.run($0) } }
}
