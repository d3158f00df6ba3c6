import RoamkeyWire

extension FuzzTargets {
  /// What a message carries: each content has one encoding, so what is read is written as the same bytes.
  static let content = FuzzTarget(
    "content", longestInput: 400, milestones: ["read", "author", "action", "time", "text", "proof", "blankProof"]
  ) { input, reached in
    let bytes = input.rest()
    let content = try? MessageContent(bytes.span.bytes)
    let consumed = try? MessageContent(bytes)
    precondition(content == consumed, "the two ways to read a content disagree")
    guard let content else { return }
    reached.reach(0)
    if content.author != nil { reached.reach(1) }
    if !content.action.isEmpty { reached.reach(2) }
    if content.time != nil { reached.reach(3) }
    if content.format == .text, !content.body.isEmpty { reached.reach(4) }
    if let proof = content.proof {
      precondition(AuthorProof(proof).bytes == proof, "a proof has one encoding")
      reached.reach(5)
    }
    if let place = MessageContent.blankProof(in: bytes) {
      precondition(bytes.count - place >= AuthorProof.size && content.proof != nil, "a proof beyond the end")
      reached.reach(6)
    }
    precondition(content.encoded() == bytes, "a content has one encoding")
    precondition(bytes.count - content.body.count <= MessageContent.maximumHeader, "a longer header than may be")
  }
}
