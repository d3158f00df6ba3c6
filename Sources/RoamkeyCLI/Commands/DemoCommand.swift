internal import ArgumentParser
internal import Roamkey
internal import RoamkeyTerminal

/// `roamkey demo`
struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Watch a server and two players, one of whom changes addresses all the time.",
    discussion: """
      All of it happens on this machine, on loopback addresses, with real sockets and without special rights; keys are \
      made for the occasion and forgotten. The exit code is 0 when every claim that is made was checked and true.
      """)

  @Flag(help: "Without pauses for reading.")
  var fast = false

  func run() async throws {
    try await Failure.report { () throws(Failure) in
      let narrator = Narrator(pauses: !fast)
      let story = try await DemoStory(narrator: narrator)
      let claims = try await story.tell()
      guard claims.allSatisfy(\.isTrue) else {
        throw Failure(code: "demo", "a claim of the demo turned out to be false: please report it with the lines above")
      }
    }
  }
}
