internal import ArgumentParser
internal import Roamkey

/// What `--delivery` can be.
enum DeliveryMode: String, ExpressibleByArgument, CaseIterable {
  case reliable
  case unordered
  case latest
  case unreliable

  /// `reliable-ordered` is the long name of `reliable`.
  init?(argument: String) { self.init(rawValue: argument == "reliable-ordered" ? "reliable" : argument) }

  var delivery: Delivery {
    switch self {
    case .reliable: .reliableOrdered
    case .unordered: .reliableUnordered
    case .latest: .latest
    case .unreliable: .unreliable
    }
  }
}
