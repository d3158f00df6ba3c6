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
    if options.isAutoplay {
      switch options.mode {
      case .host: return try await Autoplay(options: options).host()
      case .join(let text): return try await Autoplay(options: options).join(text)
      case .menu, .solo, .help: throw Failure(.usage, code: "usage", "--autoplay goes with host and join")
      }
    }
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
    let flow = Flow(stage: stage, options: options)
    let ending: Ending
    switch options.mode {
    case .menu: return try await menu(options, on: stage)
    case .solo: ending = await flow.solo()
    case .host: ending = try await flow.host()
    case .join(let text): ending = try await flow.join(text)
    case .help: return
    }
    if case .left(let note?) = ending { throw Failure(code: "ended", note) }
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
        guard choice != .quit, let note = await follow(choice, Flow(stage: stage, options: chosen)) else { return }
        // Another map the next time.
        menu = MenuScreen(menu.setup.next, note: note)
        break
      }
      stage.show(menu.picture(input.size, time: input.time))
    }
  }

  /// - Returns: what there is to say in the menu, maybe nothing; nil where the program ends.
  private static func follow(_ choice: MenuScreen.Choice, _ flow: Flow) async -> String? {
    let ending: Ending
    do throws(Failure) {
      switch choice {
      case .solo: ending = await flow.solo()
      case .host: ending = try await flow.host()
      case .join: ending = try await flow.join(nil)
      case .joinAt(let text): ending = try await flow.join(text)
      case .quit: return nil
      }
    } catch {
      return error.sentence
    }
    switch ending {
    case .left(let note): return note ?? ""
    case .quit: return nil
    }
  }
}
