import DwellAPI
import Foundation

/// What a page shows of a time: when it was where days are cut.
struct ShownTime {
    /// For programs.
    let iso: String
    /// Such as `2026-11-21 07:30:00`.
    let text: String
    /// Such as `07:30:00`.
    let clock: String

    init(_ time: Timestamp, _ days: LocalDays) {
        iso = time.description
        let style = Date.ISO8601FormatStyle(timeZone: days.timeZone).year().month().day()
            .dateTimeSeparator(.space).time(includingFractionalSeconds: false)
        text = time.date.formatted(style)
        clock = String(text.suffix(8))
    }
}

/// What a page shows of a measured time: as `dwell report` prints it.
struct ShownDuration {
    /// Such as `0:06:52`.
    let text: String
    /// Such as `±1s`.
    let error: String

    init(_ milliseconds: Int64, error: Int64) {
        text = ReportCell.duration(milliseconds).readable
        self.error = ReportCell.error(error).readable
    }
}

/// A person as pages name them, and where more is told of them.
struct ShownPerson {
    let name: String
    let path: String

    init(_ viewer: ViewerRecord) {
        name = viewer.username ?? viewer.email
        path = "/dashboard/person?id=\(viewer.id)"
    }

    /// A text as it stands in a query.
    static func coded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .queryValue) ?? ""
    }
}

extension CharacterSet {
    /// What stands for itself in the value of a query.
    fileprivate static let queryValue = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
}
