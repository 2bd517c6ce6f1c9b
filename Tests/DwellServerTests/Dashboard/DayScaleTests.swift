import DwellAPI
import Foundation
import Testing

@testable import DwellServer

@Suite struct DayScaleTests {
    /// Where hours of the wall's clock are on a day that is longer or shorter than others.
    @Test(arguments: [
        ("2026-06-01", ["0.00%", "25.00%", "50.00%", "75.00%", "100.00%"]),
        // The clock goes forward at two: six o'clock is five hours after midnight, of 23.
        ("2026-03-29", ["0.00%", "21.74%", "47.83%", "73.91%", "100.00%"]),
        // Back at three: seven hours, of 25.
        ("2026-10-25", ["0.00%", "28.00%", "52.00%", "76.00%", "100.00%"]),
    ])
    func `hours are where the clock on the wall says`(date: String, places: [String]) throws {
        let zone = try #require(TimeZone(identifier: "Europe/Berlin"))
        let day = try #require(LocalDays.day(ofDate: date))
        let hours = DayScale(LocalDays(timeZone: zone).range(of: day), in: zone).hours.filter { $0.text != nil }
        #expect(hours.map(\.text) == ["0:00", "6:00", "12:00", "18:00", "24:00"])
        #expect(hours.map(\.x) == places)
    }

    @Test func `stretches that a drawing can't tell apart are one`() throws {
        let zone = TimeZone.gmt
        let range = LocalDays(timeZone: zone).range(of: 20_000)
        func segment(_ n: Int64, _ minute: Double, _ attention: Attention = .active) -> TimelineSegment {
            let start = range.lowerBound + Int64(minute * 60_000)
            return TimelineSegment(
                sessionId: 1, deviceId: nil, tab: "t", n: n, start: start, end: start + 30_000, attention: attention,
                page: nil, video: nil)
        }
        let lane = DayScale(range, in: zone).lane(
            "tab 1", [segment(1, 0), segment(2, 1), segment(3, 5), segment(4, 6, .idle)])
        #expect(lane.bars.map(\.kind) == ["idle", "active", "active"])
        #expect(lane.label == "tab 1: 0:02:00 in 4 segments")
    }

    @Test func `tabs beyond those there is room for share a lane`() {
        let segments = (0..<20).map { n in
            TimelineSegment(
                sessionId: 1, deviceId: nil, tab: "t\(n)", n: 0, start: Timestamp(milliseconds: 0),
                end: Timestamp(milliseconds: 1000), attention: .active, page: nil, video: nil)
        }
        let lanes = DayLanes(segments, names: [:])
        #expect(lanes.lanes.count == 12)
        #expect(lanes.lanes.map(\.segments.count).reduce(0, +) == 20)
        #expect(lanes.name(of: segments[19]) == "Other tabs")
    }
}
