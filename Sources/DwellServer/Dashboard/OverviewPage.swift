import DwellAPI

/// What the overview is asked for.
struct OverviewFilter {
    /// How many days may be looked at, in days: the choices of the page.
    static let lengths: [Int64] = [1, 7, 28, 90, 365]

    var length: Int64 = 28
    var page: String?
    var video: String?
    var email: String?
    var username: String?

    /// - Throws: ``InvalidField``
    init(_ parameters: some Sequence<(name: String, value: String)>) throws(InvalidField) {
        // A form sends fields that were left empty too.
        for (name, value) in parameters where !value.isEmpty {
            switch name {
            case "days":
                guard let days = Int64(value), Self.lengths.contains(days) else {
                    throw InvalidField("days", expected: "1, 7, 28, 90 or 365")
                }
                length = days
            case "page": page = value
            case "video": video = value
            case "person":
                if value.contains("@") { email = try EmailAddress.normalize(value) } else { username = value }
            default: throw InvalidField(name, expected: "days, page, video or person")
            }
        }
        if page != nil, video != nil { throw InvalidField("video", expected: "empty where a page is given") }
    }

    var scope: Reports.Scope { Reports.Scope(email: email, username: username) }

    var content: (kind: ContentKind, name: String)? {
        page.map { (.page, $0) } ?? video.map { (.video, $0) }
    }
}

/// What a number of days brought, beside as many days before.
struct OverviewPage {
    let lengths: [Choice]
    let page: String
    let video: String
    let person: String
    let figures: [Figure]
    let chart: DayChart
    let pages: Ranks?
    let videos: Ranks?

    struct Choice {
        let days: Int64
        let title: String
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

        init(_ title: String, _ kind: ContentKind, _ ranks: [ContentRank], days: Int64) {
            self.title = title
            isEmpty = ranks.isEmpty
            rows = ranks.map { rank in
                Row(
                    name: rank.name,
                    path: "/dashboard/overview?days=\(days)&\(kind.rawValue)=\(ShownPerson.coded(rank.name))",
                    people: rank.viewers, engaged: ShownDuration(rank.engagedMs, error: rank.engagedErrorMs))
            }
        }
    }

    init(
        _ filter: OverviewFilter, days: ClosedRange<Int64>, now: Overview, before: Overview, pages: [ContentRank]?,
        videos: [ContentRank]?
    ) {
        lengths = OverviewFilter.lengths.map { days in
            Choice(
                days: days, title: days == 1 ? "Today" : "\(days) days", isChosen: days == filter.length)
        }
        page = filter.page ?? ""
        video = filter.video ?? ""
        person = filter.email ?? filter.username ?? ""
        var figures = [
            Figure("People", Int64(now.people), before: Int64(before.people)),
            Figure(
                "Engaged time", now.total.engagedMs, before: before.total.engagedMs,
                error: now.total.engagedErrorMs),
            Figure(
                "Visible time", now.total.visibleMs, before: before.total.visibleMs,
                error: now.total.visibleErrorMs),
        ]
        if let sessions = now.sessions {
            figures.insert(Figure("Sessions", Int64(sessions), before: Int64(before.sessions ?? 0)), at: 1)
        }
        self.figures = figures
        chart = DayChart(now.days, in: days)
        self.pages = pages.map { Ranks("Pages", .page, $0, days: filter.length) }
        self.videos = videos.map { Ranks("Videos", .video, $0, days: filter.length) }
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
