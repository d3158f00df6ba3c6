import Dots
import Roamkey

let usage = """
  Bot HOST[:PORT] [--count N] [--seconds N]   N players of the game who want coins; ends when none is left
  """

var arguments = Array(CommandLine.arguments.dropFirst())
func option(_ name: String, in arguments: inout [String]) -> Int? {
  guard let place = arguments.firstIndex(of: name), place + 1 < arguments.count else { return nil }
  defer { arguments.removeSubrange(place...(place + 1)) }
  return Int(arguments[place + 1])
}
let count = option("--count", in: &arguments) ?? 10
let limit = option("--seconds", in: &arguments).map { Duration.seconds($0) }

if arguments.count == 1, count > 0 {
  let ends = await run(count, at: arguments[0], for: limit)
  for (end, number) in ends.sorted(by: { $0.value > $1.value }) { print("\(number) bots: \(end)") }
} else {
  print(usage)
}
