import RoamkeyCrypto

extension ClientEndpoint {
  /// The application that it plays.
  package var application: String { settings.application }

  /// Signs a message that leaves room for its author's signature.
  func sign(_ content: inout [UInt8], for server: PlayerID) {
    var signer = authorSigner ?? AuthorSigner(run: context.entropy.number())
    signer.sign(&content, key: context.key, application: settings.application, server: server)
    authorSigner = signer
  }
}

extension ServerEndpoint {
  /// The application that it serves.
  package var application: String { settings.application }
}
