/// A colour of the screen, 8 bits a part.
public struct Colour: Hashable, Sendable {
  public var red: UInt8
  public var green: UInt8
  public var blue: UInt8

  public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) { (self.red, self.green, self.blue) = (red, green, blue) }

  public static let space = Colour(8, 10, 22)
  public static let panel = Colour(20, 24, 44)
  public static let text = Colour(214, 220, 236)
  public static let quiet = Colour(124, 134, 164)
  public static let bright = Colour(255, 255, 255)
  public static let warning = Colour(255, 196, 84)
  public static let neutral = Colour(142, 144, 154)

  /// One for each colour index of the game. Told apart by those who see no red or no green as well (after Okabe and
  /// Ito's palette, made lighter for a dark ground); each seat has a letter besides.
  public static let seats = [
    Colour(86, 180, 255), Colour(240, 165, 20), Colour(20, 200, 140), Colour(232, 130, 200), Colour(245, 232, 84),
    Colour(240, 98, 56),
  ]

  /// The colour of a colour index, whatever it is.
  public static func seat(_ index: Int) -> Colour {
    seats.indices.contains(index) ? seats[index] : neutral
  }

  /// Between this one (0) and another (1).
  public func mixed(with other: Colour, _ share: Double) -> Colour {
    let share = min(max(0, share), 1)
    func mix(_ a: UInt8, _ b: UInt8) -> UInt8 { UInt8(Double(a) + (Double(b) - Double(a)) * share + 0.5) }
    return Colour(mix(red, other.red), mix(green, other.green), mix(blue, other.blue))
  }

  /// How bright it looks, 0 to 255.
  public var brightness: Int { (Int(red) * 54 + Int(green) * 183 + Int(blue) * 19) / 256 }

  /// Of the same hue, as bright as can be, and with nothing in its smallest part.
  fileprivate var full: Colour {
    let (most, least) = (Double(max(red, green, blue)), Double(min(red, green, blue)))
    func full(_ part: UInt8) -> UInt8 { most > least ? UInt8((Double(part) - least) / (most - least) * 255) : 255 }
    return Colour(full(red), full(green), full(blue))
  }

  func distance(to other: Colour) -> Int {
    let (r, g, b) = (
      Int(red) - Int(other.red), Int(green) - Int(other.green), Int(blue) - Int(other.blue)
    )
    // The eye sees differences of green best.
    return 2 * r * r + 4 * g * g + 3 * b * b
  }
}

/// How many colours a terminal has.
public enum ColourDepth: Hashable, Sendable, CaseIterable {
  case none
  case sixteen
  case indexed
  case full

  /// What the environment says of a terminal: `NO_COLOR` (no-color.org), `COLORTERM`, `TERM`.
  public init(environment: (String) -> String?) {
    let (term, colours) = (environment("TERM") ?? "", environment("COLORTERM") ?? "")
    if environment("NO_COLOR").map({ !$0.isEmpty }) ?? false || term == "dumb" || term.hasSuffix("-m") {
      self = .none
    } else if colours == "truecolor" || colours == "24bit" || term.hasSuffix("-direct") {
      self = .full
    } else if term.hasSuffix("-256color") || term.hasPrefix("foot") || term.hasPrefix("alacritty") {
      self = .indexed
    } else {
      self = .sixteen
    }
  }

  /// The parameters of SGR (ECMA-48 §8.3.117, ITU-T T.416) that set a colour; nothing where there is none.
  func parameters(_ colour: Colour, isBackground: Bool) -> String {
    switch self {
    case .none: return ""
    case .sixteen:
      let index = Self.basic(colour)
      return String((isBackground ? 40 : 30) + (index < 8 ? index : index - 8 + 60))
    case .indexed: return "\(isBackground ? 48 : 38);5;\(Self.index(of: colour))"
    case .full: return "\(isBackground ? 48 : 38);2;\(colour.red);\(colour.green);\(colour.blue)"
    }
  }

  /// Of the sixteen: by hue first, since the nearest ones would be the same for most seats; then bright or dark.
  private static func basic(_ colour: Colour) -> Int {
    let most = max(colour.red, colour.green, colour.blue)
    let least = min(colour.red, colour.green, colour.blue)
    // Grounds are black as well: the next lighter colour there is would be as light as a planet.
    if most < 70 { return 0 }
    if most - least < 44 { return most < 110 ? 8 : most < 210 ? 7 : 15 }
    let hues = Colour.seats.map { colour.full.distance(to: $0.full) }
    let hue = hues.indices.min { hues[$0] < hues[$1] } ?? 0
    // Dark and bright: blue, brown, green, magenta, yellow, red.
    let pair = [(4, 12), (3, 3), (2, 10), (5, 13), (3, 11), (1, 9)][hue]
    return most < 150 ? pair.0 : pair.1
  }

  /// Of the 256: the nearest of the 6x6x6 cube or of the 24 greys.
  private static func index(of colour: Colour) -> Int {
    func step(_ part: UInt8) -> Int { part < 48 ? 0 : part < 115 ? 1 : (Int(part) - 35) / 40 }
    func level(_ step: Int) -> UInt8 { step == 0 ? 0 : UInt8(55 + 40 * step) }
    let (r, g, b) = (step(colour.red), step(colour.green), step(colour.blue))
    let inCube = Colour(level(r), level(g), level(b))
    let shade = min(max(0, (colour.brightness - 3) / 10), 23)
    let grey = UInt8(8 + 10 * shade)
    return Colour(grey, grey, grey).distance(to: colour) < inCube.distance(to: colour)
      ? 232 + shade : 16 + 36 * r + 6 * g + b
  }
}
