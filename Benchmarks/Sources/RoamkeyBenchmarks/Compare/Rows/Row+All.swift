extension Row {
  /// All rows that are duels, in order.
  static func all(_ options: RowOptions) -> [Row] {
    [
      reliable(options), unreliable(options), bulk(options), pingPong(options), crowd(options), connect(options),
      memory(options), lossy(options), move(options), datagrams(options), wire(options),
    ]
  }
}
