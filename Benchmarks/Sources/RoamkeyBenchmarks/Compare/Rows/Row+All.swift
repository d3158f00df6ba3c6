extension Row {
  /// All rows that are duels, in order.
  static func all(_ options: RowOptions) -> [Row] {
    [reliable(options), bulk(options), pingPong(options), crowd(options)]
  }
}
