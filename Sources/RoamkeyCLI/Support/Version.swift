/// The version of what this tree builds: the newest one of CHANGELOG.md, and the tag of its commit.
enum Version {
  static let text = "0.6.0"
}
