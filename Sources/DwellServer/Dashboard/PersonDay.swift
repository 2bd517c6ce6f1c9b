import DwellAPI
import Foundation

/// A person's day from midnight to midnight: a lane for each tab of each device.
struct PersonDay {
    /// The day, such as `2026-11-21`.
    let date: String
    /// What names the person in the form that asks for another day.
    let field: String
    let value: String
    /// The nearest days on which something was.
    let before: Link?
    let after: Link?
    let visible: ShownDuration
    let engaged: ShownDuration
    let lanes: [Lane]
    /// Hours, where they are in the drawing.
    let hours: [Hour]
    let rows: [Row]
    let isEmpty: Bool
    /// How many segments are not in the table.
    let left: String?
    /// What is missing because it was folded.
    let folded: String?

    struct Link {
        let date: String
        let path: String
    }

    struct Lane {
        let name: String
        /// What is drawn, for those who do not see it.
        let label: String
        let bars: [Bar]
    }

    /// A stretch of time, in percent of the day. What was active is higher than what was idle.
    struct Bar {
        let x: String
        let width: String
        let y: Int
        let height: Int
        let kind: String
        let title: String
    }

    struct Hour {
        let x: String
        let text: String?
        /// Where the text is, seen from its place.
        let anchor: String
    }

    struct Row {
        let start: ShownTime
        let length: String
        let lane: String
        let attention: String
        let content: String
        let session: Int64
        let sessionPath: String
    }

    /// A day may have thousands of segments: the table has the first of them, the drawing all.
    private static let tableLimit = 500

    /// - Parameters:
    ///   - timelines: Of everybody who is meant
    ///   - near: The nearest days on which something was
    ///   - names: Of devices, by their ids
    init(
        _ timelines: [ViewerTimeline], day: Int64, near: (before: Int64?, after: Int64?), names: [String: String],
        _ asked: AskedPerson, _ days: LocalDays
    ) {
        date = LocalDays.date(of: day)
        (field, value) = asked.name
        func link(_ day: Int64) -> Link {
            let date = LocalDays.date(of: day)
            return Link(date: date, path: "\(asked.path)&day=\(date)#day")
        }
        before = near.before.map(link)
        after = near.after.map(link)
        let total = timelines.reduce(into: ContentMeasures()) { $0 += $1.total }
        visible = ShownDuration(total.visibleMs, error: total.visibleErrorMs)
        engaged = ShownDuration(total.engagedMs, error: total.engagedErrorMs)
        let segments = timelines.flatMap(\.segments).sorted { $0.start < $1.start }
        let scale = DayScale(days.range(of: day), in: days.timeZone)
        hours = scale.hours
        let drawn = DayLanes(segments, names: names)
        lanes = drawn.lanes.map { scale.lane($0.name, $0.segments) }
        rows = segments.prefix(Self.tableLimit).map { segment in
            Row(
                start: ShownTime(segment.start, days), length: ReportCell.duration(segment.lengthMs).readable,
                lane: drawn.name(of: segment), attention: segment.attention.rawValue,
                content: segment.video ?? segment.page ?? "", session: segment.sessionId,
                sessionPath: "/dashboard/sessions/\(segment.sessionId)")
        }
        left = segments.count > rows.count ? "\(segments.count - rows.count)" : nil
        let count = timelines.map(\.foldedSessions).reduce(0, +)
        isEmpty = segments.isEmpty && count == 0
        folded = count == 0 ? nil : "\(count) \(count == 1 ? "session" : "sessions")"
    }
}

/// Which segments are drawn in a row: those of one tab.
struct DayLanes {
    let lanes: [(name: String, segments: [TimelineSegment])]
    private let names: [Tab: String]

    private struct Tab: Hashable {
        let device: String?
        let name: String

        init(_ segment: TimelineSegment) {
            device = segment.deviceId
            name = segment.tab
        }
    }

    /// More tabs than these share the last lane.
    private static let limit = 12

    /// - Parameter names: Of devices, by their ids
    init(_ segments: [TimelineSegment], names: [String: String]) {
        var lanes: [(name: String, segments: [TimelineSegment])] = []
        var places: [Tab: Int] = [:]
        for segment in segments {
            let tab = Tab(segment)
            let place = places[tab] ?? min(lanes.count, Self.limit - 1)
            if place == lanes.count {
                let device = tab.device.map { "\(names[$0] ?? "Another device"), " } ?? ""
                lanes.append(("\(device)tab \(place + 1)", []))
            } else if places[tab] == nil {
                lanes[place].name = "Other tabs"
            }
            places[tab] = place
            lanes[place].segments.append(segment)
        }
        self.lanes = lanes
        self.names = places.mapValues { lanes[$0].name }
    }

    func name(of segment: TimelineSegment) -> String { names[Tab(segment)] ?? "" }
}

/// Where moments are in the drawing of a day, which has 23 or 25 hours twice a year.
struct DayScale {
    /// As much time as a drawing can show: what is nearer to each other is drawn as one.
    private static let grain: Int64 = 60_000

    private let day: Range<Timestamp>
    private let calendar: Calendar

    init(_ day: Range<Timestamp>, in timeZone: TimeZone) {
        self.day = day
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = timeZone
        self.calendar = calendar
    }

    /// Every third hour of the clock on the wall; every sixth has its name.
    var hours: [PersonDay.Hour] {
        let half: Int64 = 1_800_000
        let end = PersonDay.Hour(x: percent(day.upperBound), text: "24:00", anchor: "end")
        return stride(from: day.lowerBound.milliseconds, to: day.upperBound.milliseconds, by: Int64.Stride(half))
            .compactMap { milliseconds in
                let time = Timestamp(milliseconds: milliseconds)
                let clock = calendar.dateComponents([.hour, .minute], from: time.date)
                guard let hour = clock.hour, clock.minute == 0, hour.isMultiple(of: 3) else { return nil }
                return PersonDay.Hour(
                    x: percent(time), text: hour.isMultiple(of: 6) ? "\(hour):00" : nil,
                    anchor: time == day.lowerBound ? "start" : "middle")
            } + [end]
    }

    func lane(_ name: String, _ segments: [TimelineSegment]) -> PersonDay.Lane {
        let kinds = [Attention.idle, .active].map { attention -> (Attention, IntervalSet) in
            // A segment of one moment is seen too.
            let times = segments.filter { $0.attention == attention }.map { $0.start..<max($0.end, $0.start + 1) }
            return (attention, IntervalSet(times))
        }
        let visible = IntervalSet(segments.map { $0.start..<$0.end }).milliseconds
        let bars = kinds.flatMap { attention, times in
            joined(times.intervals).map { bar($0, attention) }
        }
        return PersonDay.Lane(
            name: name, label: "\(name): \(ReportCell.duration(visible).readable) in \(segments.count) segments",
            bars: bars)
    }

    private func joined(_ intervals: [Range<Timestamp>]) -> [Range<Timestamp>] {
        intervals.reduce(into: []) { joined, next in
            if let last = joined.last, next.lowerBound - last.upperBound < Self.grain {
                joined[joined.endIndex - 1] = last.lowerBound..<next.upperBound
            } else {
                joined.append(next)
            }
        }
    }

    private func bar(_ time: Range<Timestamp>, _ attention: Attention) -> PersonDay.Bar {
        // What there was must be seen, however short it is.
        let end = min(max(time.upperBound, time.lowerBound + 2 * Self.grain), day.upperBound)
        let height = attention == .active ? 16 : 8
        return PersonDay.Bar(
            x: percent(time.lowerBound), width: percent(day.lowerBound + (end - time.lowerBound)), y: 20 - height,
            height: height, kind: attention.rawValue,
            title: "\(clock(time.lowerBound)) to \(clock(time.upperBound)), \(attention.rawValue)")
    }

    private func clock(_ time: Timestamp) -> String {
        let clock = calendar.dateComponents([.hour, .minute], from: time.date)
        return String(format: "%d:%02d", clock.hour ?? 0, clock.minute ?? 0)
    }

    private func percent(_ time: Timestamp) -> String {
        String(format: "%.2f%%", Double(time - day.lowerBound) / Double(day.upperBound - day.lowerBound) * 100)
    }
}
