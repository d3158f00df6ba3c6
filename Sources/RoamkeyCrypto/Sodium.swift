import RoamkeySodium

/// The one place that starts libsodium.
enum Sodium {
  /// Touching this makes sure that `sodium_init` ran, once for the process, before anything else of libsodium.
  static let ready: Void = {
    precondition(sodium_init() >= 0, "libsodium could not be initialised: no source of random bytes on this system")
  }()
}
