import DwellAPI
import Foundation

/// What the overview is asked for.
struct OverviewFilter {
    /// How many days it is of where nothing is said.
    static let usualLength: Int64 = 28
    /// The most days that are looked at together.
    private static let longest: Int64 = 366

    /// How the days are written.
    enum Dates {
        /// `from` and `to`, the day after the last, as everywhere in the API.
        case toExcluded
        /// `from` and `through`, the last day, as people say it; or `days`, so many up to today.
        case throughIncluded
    }

    /// The first day and the last.
    private(set) var days: ClosedRange<Int64>
    private(set) var scope = Reports.Scope()
    private(set) var content: (kind: ContentKind, name: String)?

    /// - Parameter today: The last day where none is said
    /// - Throws: ``InvalidField``
    init(
        _ parameters: some Sequence<(name: String, value: String)>, dates: Dates, today: Int64
    ) throws(InvalidField) {
        days = today - Self.usualLength + 1...today
        var (first, last, length): (Int64?, Int64?, Int64?)
        // A form sends fields that were left empty too.
        for (name, value) in parameters where !value.isEmpty {
            switch (name, dates) {
            case ("from", _): first = try ReportRoutes.day(value, field: name)
            case ("to", .toExcluded): last = try ReportRoutes.day(value, field: name) - 1
            case ("through", .throughIncluded): last = try ReportRoutes.day(value, field: name)
            case ("days", .throughIncluded): length = try Self.length(value)
            case ("person", .throughIncluded) where value.contains("@"), ("email", .toExcluded):
                scope.email = try EmailAddress.normalize(value)
            case ("person", .throughIncluded), ("username", .toExcluded): scope.username = value
            case ("page", _): try look(at: .page, value)
            case ("video", _): try look(at: .video, value)
            case ("device", _):
                guard let id = UUID(uuidString: value) else { throw Self.wrongDevice }
                scope.device = id
            default: throw InvalidField(name, expected: Self.names(dates))
            }
        }
        days = try Self.days(from: first, through: last, length, today: today, dates)
    }

    private static let wrongDevice = InvalidField("device", expected: "the id of a device: a UUID")

    private static func names(_ dates: Dates) -> String {
        switch dates {
        case .toExcluded: "from, to, page, video, email, username or device"
        case .throughIncluded: "days, from, through, page, video, person or device"
        }
    }

    private mutating func look(at kind: ContentKind, _ name: String) throws(InvalidField) {
        if let content, content.kind != kind { throw InvalidField("video", expected: "empty where a page is given") }
        content = (kind, name)
    }

    private static func length(_ text: String) throws(InvalidField) -> Int64 {
        guard let length = Int64(text), (1...longest).contains(length) else {
            throw InvalidField("days", expected: "a whole number from 1 to \(longest)")
        }
        return length
    }

    private static func days(
        from first: Int64?, through last: Int64?, _ length: Int64?, today: Int64, _ dates: Dates
    ) throws(InvalidField) -> ClosedRange<Int64> {
        let length = length ?? usualLength
        let last = last ?? first.map { max($0, today) } ?? today
        let first = first ?? last - length + 1
        guard first <= last, last - first < longest else {
            throw switch dates {
            case .toExcluded: InvalidField("to", expected: "a date after from, \(longest) days at most")
            case .throughIncluded: InvalidField("through", expected: "from or a later date, \(longest) days at most")
            }
        }
        return first...last
    }
}
