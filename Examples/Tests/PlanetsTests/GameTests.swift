import Planets
import Testing

@Suite struct GameTests {
}
