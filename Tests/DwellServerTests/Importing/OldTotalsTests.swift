import Foundation
import Testing

@testable import DwellAPI
@testable import DwellServer

@Suite struct OldTotalsTests {
    private let person = UUID()

    @Test func `two sessions at once count once, and midnight cuts`() {
        var totals = OldTotals(days: LocalDays(timeZone: .gmt))
        let midnight = Timestamp(at: "2024-05-02T00:00:00Z")
        totals.add(midnight - 3_600_000..<midnight + 60_000, of: person, isVideo: true)
        totals.add(midnight - 1_800_000..<midnight + 30_000, of: person, isVideo: true)
        totals.add(midnight..<midnight + 10_000, of: person, isVideo: false)
        let day = LocalDays(timeZone: .gmt).day(of: midnight)
        #expect(totals.total(of: person, day: day - 1) == OldTotals.Total(watched: 3_600_000, active: 0))
        #expect(totals.total(of: person, day: day) == OldTotals.Total(watched: 60_000, active: 10_000))
        #expect(totals.total(of: UUID(), day: day) == OldTotals.Total(watched: 0, active: 0))
    }

    @Test(arguments: [
        (60.0, Int64(60_400), OldTotals.Unit.seconds, true), (60, 62_000, .seconds, false), (1, 90_000, .minutes, true),
        (1, 130_000, .minutes, false), (60_000, 60_000, .milliseconds, true),
    ])
    func `less than one unit is no difference`(old: Double, new: Int64, unit: OldTotals.Unit, agrees: Bool) {
        #expect((OldTotals.difference("watched", old: old, new: new, unit: unit) == nil) == agrees)
    }

    @Test(arguments: [Double.nan, .infinity])
    func `a total that is no number is not compared`(old: Double) {
        #expect(OldTotals.difference("watched", old: old, new: 0, unit: .seconds) == nil)
    }
}
