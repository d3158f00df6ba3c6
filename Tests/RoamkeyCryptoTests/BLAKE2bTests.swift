import RoamkeyCrypto
import Testing

@Test func hashIsKeyedByItsPersonalString() {
  #expect(BLAKE2b.hash("a") { _ in } != BLAKE2b.hash("b") { _ in })
}
