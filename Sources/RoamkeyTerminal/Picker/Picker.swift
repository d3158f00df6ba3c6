public import Roamkey

/// A list of servers from which one is chosen: what is selected, and what each key does. Keys, lists and sizes go in,
/// lines and a choice come out; whatever touches the terminal stands elsewhere (`PickerSession`).
public struct Picker: Sendable {
  /// How it ends.
  public enum Outcome: Equatable, Sendable {
    case chosen(FoundServer)
    /// Without a choice.
    case left
  }

  /// What is known of a server from earlier.
  public enum Acquaintance: Equatable, Sendable {
    case new
    case known
    /// Another key had this name before.
    case changed
  }

  /// The application that is looked for; nil for any.
  public let application: String?
  /// Those that were found.
  public private(set) var servers: [FoundServer] = []
  /// Room for the picture.
  public private(set) var size: TerminalSize
  /// The server that is selected. It stays so while the list changes around it, and also while it is away: Enter must
  /// never join another one than the eye has just seen selected.
  public private(set) var selected: PlayerID?
  /// What has to be said about the last key.
  public private(set) var note: String?
  /// The first row of the list that is shown.
  public private(set) var top = 0

  private var acquaintances: [PlayerID: Acquaintance] = [:]
  /// Where the selected server stood last.
  private var row = 0
  /// A full server for which Enter was pressed: once more, and it is tried all the same.
  private var warned: PlayerID?

  /// How one hosts or joins elsewhere, for whoever sees an empty list, line by line; nil: with the command.
  public var advice: [String]?

  /// Nothing is found yet.
  /// - Parameters:
  ///   - application: what is looked for; nil for any.
  ///   - size: how much room there is.
  public init(application: String?, size: TerminalSize) {
    self.application = application
    self.size = size
  }

  // MARK: In

  /// The list has changed.
  public mutating func update(_ servers: [FoundServer], acquaintances: [PlayerID: Acquaintance] = [:]) {
    self.servers = servers
    self.acquaintances = acquaintances
    if selected == nil { selected = servers.first?.id }
    scroll()
  }

  /// The terminal has another size.
  public mutating func resize(_ size: TerminalSize) {
    self.size = size
    scroll()
  }

  /// A key was pressed.
  /// - Returns: the end, if this was it.
  public mutating func press(_ key: Key) -> Outcome? {
    switch key {
    case .up, .character("k"): move(by: -1)
    case .down, .character("j"): move(by: 1)
    case .pageUp: move(by: -max(1, visibleRows))
    case .pageDown: move(by: max(1, visibleRows))
    case .home, .character("g"): select(0)
    case .end, .character("G"): select(servers.count - 1)
    case .enter: return choose()
    case .escape, .interrupt, .character("q"): return .left
    case .left, .right, .tab, .backTab, .backspace, .delete, .mouse, .character, .suspend: break
    }
    return nil
  }

  private mutating func choose() -> Outcome? {
    guard let server = selectedServer else {
      if selected != nil { note = "That server does not answer any more." }
      return nil
    }
    guard server.isFull, warned != server.id else { return .chosen(server) }
    warned = server.id
    note = "\(server.label) is full. Enter again to try all the same."
    return nil
  }

  // MARK: The selection

  /// The server that is selected, if it is there.
  public var selectedServer: FoundServer? { servers.first { $0.id == selected } }

  /// What is known of a server from earlier.
  public func acquaintance(with server: FoundServer) -> Acquaintance { acquaintances[server.id] ?? .new }

  private mutating func move(by rows: Int) {
    // From a server that has gone the way leads to whichever stands in its place.
    let isThere = selectedServer != nil
    select(isThere ? row + rows : rows < 0 ? row - 1 : row)
  }

  private mutating func select(_ row: Int) {
    note = nil
    warned = nil
    guard !servers.isEmpty else { return }
    let row = min(max(0, row), servers.count - 1)
    selected = servers[row].id
    scroll()
  }

  /// Notes where the selection is, and shows that part of the list.
  private mutating func scroll() {
    row = servers.firstIndex { $0.id == selected } ?? min(row, max(0, servers.count - 1))
    let visible = visibleRows
    if row < top { top = row }
    if visible > 0, row >= top + visible { top = row - visible + 1 }
    top = max(0, min(top, servers.count - visible))
  }
}

extension FoundServer {
  /// What people call it, fit for one line of a terminal.
  public var label: String {
    let label = Console.label(name ?? "")
    return label.isEmpty ? "(no name)" : label
  }
}
