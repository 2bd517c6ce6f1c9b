import Foundation
import Testing

@testable import DwellAPI
@testable import DwellServer

@Suite struct LocalDaysTests {
    private static let zones = [
        "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati", "Etc/GMT+12",
        "America/Sao_Paulo", "Australia/Lord_Howe", "Africa/Casablanca",
    ]

    @Test(arguments: zones)
    func `each moment lies in the day that it is said to lie in`(zone: String) throws {
        let days = LocalDays(timeZone: try #require(TimeZone(identifier: zone)))
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<500 {
            let time = Timestamp(milliseconds: .random(in: -1_000_000_000_000...4_000_000_000_000, using: &generator))
            let day = days.day(of: time)
            #expect(days.range(of: day).contains(time), "\(time)")
        }
    }

    @Test(arguments: zones)
    func `days follow each other without a gap`(zone: String) throws {
        let days = LocalDays(timeZone: try #require(TimeZone(identifier: zone)))
        for day in Int64(20_400)..<20_800 {
            #expect(days.range(of: day).upperBound == days.range(of: day + 1).lowerBound)
        }
    }

    @Test(arguments: ["UTC", "Europe/Berlin", "Pacific/Kiritimati"])
    func `days of all times follow each other, the first of our era too`(zone: String) throws {
        let days = LocalDays(timeZone: try #require(TimeZone(identifier: zone)))
        let year: Int64 = 365
        // The year before 1, and when the calendar was mended.
        for first in [-1971 * year, -389 * year] {
            for day in first - year..<first + 2 * year {
                let range = days.range(of: day)
                #expect(!range.isEmpty && range.upperBound == days.range(of: day + 1).lowerBound)
            }
        }
    }

    @Test(arguments: [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)] as [(String, Int64)])
    func `a day is as long as the zone's clock makes it`(date: String, hours: Int64) throws {
        let days = LocalDays(timeZone: try #require(TimeZone(identifier: "Europe/Berlin")))
        let range = days.range(of: try #require(LocalDays.day(ofDate: date)))
        #expect(range.upperBound - range.lowerBound == hours * 3_600_000)
    }

    @Test func `dates and numbers of days are each other's inverse`() throws {
        #expect(LocalDays.day(ofDate: "1970-01-01") == 0)
        #expect(LocalDays.date(of: 0) == "1970-01-01")
        #expect(LocalDays.date(of: -1) == "1969-12-31")
        for day in stride(from: Int64(-30_000), to: 60_000, by: 97) {
            #expect(LocalDays.day(ofDate: LocalDays.date(of: day)) == day)
        }
    }

    @Test(arguments: ["", "2026", "2026-13-01", "2026-02-30", "yesterday", "2026-11-21x", "26-11-21"])
    func `what is no date is none`(text: String) {
        #expect(LocalDays.day(ofDate: text) == nil)
    }
}
