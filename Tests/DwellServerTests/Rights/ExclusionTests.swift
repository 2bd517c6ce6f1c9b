import Foundation
import Testing

@testable import DwellAPI
@testable import DwellServer

/// Viewers who count in no total.
@Suite struct ExclusionTests {
    @Test func `an excluded person counts in no figure, and in every one again when included`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            for name in ["ada", "bea"] { try await store.visit(writer, "\(name)@example.com", media: 0..<60_000) }
            let without = try await store.figures()
            try await store.visit(writer, "owner@example.com", media: 30_000..<120_000)
            let with = try await store.figures()
            for (name, figure) in with { #expect(figure != without[name], "\(name)") }

            let found = try await store.exclusions.exclude(.owner, reason: " the owner ", by: .commandLine)
            #expect(found.map(\.reason) == ["the owner"] && found[0].viewer.email == "owner@example.com")
            #expect(try await store.figures() == without)
            #expect(try await store.audience.recompute().changed == 0)
            #expect(try await store.audience.recompute().changedVideos == 0)
            // What they do meanwhile is kept, and counts as little.
            try await store.visit(writer, "owner@example.com", media: 0..<20_000)
            #expect(try await store.figures() == without)
            let viewers = Viewers(database: store.database, days: store.settings.days)
            let own = try await store.videos.watched(
                by: try await viewers.numbers(email: "owner@example.com", username: nil))
            #expect(own.map(\.progress.coveredMs) == [110_000])
            #expect(try await store.reports.totals(Reports.Scope(email: "owner@example.com"))[0].sessions == 2)

            #expect(try await store.exclusions.include(.owner, by: .commandLine))
            #expect(try await store.exclusions.include(.owner, by: .commandLine) == false)
            try await store.audience.fold()
            let again = try await store.figures()
            #expect(again != without)
            let film = try #require(try await store.videos.audience(of: "film"))
            #expect(film.video.viewers == 3 && film.video.watchedMs == 60_000 * 2 + 110_000)
            #expect(try await store.audience.recompute().changedVideos == 0)
        }
    }

    @Test func `whoever is excluded while a batch is computed is not counted by it`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            try await store.visit(writer, "ada@example.com", media: 0..<60_000)
            try await store.audience.fold()
            try await store.visit(writer, "owner@example.com", media: 0..<60_000)
            let between = InterruptedDatabase(store.database) {
                _ = try await store.exclusions.exclude(.owner, reason: "the owner", by: .commandLine)
            }
            try await Audience(database: between, logger: TestStore.silent).fold()
            #expect(try await store.videos.audience(of: "film")?.video.viewers == 1)
            try await store.audience.fold()
            #expect(try await store.videos.audience(of: "film")?.video.viewers == 1)
            _ = try await store.exclusions.include(.owner, by: .commandLine)
            try await store.audience.fold()
            #expect(try await store.videos.audience(of: "film")?.video.viewers == 2)
        }
    }

    @Test func `a video that is counted anew leaves out who is excluded`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            for name in ["ada", "owner"] { try await store.visit(writer, "\(name)@example.com", media: 0..<120_000) }
            try await store.audience.fold()
            _ = try await store.exclusions.exclude(.owner, reason: "the owner", by: .commandLine)
            _ = try await store.audience.set("film") { $0.completeAt = 1 }
            try await store.audience.fold()
            #expect(try await store.videos.audience(of: "film")?.video.completions == 1)
            _ = try await store.exclusions.include(.owner, by: .commandLine)
            try await store.audience.fold()
            #expect(try await store.videos.audience(of: "film")?.video.completions == 2)
        }
    }

    @Test(arguments: ["", "  ", String(repeating: "x", count: 201), "two\nlines"])
    func `a reason is a line that people can read`(reason: String) async throws {
        let store = try await TestStore()
        _ = try await store.gate.enter(email: "owner@example.com")
        await #expect(throws: InvalidField("reason", expected: "1 to 200 characters on one line")) {
            try await store.exclusions.exclude(.owner, reason: reason, by: .commandLine)
        }
        await #expect(throws: UnknownPerson()) {
            try await store.exclusions.exclude(.viewer(77), reason: "a bot", by: .commandLine)
        }
    }
}

extension PersonName {
    static let owner = PersonName.named(email: "owner@example.com", username: nil)
}

extension TestStore {
    var exclusions: Exclusions { Exclusions(database: database, days: settings.days, clock: clock.clock) }
    var videos: Videos { Videos(database: database) }

    var erasures: Erasures {
        Erasures(
            database: database, statistics: statistics, days: settings.days, clock: clock.clock, logger: Self.silent)
    }

    /// A guest sees a page and plays a part of a video, at the same time, which takes as long as it is.
    func visit(_ writer: BeatWriter, _ email: String, media: Range<Int64>, page: String = "/page") async throws {
        let guest = try await Guest(self, writer, email: email)
        let start = clock.now.milliseconds
        clock.advance(by: media.upperBound - media.lowerBound)
        let end = clock.now.milliseconds
        var film = Guest.segment(1, from: start, to: end, tab: "film")
        (film.video, film.mediaFrom, film.mediaTo) = ("film", media.lowerBound, media.upperBound)
        film.mediaDuration = 120_000
        try await guest.claim([film, Guest.segment(2, from: start, to: end, page: page)], sentAt: end)
    }

    /// Every figure that is about everybody, each as text.
    func figures() async throws -> [String: String] {
        try await statistics.aggregate()
        try await audience.fold()
        let today = settings.days.day(of: clock.now)
        let overview = try await reports.overview(Reports.Scope(), from: today, through: today)
        let exports = Exports(database: database, days: settings.days, clock: clock.clock)
        return [
            "overview": "\(overview)",
            "totals": "\(try await reports.totals(Reports.Scope()))",
            "days": "\(try await reports.days(Reports.Scope()))",
            "videos": "\(try await reports.videos(Reports.Scope()))",
            "page": "\(try await reports.content(.page, "/page", Reports.Scope()) as Any)",
            "top": "\(try await reports.top(.page, Reports.Scope(), limit: 10))",
            "live": "\(try await reports.live(interval: 180_000).viewers)",
            "live of the video": """
            \(try await reports.live(interval: 180_000, video: try await videos.number(of: "film")).viewers)
            """,
            "live number": "\(try await reports.liveViewers(interval: 180_000))",
            "audience": "\(try await videos.audience(of: "film") as Any)",
            "audience's list": "\(try await videos.viewers(of: "film")?.viewers.map(\.viewer.email) as Any)",
            "export": try await exports.open(.statistics, SessionFilter(), as: .csv).text,
        ]
    }
}
