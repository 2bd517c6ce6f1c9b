import DwellAPI

/// What can be exported.
enum ExportKind: String, CaseIterable {
    case sessions, segments, statistics
}

/// A part of an export: whole lines, and the way to those that follow.
struct ExportPage: Sendable {
    let text: String
    /// How far it came: the day of its last row.
    let day: Int64?
    /// Reads the next page; `nil` after the last one.
    let next: (@Sendable () async throws -> ExportPage)?
}

/// Everything that a filter lets through, page by page, so that it takes no memory.
///
/// Each page is a snapshot of its own, and nothing is held between two of them: neither a transaction nor a connection
/// waits for whoever reads slowly.
struct Exports: Sendable {
    private let database: any Database
    private let days: LocalDays
    private let reports: Reports
    private let rightOfWay: RightOfWay

    /// - Parameter rightOfWay: Has beats go first, between two pages
    init(database: any Database, days: LocalDays, clock: WallClock, rightOfWay: RightOfWay = .free) {
        self.database = database
        self.days = days
        self.rightOfWay = rightOfWay
        reports = Reports(database: database, days: days, clock: clock)
    }

    /// The first page of an export.
    ///
    /// Sessions, and segments by their sessions, come the newest first; statistics by day. Of statistics, the filter's
    /// times are taken to be midnights, and it names one content at most.
    func open(_ kind: ExportKind, _ filter: SessionFilter, as format: ExportFormat) async throws -> ExportPage {
        var filter = filter
        filter.limit = SessionFilter.pageLimit
        let asked = filter
        switch kind {
        case .sessions:
            return try await page(format, after: filter.cursor) { [days, reports] cursor in
                var filter = asked
                filter.cursor = cursor
                let page = try await reports.sessions(filter)
                return Batch(
                    rows: page.sessions, next: page.nextCursor.flatMap { SessionCursor($0) },
                    day: page.sessions.last.map { days.day(of: $0.sessionStartTime) })
            }
        case .segments:
            return try await page(format, after: filter.cursor) { [days, reports] cursor in
                var filter = asked
                filter.cursor = cursor
                let (rows, next) = try await reports.segments(filter)
                return Batch(rows: rows, next: next, day: next.map { days.day(of: $0.startedAt) })
            }
        case .statistics:
            return try await page(format, after: ViewerDay?.none) { [database, days] last in
                try await database.read { connection in
                    let found = try ExportQueries(connection: connection, days: days).statistics(asked, after: last)
                    return Batch(rows: found.rows, next: found.next, day: found.next?.day)
                }
            }
        }
    }

    /// The first day and the last that there is something of; `nil` when there is nothing.
    func span(of kind: ExportKind) async throws -> ClosedRange<Int64>? {
        try await database.read { [days] connection in
            let queries = ExportQueries(connection: connection, days: days)
            return switch kind {
            case .sessions, .segments: try queries.sessionDays()
            case .statistics: try queries.statisticDays()
            }
        }
    }

    /// Rows, and where those begin that follow.
    private struct Batch<Row: Sendable, Cursor: Sendable>: Sendable {
        let rows: [Row]
        /// `nil` when these were the last.
        let next: Cursor?
        let day: Int64?
    }

    private func page<Row: ReportRow & Sendable, Cursor: Sendable>(
        _ format: ExportFormat, after cursor: Cursor?,
        _ read: @escaping @Sendable (Cursor?) async throws -> Batch<Row, Cursor>
    ) async throws -> ExportPage {
        let start = ContinuousClock.now
        let batch = try await read(cursor)
        let head = cursor == nil ? format.head(of: Row.self) : ""
        let text = head + (try format.lines(of: batch.rows))
        let taken = start.duration(to: .now)
        var next: (@Sendable () async throws -> ExportPage)?
        if let cursor = batch.next {
            next = {
                try await rightOfWay.pause(after: taken)
                return try await page(format, after: cursor, read)
            }
        }
        return ExportPage(text: text, day: batch.day, next: next)
    }
}
