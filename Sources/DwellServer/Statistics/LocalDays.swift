package import DwellAPI
package import Foundation
import Synchronization

/// The days of a time zone: a day's number counts from 1970-01-01 of the local calendar, and a day is as long as the
/// zone's clock makes it (23 or 25 hours twice a year).
package final class LocalDays: Sendable {
    package let timeZone: TimeZone
    private let calendar: Calendar
    /// The day that was asked for last: beats arrive now, so nearly every question has the same answer.
    private let latest = Mutex<(day: Int64, range: Range<Timestamp>)?>(nil)
    /// Days of about a year: calendars take their time.
    private let ranges = Mutex(BoundedCache<Int64, Range<Timestamp>>(capacity: 400))

    /// - Parameter timeZone: Where midnight is taken from
    package init(timeZone: TimeZone) {
        self.timeZone = timeZone
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = timeZone
        self.calendar = calendar
    }

    /// The number of the day that a time lies in.
    package func day(of time: Timestamp) -> Int64 {
        if let latest = latest.withLock({ $0 }), latest.range.contains(time) { return latest.day }
        let midnight = calendar.startOfDay(for: time.date)
        // The local date, read as if it were UTC, counts whole days.
        let offset = Int64(timeZone.secondsFromGMT(for: midnight))
        let local = Timestamp(midnight).milliseconds + offset * 1000
        // Half a day more: a zone that skips midnight starts its day at one o'clock.
        let day = (local + 43_200_000).flooredDivision(by: 86_400_000)
        let range = range(of: day)
        latest.withLock { $0 = (day, range) }
        return day
    }

    /// From the day's midnight to the next.
    package func range(of day: Int64) -> Range<Timestamp> {
        if let known = ranges.withLock({ $0[day] }) { return known }
        let range = start(of: day)..<start(of: day + 1)
        ranges.withLock { $0.insert(range, for: day) }
        return range
    }

    /// The days that an interval touches; an empty interval touches the day it lies in.
    package func days(touching interval: Range<Timestamp>) -> ClosedRange<Int64> {
        let last = interval.isEmpty ? interval.lowerBound : interval.upperBound - 1
        return day(of: interval.lowerBound)...day(of: last)
    }

    /// The day's date, such as `2026-11-21`.
    package static func date(of day: Int64) -> String {
        Date(timeIntervalSince1970: Double(day) * 86_400).formatted(.iso8601.year().month().day())
    }

    /// The number of a date such as `2026-11-21`; `nil` for anything else.
    package static func day(ofDate text: String) -> Int64? {
        guard let date = try? Date.ISO8601FormatStyle().year().month().day().parse(text) else { return nil }
        let day = Int64((date.timeIntervalSince1970 / 86_400).rounded(.down))
        // The parser takes the 30th of February for a day in March.
        return self.date(of: day) == text ? day : nil
    }

    private func start(of day: Int64) -> Timestamp {
        var utc = Calendar(identifier: .gregorian)
        utc.timeZone = .gmt
        let date = Date(timeIntervalSince1970: Double(day) * 86_400)
        var noon = utc.dateComponents([.era, .year, .month, .day], from: date)
        // Noon exists on every day in every zone; midnight does not.
        noon.hour = 12
        guard let middle = calendar.date(from: noon) else {
            preconditionFailure("the Gregorian calendar has every day: \(day)")
        }
        return Timestamp(calendar.startOfDay(for: middle))
    }
}

extension Int64 {
    /// Division that rounds down, for days before 1970 too.
    fileprivate func flooredDivision(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
