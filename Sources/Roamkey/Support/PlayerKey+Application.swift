public import RoamkeyCrypto

extension PlayerKey {
  /// The key for one application that follows from this one, so that a player cannot be followed from game to game:
  ///
  ///     let key = try PlayerKey.loadOrGenerate("keys/root.pem").forApplication("galaxy/1")
  ///
  /// It is the same each time, so that a copy of this key, or its 24 words, brings all of them back. Nobody can tell
  /// without this key that two of them belong together, or to this one; who is stolen one of them loses that one alone.
  /// Names, addresses and ways of playing may still tell.
  /// - Parameters:
  ///   - application: as it is given to `Client`, 1 to 255 bytes of UTF-8.
  ///   - number: 0, or the next one after a key was stolen.
  /// - Throws: `RoamkeyError` with `badApplication`.
  public borrowing func forApplication(_ application: String, number: UInt32 = 0) throws(RoamkeyError) -> PlayerKey {
    try RoamkeyError.check(application: application)
    return child(application: application, number: number)
  }
}
