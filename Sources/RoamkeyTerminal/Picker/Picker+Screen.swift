internal import Roamkey

/// One line of the picker's screen.
public struct PickerLine: Equatable, Sendable {
  /// What is special about a line.
  public enum Style: Equatable, Sendable {
    case plain
    case title
    case quiet
    case selected
  }

  /// No wider than the picker's size.
  public var text: String
  /// How it is to look.
  public var style = Style.plain
}

/// What the picker looks like: as many lines as the terminal has rows at most, none wider than its columns.
extension Picker {
  /// The lines, from the top.
  public var screen: [PickerLine] {
    let lines = servers.isEmpty ? emptyScreen : listScreen
    return lines.prefix(max(0, size.rows)).map { line in
      PickerLine(text: DisplayWidth.cut(line.text, to: size.columns), style: line.style)
    }
  }

  /// How many servers fit on the screen.
  package var visibleRows: Int { max(0, size.rows - frame.lines) }

  // MARK: Around the list

  /// What stands around the list: less of it where there is little room.
  private enum Frame {
    case full
    case small
    case none

    var lines: Int {
      switch self {
      case .full: 6
      case .small: 3
      case .none: 0
      }
    }
  }

  private var frame: Frame {
    switch size.rows {
    case ..<4: .none
    case ..<9: .small
    default: .full
    }
  }

  private var listScreen: [PickerLine] {
    let columns = Columns(width: size.columns, withApplication: application == nil)
    let rows = servers[top..<min(servers.count, top + visibleRows)].map { server in
      PickerLine(
        text: columns.line(of: server, isSelected: server.id == selected),
        style: server.id == selected ? .selected : .plain)
    }
    let details = PickerLine(text: note ?? selectedServer.map { describe($0, columns) } ?? "")
    let keys = PickerLine(text: "Enter: join   ↑ ↓: choose   q: leave", style: .quiet)
    switch frame {
    case .none: return rows
    case .small: return [title] + rows + [details, keys]
    case .full:
      let blank = PickerLine(text: "")
      return [title, blank, PickerLine(text: columns.header, style: .quiet)] + rows + [blank, details, keys]
    }
  }

  private var title: PickerLine {
    var text = "Servers on this network"
    if visibleRows < servers.count {
      text += " (\(top + 1) to \(min(servers.count, top + visibleRows)) of \(servers.count))"
    }
    return PickerLine(text: text, style: .title)
  }

  private func describe(_ server: FoundServer, _ columns: Columns) -> String {
    let words =
      switch acquaintance(with: server) {
      case .new: "new to you: compare fingerprints"
      case .known: "met before"
      case .changed: "NOT THE KEY THAT THIS NAME HAD BEFORE"
      }
    // The fingerprint must be somewhere: without it two servers of one name are the same to the eye.
    return "\(columns.showsFingerprint ? server.address.description : server.id.fingerprint)  \(words)"
  }

  private var emptyScreen: [PickerLine] {
    let what = application.map { " of \(Console.label($0))" } ?? ""
    return [
      title, PickerLine(text: ""),
      PickerLine(text: "  Looking for servers\(what) ... none has answered yet."), PickerLine(text: ""),
    ] + (advice ?? commandAdvice).map { PickerLine(text: "  " + $0) }
      + [PickerLine(text: ""), PickerLine(text: "q: leave", style: .quiet)]
  }

  private var commandAdvice: [String] {
    let app = application.map { $0 == "roamkey/1" ? "" : " --app \(Console.label($0))" } ?? ""
    return [
      "To host one, on any machine of this network:",
      "  roamkey serve\(app) --name \"My room\"",
      "One elsewhere is joined by its address:",
      "  roamkey connect\(app) host:\(Client.defaultPort)",
    ]
  }
}

/// The columns of the table. Where it is narrow some are left out, rather than all of them cut.
private struct Columns {
  private static let playersWidth = 10
  private static let pingWidth = 8
  /// Six words of five letters with hyphens between (PROTOCOL §12.2).
  private static let fingerprintWidth = 35
  private static let applicationWidth = 12
  private static let gap = "  "
  private static let widestName = 32
  private static let narrowestName = 12

  private var showsPlayers = true
  private var showsPing = true
  private(set) var showsFingerprint = true
  private var showsApplication: Bool

  private let width: Int

  init(width: Int, withApplication: Bool) {
    self.width = width
    showsApplication = withApplication
    if nameWidth < Self.narrowestName { showsFingerprint = false }
    if nameWidth < Self.narrowestName { showsApplication = false }
    if nameWidth < Self.narrowestName { showsPing = false }
    if nameWidth < Self.narrowestName { showsPlayers = false }
  }

  private var nameWidth: Int {
    var room = width - 2
    if showsPlayers { room -= Self.playersWidth + Self.gap.count }
    if showsPing { room -= Self.pingWidth + Self.gap.count }
    if showsFingerprint { room -= Self.fingerprintWidth + Self.gap.count }
    if showsApplication { room -= Self.applicationWidth + Self.gap.count }
    return min(room, Self.widestName)
  }

  var header: String {
    line(
      marker: "  ", name: "NAME", players: "PLAYERS", ping: "PING", application: "APPLICATION",
      fingerprint: "FINGERPRINT")
  }

  func line(of server: FoundServer, isSelected: Bool) -> String {
    line(
      marker: isSelected ? "> " : "  ", name: server.label, players: Self.players(server),
      ping: Self.ping(server.roundTrip), application: Console.label(server.application),
      fingerprint: server.id.fingerprint)
  }

  private func line(
    marker: String, name: String, players: String, ping: String, application: String, fingerprint: String
  ) -> String {
    var cells = [marker + DisplayWidth.fill(name, to: nameWidth)]
    if showsPlayers { cells.append(DisplayWidth.fill(players, to: Self.playersWidth, right: true)) }
    if showsPing { cells.append(DisplayWidth.fill(ping, to: Self.pingWidth, right: true)) }
    if showsApplication { cells.append(DisplayWidth.fill(application, to: Self.applicationWidth)) }
    if showsFingerprint { cells.append(fingerprint) }
    return cells.joined(separator: Self.gap)
  }

  private static func players(_ server: FoundServer) -> String {
    let text = "\(server.players)/\(server.capacity)"
    guard server.isFull else { return text }
    return text.count + 5 <= playersWidth ? text + " full" : "full"
  }

  /// Milliseconds, with a tenth where that says something.
  private static func ping(_ roundTrip: Duration?) -> String {
    guard let roundTrip else { return "" }
    let tenths = Int((min(max(roundTrip / .milliseconds(1), 0), 99_999) * 10).rounded())
    return tenths < 100 ? "\(tenths / 10).\(tenths % 10) ms" : "\((tenths + 5) / 10) ms"
  }
}
