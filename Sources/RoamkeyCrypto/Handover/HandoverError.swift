/// Why a hand-over does not count: one sentence that says what to do.
public enum HandoverError: Error, Hashable, Sendable, CustomStringConvertible {
  /// There is no hand-over in the text.
  case none
  /// It was cut off or altered, or is of a version that is not known.
  case damaged
  /// One of the two signatures is not by its key.
  case forged
  /// A key cannot hand over to itself.
  case ofItself
  /// The file cannot be read.
  case file(KeyFileError)
  /// The old key has signed two of them: one was accepted, and stays.
  case contradiction(old: PlayerID, accepted: PlayerID, offered: PlayerID)
  /// The new key has itself been given up, for one that leads back to the old one.
  case circle(old: PlayerID, new: PlayerID)
  /// There is a record of the new key already, and nobody has said what is to become of it.
  case occupied(new: PlayerID)

  public var description: String {
    switch self {
    case .none: "There is no hand-over in it: it should contain a line -----BEGIN ROAMKEY HANDOVER-----."
    case .damaged: "The hand-over is damaged, or of a version that is not known: copy it again, as a whole."
    case .forged: "THE HAND-OVER IS FORGED OR DAMAGED: a signature is not by its key; accept nothing of it."
    case .ofItself: "A key cannot hand over to itself: give two keys."
    case .file(let error): error.description
    case .contradiction(let old, let accepted, let offered):
      "THE KEY \(old) HAS HANDED OVER TWICE, so somebody else has it as well. What was accepted first stays: "
        + "\(accepted). Refused was \(offered). Ask the owner, by another way, which one is right."
    case .circle(let old, let new):
      "The key \(new) has been given up itself, and cannot take over from \(old): ask its owner for the newest one."
    case .occupied(let new): "There is a record of \(new) already: say how the two are to become one."
    }
  }
}
