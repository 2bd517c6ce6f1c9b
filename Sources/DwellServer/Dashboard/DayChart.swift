import DwellAPI

/// A bar for each day, and the table behind it.
struct DayChart {
    /// What is drawn, for those who do not see it.
    let label: String
    let width: Int
    let height = DayChart.height
    let bars: [Bar]
    let first: String
    let last: String
    /// How much the highest bar is.
    let top: String
    /// The days, the latest first.
    let rows: [Row]
    let isEmpty: Bool
    /// Whether days are of many people.
    let isOfMany: Bool
    /// A drawing that has links is none to those who do not see it.
    let role: String

    /// A rectangle in a drawing; units are its own.
    struct Bar {
        let x: Int
        let y: Int
        let height: Int
        let title: String
        /// What the day leads to.
        let dayPath: String?
    }

    struct Row {
        let day: String
        /// What it leads to.
        let dayPath: String?
        let people: Int?
        let visible: ShownDuration
        let engaged: ShownDuration
    }

    private static let height = 100
    /// From one bar to the next; templates draw them a bit narrower.
    private static let step = 10

    /// The engaged time of each day of one person.
    /// - Parameter path: What a day such as `2026-11-21` leads to
    init(ofOne days: [ViewerDayTotal], in range: ClosedRange<Int64>, path: @escaping (String) -> String) {
        let days: [ContentDay] = days.map { ContentDay(day: $0.day, viewers: 1, total: $0.total) }
        self.init(days, in: range, path: path)
    }

    /// The engaged time of each day.
    /// - Parameters:
    ///   - days: Those on which anything was, the first one first
    ///   - range: The days that are drawn
    ///   - path: What a day of one person leads to
    init(_ days: [ContentDay], in range: ClosedRange<Int64>, path: ((String) -> String)? = nil) {
        let known = Dictionary(uniqueKeysWithValues: days.map { ($0.day, $0) })
        let highest = days.map(\.total.engagedMs).max() ?? 0
        bars = range.enumerated().map { index, day in
            let date = LocalDays.date(of: day)
            let engaged = known[date]?.total.engagedMs ?? 0
            // What there is must be seen, however little it is.
            let size = engaged == 0 ? 0 : max(1, Int(engaged * Int64(Self.height) / max(highest, 1)))
            return Bar(
                x: index * Self.step, y: Self.height - size, height: size,
                title: "\(date): \(ReportCell.duration(engaged).readable)",
                dayPath: known[date] == nil ? nil : path?(date))
        }
        width = max(range.count * Self.step, 1)
        first = LocalDays.date(of: range.lowerBound)
        last = LocalDays.date(of: range.upperBound)
        top = ReportCell.duration(highest).readable
        label = "Engaged time per day from \(first) to \(last), at most \(top)"
        rows = days.reversed().map { day in
            Row(
                day: day.day, dayPath: path?(day.day), people: path == nil ? day.viewers : nil,
                visible: ShownDuration(day.total.visibleMs, error: day.total.visibleErrorMs),
                engaged: ShownDuration(day.total.engagedMs, error: day.total.engagedErrorMs))
        }
        isEmpty = days.isEmpty
        isOfMany = path == nil
        role = path == nil ? "img" : "group"
    }
}
