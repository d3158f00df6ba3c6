import RoamkeyWire

extension FuzzTargets {
  /// Text of strangers before people see it.
  static let text = FuzzTarget("text", longestInput: 200, milestones: ["dirty", "name", "cut", "nothing", "joined"]) {
    input, reached in
    let bytes = input.rest()
    let text = String(decoding: bytes, as: UTF8.self)
    let clean = DisplayText.clean(text)
    if clean.utf8.count < text.utf8.count { reached.reach(0) }
    precondition(DisplayText.isClean(clean), "what was made clean is not")
    precondition(DisplayText.isClean(text) == clean.utf8.elementsEqual(text.utf8), "clean text is changed")
    let line = DisplayText.line(text)
    precondition(DisplayText.isClean(line) && !line.contains(where: \.isNewline), "a line has an end in it")
    guard let name = DisplayText.name(text) else { return reached.reach(3) }
    reached.reach(1)
    if name.utf8.count < clean.utf8.count { reached.reach(2) }
    if name.unicodeScalars.contains(where: { $0.value == 0x200d }) { reached.reach(4) }
    precondition(DisplayText.isClean(name), "a name is not clean")
    precondition(DisplayText.name(name).map { $0.utf8.elementsEqual(name.utf8) } == true, "a name's name is another")
    precondition(name.utf8.count <= text.utf8.count, "a name grows")
    let reason = CloseFrame.reason(from: text)
    precondition(reason.count <= 128 && String(validating: reason, as: UTF8.self) != nil, "a reason is cut in two")
  }
}
