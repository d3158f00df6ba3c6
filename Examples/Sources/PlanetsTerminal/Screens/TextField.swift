import RoamkeyTerminal

/// A line that somebody types.
public struct TextField: Hashable, Sendable {
  /// What a key has led to.
  public enum Outcome: Hashable, Sendable {
    case typing
    case done(String)
    case left
  }

  public private(set) var text: String
  /// In bytes of UTF-8.
  private let limit: Int

  public init(_ text: String = "", limit: Int) { (self.text, self.limit) = (text, limit) }

  public mutating func press(_ key: Key) -> Outcome {
    switch key {
    case .character(let character):
      if text.utf8.count + character.utf8.count <= limit { text.append(character) }
    case .backspace: if !text.isEmpty { text.unicodeScalars.removeLast() }
    case .enter: return .done(trimmed)
    case .escape, .interrupt: return .left
    case .up, .down, .left, .right, .pageUp, .pageDown, .home, .end, .tab, .backTab, .delete, .suspend, .mouse: break
    }
    return .typing
  }

  private var trimmed: String {
    String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
  }

  /// The field as it is shown, its end always in sight.
  public func shown(width: Int) -> String {
    var shown = Console.plain(text) + "▏"
    while DisplayWidth.of(shown) > width, !shown.isEmpty { shown.removeFirst() }
    return shown
  }
}
