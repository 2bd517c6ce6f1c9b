import DwellAPI
import Foundation

/// What one device was used for: the segments of its sessions, folded day by day.
struct DeviceUse: Sendable {
    /// How many of its sessions began, whether their segments are there or not.
    var sessions = 0
    /// How many of the sessions that reach into the days have no segments any more.
    var foldedSessions = 0
    /// Each day's totals, by the contents' numbers.
    var days: [Int64: [DayFold.Total]] = [:]
    /// The contents that were seen, by their numbers.
    var contents: [Int64: (kind: ContentKind, name: String)] = [:]

    /// What the days brought, in all or on one page or video.
    func overview(of content: (kind: ContentKind, name: String)?) -> Overview {
        let number =
            if let content { contents.first { $0.value == content }?.key } else { DayFold.everything as Int64? }
        let found = days.sorted { $0.key < $1.key }.flatMap { day, totals in
            totals.filter { $0.content == number }.map { total in
                ContentDay(day: LocalDays.date(of: day), viewers: 1, total: ContentMeasures(total))
            }
        }
        return Overview(
            people: found.isEmpty ? 0 : 1, sessions: content == nil ? sessions : nil, days: found,
            foldedSessions: foldedSessions)
    }

    /// The pages, or the videos, that brought most, the most engaging first.
    func ranks(_ kind: ContentKind, limit: Int) -> [ContentRank] {
        var sums: [Int64: ContentMeasures] = [:]
        for total in days.values.joined() where contents[total.content]?.kind == kind {
            sums[total.content, default: ContentMeasures()] += ContentMeasures(total)
        }
        let ranks = sums.map { ContentRank(name: contents[$0]?.name ?? "", viewers: 1, total: $1) }
        return Array(
            ranks.sorted { ($1.total.engagedMs, $0.name) < ($0.total.engagedMs, $1.name) }.prefix(limit))
    }
}

/// What is asked about one device.
struct DeviceUseQueries {
    let connection: any DatabaseConnection
    let days: LocalDays

    /// How a device was used on the days of a scope; not at all where it is none of the people of the scope.
    func use(_ scope: Reports.Scope) throws -> DeviceUse {
        guard let device = scope.device, let first = scope.firstDay, let last = scope.lastDay, first <= last,
            let owner: Int64 = try connection.row(
                """
                SELECT account.viewer_id FROM device JOIN account ON account.id = device.account_id
                WHERE device.id = $1
                """, [device])?["viewer_id"],
            try ReportQueries(connection: connection).viewers(email: scope.email, username: scope.username)?
                .contains(owner) ?? true
        else { return DeviceUse() }
        let window = days.range(of: first).lowerBound..<days.range(of: last).upperBound
        var use = DeviceUse()
        if let row = try connection.row(
            Self.sessions, [owner, device, window.lowerBound, window.upperBound])
        {
            use.sessions = try row["began"]
            use.foldedSessions = try row["folded"]
        }
        use.days = try totals(owner, device, window).filter { (first...last).contains($0.key) }
        use.contents = try contents(of: use.days)
        return use
    }

    private static let sessions = """
        SELECT CAST(coalesce(sum(CASE WHEN started_at >= $3 THEN 1 ELSE 0 END), 0) AS BIGINT) AS began,
            count(visible_ms) AS folded
        FROM session
        WHERE viewer_id = $1 AND device_id = $2 AND started_at < $4 AND last_seen_at >= $3
        """

    /// Each day's totals. What is there of sessions that are being folded is left out, as that is which is gone.
    private func totals(
        _ viewer: Int64, _ device: UUID, _ window: Range<Timestamp>
    ) throws -> [Int64: [DayFold.Total]] {
        var pieces: [Int64: [DayFold.Piece]] = [:]
        try connection.forEachRow(
            """
            SELECT \(DayFold.Piece.columns)
            FROM session JOIN segment
                ON segment.viewer_id = session.viewer_id AND segment.session_id = session.id
            WHERE session.viewer_id = $1 AND session.device_id = $2 AND session.started_at < $4
                AND session.last_seen_at >= $3 AND session.visible_ms IS NULL
                AND segment.started_at < $4 AND (segment.ended_at > $3 OR segment.started_at >= $3)
            """, [viewer, device, window.lowerBound, window.upperBound]
        ) { row in
            let start: Timestamp = try row["started_at"]
            for day in days.days(touching: start..<(try row["ended_at"])) {
                var values = row.reader
                pieces[day, default: []].append(try DayFold.Piece(values: &values, within: days.range(of: day)))
            }
        }
        return pieces.mapValues { DayFold($0).totals }
    }

    private func contents(
        of days: [Int64: [DayFold.Total]]
    ) throws -> [Int64: (kind: ContentKind, name: String)] {
        let numbers = Set(days.values.joined().map(\.content)).subtracting([DayFold.everything])
        var found: [Int64: (kind: ContentKind, name: String)] = [:]
        for number in numbers {
            guard let row = try connection.rows(Self.content, [number]).first,
                let kind = ContentKind(rawValue: try row["kind"])
            else { continue }
            found[number] = (kind, try row["name"])
        }
        return found
    }

    private static let content = SQLStatement("SELECT kind, name FROM content WHERE id = $1")
}

extension ContentMeasures {
    fileprivate init(_ total: DayFold.Total) {
        self.init(
            visibleMs: total.visible, visibleErrorMs: total.visibleError, engagedMs: total.engaged,
            engagedErrorMs: total.engagedError, rawMs: total.raw)
    }
}
