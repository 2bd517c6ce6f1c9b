import DwellAPI
import Foundation

/// What a number of days brought, beside as many days before.
struct OverviewPage {
    /// The numbers of days that are one click away.
    private static let lengths: [Int64] = [1, 7, 28, 90, 365]

    let lengths: [Choice]
    let from: String
    let through: String
    let page: String
    let video: String
    let person: String
    let device: String
    /// The device in words.
    let deviceName: String?
    let figures: [Figure]
    let chart: DayChart
    let pages: Ranks?
    let videos: Ranks?
    /// How many sessions of the device the figures lack.
    let folded: Int?

    struct Choice {
        let title: String
        let path: String
        let isChosen: Bool
    }

    struct Figure {
        let title: String
        let value: String
        /// The largest possible error.
        let error: String?
        /// Against the period before, such as `+12 %`.
        let change: String
        let before: String
    }

    struct Ranks {
        let title: String
        let rows: [Row]
        let isEmpty: Bool

        struct Row {
            let name: String
            let path: String
            let people: Int
            let engaged: ShownDuration
        }

        fileprivate init(_ title: String, _ kind: ContentKind, _ ranks: [ContentRank], _ link: OverviewLink) {
            self.title = title
            isEmpty = ranks.isEmpty
            rows = ranks.map { rank in
                Row(
                    name: rank.name, path: link.path((kind.rawValue, rank.name)), people: rank.viewers,
                    engaged: ShownDuration(rank.total.engagedMs, error: rank.total.engagedErrorMs))
            }
        }
    }

    init(_ filter: OverviewFilter, _ found: ComparedOverview, device: (device: Device, username: String)?, today: Int64)
    {
        let link = OverviewLink(filter, today: today)
        lengths = Self.lengths.map { length in
            Choice(
                title: length == 1 ? "Today" : "\(length) days", path: link.path(length: length),
                isChosen: filter.days == today - length + 1...today)
        }
        from = LocalDays.date(of: filter.days.lowerBound)
        through = LocalDays.date(of: filter.days.upperBound)
        page = filter.content.flatMap { $0.kind == .page ? $0.name : nil } ?? ""
        video = filter.content.flatMap { $0.kind == .video ? $0.name : nil } ?? ""
        person = filter.scope.email ?? filter.scope.username ?? ""
        self.device = filter.scope.device?.lowercase ?? ""
        deviceName = device.map { "\($0.device.name), \($0.device.os), of \($0.username)" }
        figures = Self.figures(found.now, before: found.before)
        chart = DayChart(found.now.days, in: filter.days)
        pages = found.pages.map { Ranks("Pages", .page, $0, link) }
        videos = found.videos.map { Ranks("Videos", .video, $0, link) }
        let missing = found.now.foldedSessions + found.before.foldedSessions
        folded = missing > 0 ? missing : nil
    }

    private static func figures(_ now: Overview, before: Overview) -> [Figure] {
        let (total, earlier) = (now.total, before.total)
        var figures = [
            Figure("People", Int64(now.people), before: Int64(before.people)),
            Figure("Engaged time", total.engagedMs, before: earlier.engagedMs, error: total.engagedErrorMs),
            Figure("Visible time", total.visibleMs, before: earlier.visibleMs, error: total.visibleErrorMs),
        ]
        if let sessions = now.sessions {
            figures.insert(Figure("Sessions", Int64(sessions), before: Int64(before.sessions ?? 0)), at: 1)
        }
        return figures
    }
}

/// Leads to the overview with the filter that is there, but for one thing.
private struct OverviewLink {
    let days: [(name: String, value: String)]
    let whom: [(name: String, value: String)]
    let content: [(name: String, value: String)]

    init(_ filter: OverviewFilter, today: Int64) {
        let (first, last) = (filter.days.lowerBound, filter.days.upperBound)
        // What ends today goes on ending today.
        days =
            last == today
            ? [("days", "\(filter.days.count)")]
            : [("from", LocalDays.date(of: first)), ("through", LocalDays.date(of: last))]
        let person = filter.scope.email ?? filter.scope.username
        whom = (person.map { [("person", $0)] } ?? []) + (filter.scope.device.map { [("device", $0.lowercase)] } ?? [])
        content = filter.content.map { [($0.kind.rawValue, $0.name)] } ?? []
    }

    /// The same days of one page or video.
    func path(_ content: (name: String, value: String)) -> String { Self.path(days + whom + [content]) }

    /// So many days up to today.
    func path(length: Int64) -> String { Self.path([("days", "\(length)")] + whom + content) }

    private static func path(_ parameters: [(name: String, value: String)]) -> String {
        "/dashboard/overview?"
            + parameters.map { "\($0.name)=\(ShownPerson.coded($0.value))" }.joined(separator: "&")
    }
}

extension OverviewPage.Figure {
    /// - Parameter error: Of a time in milliseconds; without it the figure is a number
    init(_ title: String, _ value: Int64, before: Int64, error: Int64? = nil) {
        func shown(_ value: Int64) -> String {
            (error == nil ? ReportCell.number(value) : ReportCell.duration(value)).readable
        }
        self.init(
            title: title, value: shown(value), error: error.map { ReportCell.error($0).readable },
            change: Self.change(value, before), before: shown(before))
    }

    private static func change(_ value: Int64, _ before: Int64) -> String {
        guard before > 0 else { return value > 0 ? "new" : "as before" }
        let percent = Int(((Double(value) / Double(before) - 1) * 100).rounded())
        return percent == 0 ? "as before" : "\(percent > 0 ? "+" : "−")\(abs(percent)) %"
    }
}
