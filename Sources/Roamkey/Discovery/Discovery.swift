/// Whether a server tells those who ask on its own local network that it is there.
public enum Discovery: Sendable, Hashable {
  /// It answers questions from its own links, with a beacon that it signs: its key, name, application and port, how
  /// many players it has and may have. Nobody further away gets an answer, and nothing is sent unasked.
  ///
  /// A server that listens on one address answers from that one. A quiet one (`isQuiet`) never answers.
  case localNetwork
  /// It neither listens for such questions nor answers.
  case off
}
