import Testing

@testable import DwellServer

@Suite struct ViewerSearchTests {
    @Test func `what was typed is looked for as names are stored`() throws {
        let search = try #require(try ViewerSearch("  Ada.Ω@Example "))
        #expect(search.email == "ada.ω@example")
        #expect(search.username == AccountRules.key(of: "Ada.Ω@Example"))
        #expect(try ViewerSearch(" \n") == nil)
    }

    @Test(arguments: ["a\u{7}", String(repeating: "a", count: 255)])
    func `what begins nothing is refused`(text: String) {
        #expect(throws: InvalidField.self) { try ViewerSearch(text) }
    }

    @Test(arguments: [
        ViewerCursor(id: 7), ViewerCursor(name: "ada@example.com", id: 123_456), ViewerCursor(name: "ω", id: 1),
    ])
    func `a cursor comes back as it went`(cursor: ViewerCursor) {
        #expect(ViewerCursor(cursor.text) == cursor)
    }

    @Test(arguments: ["", "-", "7-", "7-6", "7-zz", "07", "7-ff", "A"])
    func `nothing else is a cursor`(text: String) {
        #expect(ViewerCursor(text) == nil)
    }
}
