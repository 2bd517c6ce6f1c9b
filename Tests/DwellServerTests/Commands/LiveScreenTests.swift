import Testing

@testable import DwellAPI
@testable import DwellServer

@Suite struct LiveScreenTests {
    private static let now = Timestamp(at: "2026-11-21T12:00:00Z")

    private static func page(_ count: Int, email: String = "ada@example.com", next: String? = nil) -> LivePage {
        LivePage(
            viewers: count,
            sessions: (0..<count).map { number in
                LiveSession(
                    id: Int64(number), viewer: ViewerRecord(id: 1, kind: .guest, email: email, username: nil),
                    since: now - 3_723_000, lastSeenTime: now - 12_000, page: "/portfolio", video: nil)
            }, nextCursor: next)
    }

    @Test(arguments: [20, 40, 80, 132])
    func `no line is longer than the screen is wide`(_ columns: Int) {
        let long = String(repeating: "long", count: 50) + "@example.com"
        let screen = LiveScreen(page: Self.page(9, email: long), now: Self.now, columns: columns, rows: 8)
        #expect(screen.lines.count == 8)
        #expect(screen.lines.allSatisfy { $0.count <= columns })
    }

    @Test func `a line says who, on what, how long, and when last seen`() throws {
        let lines = LiveScreen(page: Self.page(1), now: Self.now, columns: 80, rows: 24).lines
        #expect(lines.count == 4)
        #expect(lines[0].hasPrefix("1 person here "))
        #expect(lines[0].hasSuffix("2026-11-21 12:00:00 UTC"))
        let words = try #require(lines.last).split(separator: " ")
        #expect(words == ["ada@example.com", "/portfolio", "1:02:03", "12", "s", "ago"])
    }

    @Test func `whoever has no room is not forgotten`() {
        for (count, next) in [(5, "more"), (22, nil), (200, "more")] {
            let lines = LiveScreen(page: Self.page(count, next: next), now: Self.now, columns: 80, rows: 24).lines
            #expect(lines.count <= 24)
            #expect(lines.last == "`dwell live` lists everybody.")
        }
        let all = LiveScreen(page: Self.page(21), now: Self.now, columns: 80, rows: 24).lines
        #expect(all.count == 24)
        #expect(all.last != "`dwell live` lists everybody.")
    }

    @Test func `nothing that visitors typed moves the cursor`() {
        let lines = LiveScreen(
            page: Self.page(1, email: "a\u{1B}[2J\r\nb\u{202E}c"), now: Self.now, columns: 80, rows: 24
        ).lines
        #expect(lines.allSatisfy { line in line.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 0x202E } })
    }
}
