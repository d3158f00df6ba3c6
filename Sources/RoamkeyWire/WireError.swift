/// Why bytes could not be read as what they should be.
@usableFromInline
package enum WireError: Error, Sendable, Equatable {
  /// They end before the value does.
  case truncated
  /// They break a rule of the format: a length, a type, a value out of range.
  case malformed
}
