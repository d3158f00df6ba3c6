import Glibc
import Planets
import PlanetsTerminal
import RoamkeyTerminal

/// `planets`
@main enum PlanetsPlay {
  static func main() async {
    do throws(Failure) {
      let options = try Options(
        Array(CommandLine.arguments.dropFirst()), random: .random(in: 0...999_999), user: environment("USER") ?? "You")
      if options.mode == .help { return print(Options.help) }
      try await run(options)
    } catch {
      Console.note("planets: \(error.sentence)")
      exit(error.kind.rawValue)
    }
  }

  static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

  private static func run(_ options: Options) async throws(Failure) {
    let stage = try Stage(depth: ColourDepth(environment: environment))
    let failure: Failure?
    do throws(Failure) {
      try await play(options, on: stage)
      failure = nil
    } catch {
      failure = error
    }
    await stage.close()
    if let failure { throw failure }
  }

  private static func play(_ options: Options, on stage: Stage) async throws(Failure) {
    switch options.mode {
    case .menu: try await menu(options, on: stage)
    case .solo:
      var play = Play(LocalTable(options.setup), on: stage, place: nil, level: options.setup.level)
      _ = await play.run()
    case .host, .join, .help: break
    }
  }

  private static func menu(_ options: Options, on stage: Stage) async throws(Failure) {
    var menu = MenuScreen(options.setup)
    while true {
      let input = await stage.nextFrame()
      if input.isEnding { return }
      for key in input.keys {
        guard let choice = menu.press(key, input.size) else { continue }
        var chosen = options
        chosen.setup = menu.setup
        switch choice {
        case .quit: return
        case .solo:
          var play = Play(LocalTable(menu.setup), on: stage, place: nil, level: menu.setup.level)
          if await play.run() == .quit { return }
          // Another map the next time.
          menu = MenuScreen(menu.setup)
        case .host, .join, .joinAt: menu.note = "not yet"
        }
      }
      stage.show(menu.picture(input.size, time: input.time))
    }
  }
}
