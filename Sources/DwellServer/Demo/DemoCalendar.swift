import DwellAPI

/// When people of the demo come.
struct DemoCalendar {
    let days: LocalDays
    /// The days that are filled.
    let range: ClosedRange<Int64>
    /// When the demo ends.
    let end: Timestamp

    /// - Parameters:
    ///   - end: Nothing is later
    ///   - count: How many days, the last of them that of the end
    init(days: LocalDays, until end: Timestamp, count: Int64) {
        self.days = days
        self.end = end
        let last = days.day(of: end)
        range = (last - count + 1)...last
    }

    /// How many come at each hour: to what lies behind gates while they work, to the course in the evening.
    private static let atWork: [Double] = [
        1, 0.5, 0.2, 0.2, 0.3, 0.8, 3, 9, 18, 28, 31, 27, 16, 21, 29, 27, 22, 15, 9, 8, 8, 7, 4, 2,
    ]
    private static let atHome: [Double] = [
        4, 2, 1, 0.5, 0.5, 1, 4, 8, 9, 9, 10, 10, 13, 11, 9, 9, 11, 15, 20, 27, 33, 30, 19, 9,
    ]
    /// Monday first.
    private static let week: (atWork: [Double], atHome: [Double]) = (
        [1, 1.1, 1.05, 1, 0.8, 0.2, 0.25], [1, 0.95, 0.9, 0.85, 0.6, 0.9, 1.2]
    )

    /// How much goes on on a day, 1 on a Monday.
    func weight(of day: Int64, atWork: Bool) -> Double {
        // The first of January 1970 was a Thursday.
        let weekday = Int(((day + 3) % 7 + 7) % 7)
        return atWork ? Self.week.atWork[weekday] : Self.week.atHome[weekday]
    }

    /// A time of a day.
    func time(on day: Int64, atWork: Bool, _ random: inout DemoRandom) -> Timestamp {
        let hour = random.place(in: atWork ? Self.atWork : Self.atHome)
        return days.range(of: day).lowerBound + Int64(hour) * 3_600_000 + random.seconds(0...3599)
    }
}
