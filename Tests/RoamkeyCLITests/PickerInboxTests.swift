import Glibc
import Roamkey
import Testing

@testable import RoamkeyCLI
@testable import RoamkeyTerminal

/// What a picker looks at first.
@Suite struct PickerInboxTests {
  private let ada = found("Ada", 1)
  private let ben = found("Ben", 2)

  /// A neighbour that changes its name all the time.
  @Test func ofManyListsTheNewestIsKept() {
    var inbox = PickerInbox()
    for number in 0..<1000 { inbox.add(servers: [found("\(number)", 1)]) }
    inbox.add(servers: [ada, ben])
    #expect(inbox.takeFirst() == .servers([ada, ben]))
    #expect(inbox.isEmpty)
    #expect(inbox.takeFirst() == nil)
  }

  @Test func signalsAndKeysComeBeforeLists() {
    var inbox = PickerInbox()
    inbox.add(servers: [ada])
    inbox.add(key: .interrupt)
    inbox.add(servers: [ada, ben])
    inbox.add(signal: SIGWINCH)
    #expect(!inbox.hasEnd)
    inbox.add(signal: SIGTERM)
    #expect(inbox.hasEnd && !inbox.isEmpty)
    let order: [PickerInbox.Input] = [.signal(SIGWINCH), .signal(SIGTERM), .key(.interrupt), .servers([ada, ben])]
    for input in order { #expect(inbox.takeFirst() == input) }
    #expect(inbox.isEmpty && !inbox.hasEnd)
  }

  @Test func keysKeepTheirOrderToTheEnd() {
    var inbox = PickerInbox()
    for key in [Key.down, .enter, nil] { inbox.add(key: key) }
    for input in [PickerInbox.Input.key(.down), .key(.enter), .end] { #expect(inbox.takeFirst() == input) }
    #expect(inbox.takeFirst() == nil)
  }

  @Test func ofASignalOneIsEnough() {
    var inbox = PickerInbox()
    for _ in 0..<1000 { inbox.add(signal: SIGWINCH) }
    #expect(inbox.takeFirst() == .signal(SIGWINCH))
    #expect(inbox.isEmpty)
    inbox.add(signal: SIGWINCH)
    #expect(inbox.takeFirst() == .signal(SIGWINCH))
  }
}
