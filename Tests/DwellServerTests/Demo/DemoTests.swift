import DwellAPI
import Foundation
import Testing

@testable import DwellServer

@Suite struct DemoTests {
    private static let end = Timestamp(at: "2026-03-02T12:00:00Z")

    /// Everything that is told of a demo: whose, when, and what.
    private static func told(seed: UInt64) -> [(visit: DemoVisit, beats: [DemoBeat])] {
        let people = (0..<60).map { DemoPerson($0, seed: seed, gates: 2) }
        let calendar = DemoCalendar(days: LocalDays(timeZone: .gmt), until: end, count: 14)
        var positions: [Int: [String: Int64]] = [:]
        return DemoVisit.all(of: people, in: calendar, seed: seed).map { visit in
            var story = DemoStory(
                visit, of: people[visit.person], folder: "/confidential/", until: end, interval: 180_000, seed: seed)
            return (visit, story.beats(&positions[visit.person, default: [:]]))
        }
    }

    private static func text(_ told: [(visit: DemoVisit, beats: [DemoBeat])]) -> [String] {
        told.map { "\($0.visit) \($0.beats)" }
    }

    @Test func theSameSeedTellsTheSame() {
        #expect(Self.text(Self.told(seed: 1)) == Self.text(Self.told(seed: 1)))
        #expect(Self.text(Self.told(seed: 1)) != Self.text(Self.told(seed: 2)))
    }

    @Test func whatIsToldIsWhatAClientMayTell() throws {
        for (visit, beats) in Self.told(seed: 1) {
            #expect(visit.start < Self.end)
            for beat in beats {
                #expect(visit.start < beat.arrival && beat.arrival <= Self.end)
                guard case .claims(let claims, let sentAt, _) = beat.content else { continue }
                #expect((1...BeatRules.segmentLimit).contains(claims.count))
                for claim in claims { try BeatRules.check(claim, at: "segments[0]", sentAt: sentAt) }
            }
        }
    }

    @Test func everybodyComesAndSomebodyIsHere() {
        let told = Self.told(seed: 1)
        #expect(Set(told.map(\.visit.person)).count == 60)
        let here = told.filter { $0.visit.isNow && ($0.beats.last.map { Self.end - $0.arrival < 180_000 } ?? false) }
        #expect(here.count >= 2)
    }

    @Test func visitorsComeMostOnWorkdaysAndByDay() {
        var random = DemoRandom(seed: 1)
        let calendar = DemoCalendar(days: LocalDays(timeZone: .gmt), until: Self.end, count: 14)
        // The second of March 2026 is a Monday.
        let monday = calendar.range.upperBound
        #expect(calendar.weight(of: monday, atWork: true) > 3 * calendar.weight(of: monday - 1, atWork: true))
        let hours = (0..<1000).map { _ in
            (calendar.time(on: monday, atWork: true, &random) - calendar.days.range(of: monday).lowerBound) / 3_600_000
        }
        #expect(hours.count { (8..<18).contains($0) } > 600)
        #expect(hours.allSatisfy { (0..<24).contains($0) })
    }
}
