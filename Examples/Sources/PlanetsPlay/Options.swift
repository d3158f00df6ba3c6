import Planets
import PlanetsTerminal
import Roamkey
import RoamkeyTerminal

/// What the command line says.
struct Options {
  enum Mode: Equatable {
    case menu
    case solo
    case host
    /// A host's address or name; nil: from a list.
    case join(String?)
    case help
  }

  var mode = Mode.menu
  var setup: MatchSetup
  var pin: PlayerID?
  var port = 0
  var keyFile = "keys/player.pem"
  var isAutoplay = false
  /// How many people are waited for, with `isAutoplay`.
  var players = 1

  static let help = """
    planets                          the menu
    planets solo [OPTIONS]           alone against bots, without any network
    planets host [OPTIONS]           for others to join; you play as well
    planets join [HOST:PORT|NAME]    joins a host; without a word, from a list of those nearby

      --name NAME        what you are called
      --bots N           how many bots play, 0 to 5 (default: 2)
      --level LEVEL      how well: weak, medium or strong (default: medium)
      --seed N           the map
      --no-scanners      all see all
      --minutes N        how long a match may take, 0.1 to 60 (default: 8)
      --pace N           how many times faster than usual, 1 to 8 (default: 1)
      --port N           host: the UDP port (default: 7447, or another if that is taken)
      --server ID        join: the only key that the host may have
      --key FILE         your key (default: keys/player.pem, made on first use)
      --autoplay         host, join: a bot plays one match for you, without a screen, and prints what happens
      --players N        with --autoplay: begins when so many people are there (default: 1)
      --help             this

    Colours follow COLORTERM and TERM; NO_COLOR=1 does without. In a game, ? tells the keys.
    """

  /// - Throws: `Failure`, of kind `usage`, where something is not understood.
  init(_ arguments: [String], random: UInt64, user: String) throws(Failure) {
    setup = MatchSetup(name: user, seed: random)
    var rest = arguments[...]
    var words: [String] = []
    var length = 8 * 60 * Rules.ticksASecond
    var (hasScanners, pace) = (true, 1)
    while let argument = rest.popFirst() {
      switch argument {
      case "--help", "-h", "help": mode = .help
      case "--name":
        setup.name = try Self.value(argument, &rest)
        guard !Console.label(setup.name).isEmpty, setup.name.utf8.count <= 32, Console.plain(setup.name) == setup.name
        else { throw Self.bad("--name takes 1 to 32 bytes that can be seen") }
      case "--bots": setup.bots = try Self.number(argument, &rest, 0...MatchSetup.mostBots)
      case "--level":
        guard let level = BotLevel(rawValue: try Self.value(argument, &rest)) else {
          throw Self.bad("--level takes weak, medium or strong")
        }
        setup.level = level
      case "--seed":
        guard let seed = UInt64(try Self.value(argument, &rest)) else { throw Self.bad("--seed takes a number") }
        setup.seed = seed
      case "--no-scanners": hasScanners = false
      case "--minutes":
        guard let minutes = Double(try Self.value(argument, &rest)), (0.1...60).contains(minutes) else {
          throw Self.bad("--minutes takes 0.1 to 60")
        }
        length = Int(minutes * 60 * Double(Rules.ticksASecond))
      case "--pace": pace = try Self.number(argument, &rest, 1...8)
      case "--port": port = try Self.number(argument, &rest, 1...65535)
      case "--server":
        do { pin = try PlayerID(try Self.value(argument, &rest)) } catch { throw Self.bad("--server: \(error)") }
      case "--key": keyFile = try Self.value(argument, &rest)
      case "--autoplay": isAutoplay = true
      case "--players": players = try Self.number(argument, &rest, 1...Rules.seats.upperBound)
      default:
        guard !argument.hasPrefix("-") else {
          throw Self.bad("there is no option \(Console.plain(argument)); `planets --help` lists them")
        }
        words.append(argument)
      }
    }
    setup.rules = Rules(hasScanners: hasScanners, length: length, pace: pace)
    if mode != .help { mode = try Self.mode(words) }
  }

  private static func mode(_ words: [String]) throws(Failure) -> Mode {
    switch (words.first, words.count) {
    case (nil, _): return .menu
    case ("solo", 1): return .solo
    case ("host", 1): return .host
    case ("join", 1): return .join(nil)
    case ("join", 2): return .join(words[1])
    default: throw bad("say solo, host or join; `planets --help` says more")
    }
  }

  private static func value(_ option: String, _ rest: inout ArraySlice<String>) throws(Failure) -> String {
    guard let value = rest.popFirst() else { throw bad("\(option) takes a value") }
    return value
  }

  private static func number(
    _ option: String, _ rest: inout ArraySlice<String>, _ range: ClosedRange<Int>
  ) throws(Failure) -> Int {
    guard let number = Int(try value(option, &rest)), range.contains(number) else {
      throw bad("\(option) takes \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  private static func bad(_ sentence: String) -> Failure { Failure(.usage, code: "usage", sentence) }
}
