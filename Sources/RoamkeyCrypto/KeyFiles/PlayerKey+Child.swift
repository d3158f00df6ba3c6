extension PlayerKey {
  /// The key for one application that follows from this one (PROTOCOL §12.5).
  ///
  /// Nobody can tell without this key's seed that two such keys belong together, or to this one.
  /// - Parameters:
  ///   - application: 1 to 255 bytes of UTF-8.
  ///   - number: 0, or the next one where a key that follows was stolen or is to be forgotten.
  package borrowing func child(application: String, number: UInt32) -> PlayerKey {
    var name = Array(application.utf8)
    precondition((1...255).contains(name.count), "an application's name has 1 to 255 bytes")
    name.insert(UInt8(name.count), at: 0)
    let root = withSeed { SecretBytes(copying: $0) }
    var seed = SecretBytes(zeros: 32)
    seed.hash("rk1 child", key: root, to: 0) { hash in
      hash.update(name.span.bytes)
      hash.update(bigEndian: number)
    }
    return PlayerKey(seed: seed)
  }
}
