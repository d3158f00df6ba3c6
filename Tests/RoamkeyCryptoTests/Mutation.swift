import RoamkeySimulator

/// Does to `bytes` what hostile or broken files do: one to four flips, cuts, doublings, insertions.
func mutate(_ bytes: inout [UInt8], using random: inout SeededRandom) {
  for _ in 0..<Int.random(in: 1...4, using: &random) {
    guard let index = bytes.indices.randomElement(using: &random) else { return }
    switch Int.random(in: 0..<6, using: &random) {
    case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 1: bytes[index] = UInt8.random(in: 0...255, using: &random)
    case 2: bytes.remove(at: index)
    case 3: bytes.insert(UInt8.random(in: 0...255, using: &random), at: index)
    case 4: bytes.removeSubrange(index...)
    default:
      let end = min(bytes.count, index + Int.random(in: 1...16, using: &random))
      bytes.insert(contentsOf: bytes[index..<end], at: index)
    }
  }
}
