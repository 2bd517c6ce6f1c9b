import Foundation
import Testing

@testable import DwellAPI
@testable import DwellServer

@Suite struct OldTimeTests {
    private static let noon = Timestamp(at: "2024-05-01T10:00:00Z")

    @Test(arguments: [
        "2024-05-01T10:00:00Z", "2024-05-01 10:00:00+00:00", "2024-05-01 10:00:00+00", "2024-05-01 10:00",
        "2024-05-01 12:00:00+02", "2024-05-01T12:00:00+0200", "2024-05-01 04:30:00-05:30", "2024-05-01T10:00:00.000000",
        " 2024-05-01 10:00:00.0004 ", "2024-05-01 10:00:00 Z", "2024-05-01T10:00:00,000z",
    ])
    func `one moment in many forms`(text: String) {
        #expect(OldTimeReader(zone: .gmt).time(text) == Self.noon)
    }

    @Test(arguments: [
        "", "2024-05-01", "2024-02-30 10:00:00", "2023-02-29 10:00:00", "2024-13-01 10:00:00", "2024-05-01 24:00:00",
        "2024-05-01 10:60", "2024-05-01 10:00:60", "2024-05-01 10:00:00+25", "2024-05-01 10:00:00+0", "infinity",
        "2024-05-01 10:00:00.", "2024-05-01 10:00:00 BC", "01.05.2024 10:00", "2024-5-1 10:00", "1714557600",
        "2024-05-01 10:00:00+02:", "２０２４-05-01 10:00",
    ])
    func `what is no time is none`(text: String) {
        #expect(OldTimeReader(zone: .gmt).time(text) == nil)
    }

    @Test(arguments: [
        ("2024-07-01 12:00:00", "2024-07-01T10:00:00Z"), ("2024-01-01 12:00:00", "2024-01-01T11:00:00Z"),
        // Comes twice: the first is meant.
        ("2024-10-27 02:30:00", "2024-10-27T00:30:00Z"), ("2024-10-27 03:00:00", "2024-10-27T02:00:00Z"),
        // Is skipped.
        ("2024-03-31 02:30:00", "2024-03-31T01:30:00Z"), ("2024-07-01 12:00:00Z", "2024-07-01T12:00:00Z"),
    ])
    func `times without a zone are of the one given`(text: String, expected: String) throws {
        let reader = OldTimeReader(zone: try #require(TimeZone(identifier: "Europe/Berlin")))
        #expect(reader.time(text) == Timestamp(expected))
    }

    @Test func `days are read with whatever follows`() {
        #expect(OldTimeReader.day("2024-05-01") == OldTimeReader.day("2024-05-01 00:00:00+00"))
        #expect(OldTimeReader.day("2024-02-30") == nil)
    }

    @Test func `a session's times are bounded`() throws {
        let rules = OldSessionRules(reader: OldTimeReader(zone: .gmt), now: Self.noon + 1000)
        let day = try rules.times(from: "2024-04-01 10:00", to: "2024-04-09 10:00")
        #expect(day.end - day.start == 86_400_000)
        #expect(day.remark != nil)
        let late = try rules.times(from: "2024-05-01 10:00", to: "2024-05-01 11:00")
        #expect(late.end == Self.noon + 1000)
        let exact = try rules.times(from: "2024-04-01 10:00", to: "2024-04-02 10:00")
        #expect(exact.remark == nil)
        for (start, end) in [("2024-05-01 10:00", "2024-05-01 09:59"), ("2024-05-01 10:01", "2024-05-01 10:02")] {
            #expect(throws: OldSessionRules.Refusal.self) { try rules.times(from: start, to: end) }
        }
    }
}
