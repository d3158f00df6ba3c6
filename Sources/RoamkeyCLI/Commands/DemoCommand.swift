internal import ArgumentParser
internal import Roamkey
internal import RoamkeySimulator

/// `roamkey demo`
struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Watch a server and two players, one of whom changes addresses all the time.",
    discussion: """
      All of it happens on this machine, on loopback addresses, with real sockets and without special rights; keys are \
      made for the occasion and forgotten. With --simulated, --seed or --network it happens on a simulated network, in \
      virtual time: the same seed tells the same story, to the last datagram. The exit code is 0 when every claim that \
      is made was checked and true.
      """)

  @Flag(help: "Without pauses for reading.")
  var fast = false

  @Flag(help: "On a simulated network, in virtual time.")
  var simulated = false

  @Option(help: ArgumentHelp("What all chances of the simulated network follow from.", valueName: "n"))
  var seed: UInt64?

  @Option(help: "The simulated network of everybody: \(DemoNetwork.allNames).")
  var network: DemoNetwork?

  func run() async throws {
    try await Failure.report { () throws(Failure) in
      let narrator = Narrator(pauses: !fast)
      let claims: [Claim]
      if simulated || seed != nil || network != nil {
        claims = try await tellSimulated(narrator)
      } else {
        claims = try await DemoStory(narrator: narrator, stage: LoopbackStage()).tell()
      }
      guard claims.allSatisfy(\.isTrue) else {
        throw Failure(code: "demo", "a claim of the demo turned out to be false: please report it with the lines above")
      }
    }
  }

  private func tellSimulated(_ narrator: Narrator) async throws(Failure) -> [Claim] {
    let seed = seed ?? .random(in: 1...9999)
    let network = network ?? .broadband
    let stage = SimulatedStage(seed: seed, network: network.conditions)
    var claims = try await DemoStory(narrator: narrator, stage: stage).tell()
    let claim = Claim(text: "nothing was done that no network may bring about", isTrue: stage.violations.isEmpty)
    claims.append(claim)
    Console.print("  \(claim)")
    for violation in stage.violations { Console.note("roamkey: \(violation)") }
    Console.print("")
    Console.print("  \(stage.elapsed.components.seconds) s of virtual time; once more:")
    Console.print("  roamkey demo --seed \(seed) --network \(network)")
    return claims
  }
}

/// The networks of `NetworkConditions` that have a name.
enum DemoNetwork: String, CaseIterable, ExpressibleByArgument, CustomStringConvertible {
  case perfect, local, broadband, dsl, school, satellite, mobile, awful

  static var allNames: String { allCases.map(\.rawValue).joined(separator: ", ") }

  var description: String { rawValue }

  var conditions: NetworkConditions {
    switch self {
    case .perfect: .perfect
    case .local: .local
    case .broadband: .broadband
    case .dsl: .dsl
    case .school: .school
    case .satellite: .satellite
    case .mobile: .mobile
    case .awful: .awful
    }
  }
}
