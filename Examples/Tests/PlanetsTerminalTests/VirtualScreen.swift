import PlanetsTerminal
import RoamkeyTerminal

/// A terminal in memory: as much of one as ``FrameWriter`` needs. What it does not know it notes as a mistake.
struct VirtualScreen {
  struct Spot: Equatable {
    var character: Character? = " "
    var foreground = ""
    var background = ""
    var isBold = false
  }

  private(set) var spots: [[Spot]]
  private(set) var mistakes: [String] = []
  private var (column, row) = (0, 0)
  private var look = Spot()

  init(columns: Int, rows: Int) {
    spots = Array(repeating: Array(repeating: Spot(), count: columns), count: rows)
  }

  mutating func feed(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    var rest = Substring(text)
    while let character = rest.first {
      guard character == "\u{1b}" else {
        rest.removeFirst()
        write(character)
        continue
      }
      let end = rest.dropFirst(2).firstIndex { $0.isLetter } ?? rest.index(before: rest.endIndex)
      obey(rest[...end])
      rest = rest[rest.index(after: end)...]
    }
  }

  private mutating func obey(_ order: Substring) {
    let parameters = order.dropFirst(2).dropLast().split(separator: ";").map(String.init)
    switch order.last {
    case "H":
      (row, column) = (Int(parameters[0]).map { $0 - 1 } ?? -1, Int(parameters[1]).map { $0 - 1 } ?? -1)
    case "J":
      spots = spots.map { $0.map { _ in Spot() } }
    case "m": obey(parameters)
    case "h", "l": if parameters != ["?2026"] { mistakes.append(String(order.dropFirst())) }
    default: mistakes.append(String(order.dropFirst()))
    }
  }

  private mutating func obey(_ parameters: [String]) {
    var rest = parameters[...]
    while let parameter = rest.popFirst() {
      switch parameter {
      case "0": look = Spot()
      case "1": look.isBold = true
      case "22": look.isBold = false
      case "38", "48":
        let count = rest.first == "2" ? 4 : 2
        let colour = rest.prefix(count).joined(separator: ";")
        rest = rest.dropFirst(count)
        if parameter == "38" { look.foreground = colour } else { look.background = colour }
      default:
        guard let number = Int(parameter) else { return mistakes.append(parameter) }
        switch number {
        case 30...37, 90...97: look.foreground = parameter
        case 40...47, 100...107: look.background = parameter
        default: mistakes.append(parameter)
        }
      }
    }
  }

  private mutating func write(_ character: Character) {
    let width = DisplayWidth.of(character)
    guard spots.indices.contains(row), spots[row].indices.contains(column), width > 0,
      column + width <= spots[row].count
    else { return mistakes.append("written at \(column), \(row): \(character)") }
    var spot = look
    spot.character = character
    spots[row][column] = spot
    if width == 2 {
      spot.character = nil
      spots[row][column + 1] = spot
    }
    column += width
  }
}
