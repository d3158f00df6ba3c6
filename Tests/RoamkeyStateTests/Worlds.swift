import RoamkeyCBOR
import RoamkeySimulator

@testable import RoamkeyState

/// A thing that moves in a world.
struct Mover: Codable, Equatable, Identifiable {
  var id: Int
  var x: Int
  var y: Int
  var heading: Int
  var energy: Int
  var kind: String
}
