import Foundation
import Testing

@testable import DwellAPI
@testable import DwellServer

/// How the databases carry out what is asked of them often: every statement that the paths below send is explained.
///
/// SQLite's plans do not depend on what is in the tables, because Dwell keeps no statistics about them. PostgreSQL's do:
/// it gets rows enough to prefer an index, and knows how many.
@Suite struct PlanTests {
    @Test func `no statement of what is asked often goes through a table that grows`() async throws {
        let store = try await TestStore(viewingLimit: 1)
        try await store.fill()
        let recording = RecordingDatabase(store.database)
        try await Paths(store: store, database: recording).run()
        let statements = recording.statements
        #expect(statements.count > 40)
        for (sql, arguments) in statements.sorted(by: { $0.key < $1.key }) {
            let plan = try await Plan(of: sql, arguments, in: store.database)
            #expect(plan.scans == [], "\(sql)\n\(plan.text)")
        }
    }

    @Test func `a statement that goes through a whole table is noticed`() async throws {
        let store = try await TestStore()
        try await store.fill()
        for sql in [
            "SELECT id FROM session WHERE last_seen_at > $1",
            "SELECT count(*) AS count FROM segment WHERE started_at < $1",
            "SELECT later.id FROM session AS later WHERE later.closed_at = $1",
            "DELETE FROM daily_statistic WHERE visible_ms < $1",
            "SELECT started_at FROM session WHERE last_seen_at > $1 ORDER BY started_at",
            "SELECT * FROM (SELECT * FROM segment ORDER BY started_at LIMIT $1) AS few JOIN viewer ON id = viewer_id",
        ] {
            let plan = try await Plan(of: sql, [.integer(5)], in: store.database)
            #expect(plan.scans.count == 1, "\(sql)\n\(plan.text)")
        }
    }
}

/// Everything that is done or asked often, as it is in the program.
private struct Paths {
    let store: TestStore
    let database: RecordingDatabase

    func run() async throws {
        let writer = BeatWriter(database: database, settings: store.settings, logger: TestStore.silent)
        let statistics = Statistics(database: database, days: store.settings.days, logger: TestStore.silent)
        let webhook = try await store.listen()
        try await store.run(writer) { try await beat(writer) }
        try await tell(webhook)
        try await enter()
        try await statistics.aggregate()
        try await audience.fold()
        try await ask()
        try await fold(statistics)
        #expect(try await statistics.recompute { _, _ in }.folded > 0)
        try await administer()
        #expect(try await audience.recompute().pairs > 0)
    }

    /// Sessions that ended, and the way of events to whom they are told.
    private func tell(_ webhook: UUID) async throws {
        let now = store.clock.now
        store.clock.advance(by: 86_400_000)
        let ended = EndedSessions(database: database, clock: store.clock.clock)
        #expect(try await ended.isWaiting())
        try await ended.tell()
        let courier = WebhookCourier(
            database: database, clock: store.clock.clock, logger: TestStore.silent
        ) { _ in WebhookAnswer(status: 500) }
        try await courier.deliverDue()
        let webhooks = Webhooks(database: database, clock: store.clock.clock)
        #expect(try await webhooks.deliveries(to: webhook, limit: 3).nextCursor != nil)
        _ = try await webhooks.replayFailed(since: now)
        try await webhooks.removeOld()
        store.clock.set(now)
    }

    private var audience: Audience { Audience(database: database, logger: TestStore.silent) }

    /// Beats of every source and kind, in time, late, and out of order.
    private func beat(_ writer: BeatWriter) async throws {
        let gate = Gate(
            database: database, days: store.settings.days, clock: store.clock.clock,
            secret: SecretKey(Data(repeating: 7, count: 32)))
        let entry = try await gate.enter(email: "ada@example.com")
        let token = Beat.Source.token(viewer: entry.viewer, entry: entry.id)
        let (viewer, device) = try await store.addAccount()
        let watchTime = WatchTime(
            database: database, writer: writer, settings: store.settings, clock: store.clock.clock)
        let login = Login(account: UUID(), device: device, number: 0, viewer: viewer)
        let first = try await watchTime.start(login, video: "lesson", earlier: nil)
        _ = try await watchTime.log(login, entry: first.id)
        _ = try await watchTime.start(login, video: "lesson", earlier: first.id)
        let start = store.clock.now
        for hours in [0, 5, 2, 9, 0] as [Int64] {
            store.clock.set(start + hours * 3_600_000)
            let now = store.clock.now.milliseconds
            var film = Guest.segment(Int(hours), from: now - 900_000, to: now, tab: "film")
            (film.video, film.mediaFrom, film.mediaTo, film.mediaDuration) = ("v7", 0, 900_000, 1_200_000)
            let claims = [
                film, Guest.segment(Int(hours), from: now - 1_200_000, to: now - 300_000, page: "/p1", end: .hidden),
                Guest.segment(Int(hours) + 20, from: now - 7_000_000, to: now - 5_000_000, tab: "u"),
                Guest.segment(Int(hours) + 40, from: now - 1000, to: now, tab: "a\(hours)", video: "v"),
                Guest.segment(Int(hours) + 60, from: now - 1000, to: now, tab: "b", video: "v", end: .paused),
            ]
            for source in [token, Beat.Source.login(login, entry: nil)] {
                for content in [Beat.Content.presence(page: "/p2"), .claims(claims, sentAt: now, interval: 15_000)] {
                    _ = try await writer.store(Beat(source: source, arrival: store.clock.now, content: content))
                }
            }
        }
        // Back to when everybody was here.
        store.clock.set(start)
    }

    /// Visitors of a gate that mails codes, known and unknown, and one who is kept out.
    private func enter() async throws {
        let sender = try #require(Mailbox("dwell@example.com"))
        let outbox = try Outbox(
            MailSettings(way: .folder("nowhere"), sender: sender), publicURL: "http://localhost:8080",
            database: database,
            clock: store.clock.clock, logger: TestStore.silent)
        let codes = MailedCodes(database: database, outbox: outbox, clock: store.clock.clock)
        let secret = SecretKey(Data(repeating: 7, count: 32))
        let announcements = Announcements(database: database, clock: store.clock.clock, logger: TestStore.silent)
        let gates = Gates(
            rules: [.standard], database: database, announcements: announcements, days: store.settings.days,
            clock: store.clock.clock, secret: secret, codes: codes)
        let gate = try gates.gate(named: nil)
        let entry = try await gate.enter(email: "ada@example.com")
        #expect(try await gate.holder(ofPass: gate.pass(for: entry))?.email == "ada@example.com")
        let browser = try await gate.askForCode(email: "beryl@example.com", target: "/", host: nil, from: nil)
        await #expect(throws: AccountError.codeRefused) { try await gates.confirm("none", browser: browser, from: nil) }
        let visitors = GateVisitors(database: database, clock: store.clock.clock)
        #expect(try await visitors.page(of: GateRules.standardName, after: .start, limit: 1).visitors.count == 1)
        #expect(try await visitors.revoke("ada@example.com", at: nil) > 0)
        #expect(try await visitors.admit("ada@example.com", at: nil))
    }

    /// What people and programs read, but for what sums up everybody and everything.
    private func ask() async throws {
        let reports = Reports(database: database, days: store.settings.days, clock: store.clock.clock)
        let day = store.settings.days.day(of: store.clock.now)
        for change in Self.filters {
            var filter = SessionFilter()
            filter.limit = 50
            change(&filter)
            let page = try await reports.sessions(filter)
            filter.cursor = page.nextCursor.flatMap { SessionCursor($0) }
            if filter.cursor != nil { _ = try await reports.sessions(filter) }
        }
        try await export()
        _ = try await reports.evidence(session: 7)
        let live = try await reports.live(interval: 180_000, limit: 3)
        #expect(live.viewers > 3)
        let past = SessionCursor(startedAt: Timestamp(milliseconds: 0), id: 0)
        #expect(try await reports.live(interval: 180_000, after: past).viewers == live.viewers)
        _ = try await reports.live(interval: 180_000, after: live.nextCursor.flatMap { SessionCursor($0) }, limit: 3)
        try await askAboutPeople(day)
        for scope in [
            Reports.Scope(email: "v9@example.com", firstDay: day, lastDay: day),
            Reports.Scope(email: "v9@example.com"), Reports.Scope(username: "beryl", firstDay: day - 5, lastDay: day),
        ] {
            _ = try await reports.totals(scope)
            _ = try await reports.days(scope)
            _ = try await reports.videos(scope)
            _ = try await reports.content(.page, "/p1", scope)
        }
        let month = Reports.Scope(firstDay: day - 29, lastDay: day)
        _ = try await reports.days(Reports.Scope(firstDay: day, lastDay: day))
        #expect(try await reports.content(.video, "lesson", month)?.viewers == 1)
        #expect(try await reports.content(.video, "v3", month)?.viewers ?? 0 > 0)
        try await look(reports, through: day)
        try await askOfVideos(reports)
    }

    /// What the overview asks of a month, and of the one before.
    private func look(_ reports: Reports, through day: Int64) async throws {
        var scopes = [Reports.Scope(), Reports.Scope(email: "v9@example.com")]
        // Until its owner is erased there is one.
        if let row = try await database.read({ try $0.row("SELECT id FROM device") }) {
            var device = Reports.Scope(username: "beryl")
            device.device = try row["id"]
            scopes.append(device)
        }
        for scope in scopes {
            for days in [day - 27...day, day - 89...day] {
                let found = try await reports.comparison(scope, days)
                #expect(found.now.people > 0 && found.now.sessions ?? 0 > 0)
            }
            _ = try await reports.comparison(scope, day - 89...day, of: (.video, "lesson"))
        }
        _ = try await reports.days(Reports.Scope(firstDay: day - 5))
    }

    private func askOfVideos(_ reports: Reports) async throws {
        let videos = Videos(database: database)
        #expect(try await videos.list().videos.map(\.name) == ["v7"])
        let found = try #require(try await videos.viewers(of: "v7"))
        #expect(try await videos.watched(by: [found.viewers[0].viewer.id]).count > 0)
        #expect(found.viewers.count > 2)
        for viewer in found.viewers.suffix(3) {
            _ = try await videos.viewers(of: "v7", email: viewer.viewer.email)
            _ = try await videos.progress(of: "v7", viewer: viewer.viewer.id)
        }
        #expect(try await videos.audience(of: "v7")?.video.viewers ?? 0 >= 2)
        let number = try await videos.number(of: "v7")
        #expect(try await reports.live(interval: 180_000, video: number).viewers > 1)
        _ = try await audience.set("v7") { $0.completeAt = 0.8 }
        try await audience.fold()
    }

    /// Searches stop at a page, however many names begin alike.
    private func askAboutPeople(_ day: Int64) async throws {
        let viewers = Viewers(database: database, days: store.settings.days)
        for text in ["", "v", "v9@", "beryl"] {
            let page = try await viewers.list(text, limit: 3)
            #expect(!page.viewers.isEmpty)
            let cursor = page.nextCursor.flatMap { ViewerCursor($0) }
            if cursor != nil { #expect(try await !viewers.list(text, after: cursor, limit: 3).viewers.isEmpty) }
        }
        let seen = try #require(try await viewers.days(of: 2, 0...Int64.max))
        let date = try #require(seen.days.last.flatMap { LocalDays.day(ofDate: $0.day) })
        #expect(try await viewers.timeline(of: 2, day: date)?.segments.isEmpty == false)
        #expect(try await viewers.neighbours(of: date, [2]).before != nil)
        let visitors = GateVisitors(database: database, clock: store.clock.clock)
        let page = try await visitors.page(of: GateRules.standardName, after: .start, limit: 1)
        #expect(page.visitors.map(\.viewer.email) == ["ada@example.com"])
        #expect(try await visitors.counts(of: [GateRules.standardName]).values.first?.count == 1)
    }

    /// What the audit log is asked, and what the end of an account does.
    private func administer() async throws {
        let day: Int64 = 86_400_000
        let log = AuditLog(database: database, clock: store.clock.clock, kept: 89 * day, logger: TestStore.silent)
        let since = store.clock.now - day
        #expect(try await AuditLog.entries(in: database, since: since).count > 10)
        _ = try await AuditLog.entries(in: database, since: since, event: .login, user: "beryl")
        _ = try await Devices(database: database, clock: store.clock.clock).page(after: .start, limit: 3)
        let (_, next) = try await AuditLog.page(in: database, after: .start, limit: 3)
        #expect(try await AuditLog.page(in: database, after: #require(next), limit: 3).records.count == 3)
        try await log.removeOld()
        let keys = APIKeys(database: database, clock: store.clock.clock)
        #expect(try await keys.key(keys.create(name: "plans")) != nil)
        try await keys.remove(name: "plans")
        let accounts = AccountAdministration(database: database, clock: store.clock.clock)
        #expect(try await accounts.disable("beryl") == 1)
        try await askForPeople()
    }

    /// What one person may ask for: of one with an account, and of a guest.
    private func askForPeople() async throws {
        let exclusions = Exclusions(database: database, days: store.settings.days, clock: store.clock.clock)
        let archives = PersonArchives(database: database, days: store.settings.days, clock: store.clock.clock)
        let erasures = Erasures(
            database: database,
            statistics: Statistics(database: database, days: store.settings.days, logger: TestStore.silent),
            days: store.settings.days, clock: store.clock.clock, logger: TestStore.silent)
        let people: [PersonName] = [
            .named(email: nil, username: "beryl"), .named(email: "v9@example.com", username: nil),
        ]
        for person in people {
            #expect(try await exclusions.exclude(person, reason: "the owner", by: .commandLine).count == 1)
            try await look(
                Reports(database: database, days: store.settings.days, clock: store.clock.clock),
                through: store.settings.days.day(of: store.clock.now))
            #expect(try await exclusions.include(person, by: .commandLine))
            try await archives.open(person, by: .commandLine).write { _ in }
            _ = try await erasures.begin(person, by: .commandLine)
            store.clock.advance(by: 2000)
            try await erasures.complete()
        }
        #expect(try await erasures.receipts(limit: 5).erasures.count == 2)
    }

    private func export() async throws {
        let exports = Exports(database: database, days: store.settings.days, clock: store.clock.clock)
        for kind in [ExportKind.sessions, .segments, .statistics] {
            _ = try await exports.span(of: kind)
            for change in Self.filters {
                var filter = SessionFilter()
                change(&filter)
                let page = try await exports.open(kind, filter, as: .csv)
                #expect(page.text.count > 10)
                _ = try await page.next?()
            }
        }
    }

    private static let filters: [@Sendable (inout SessionFilter) -> Void] = [
        { _ in },
        { $0.email = "v7@example.com" },
        { $0.username = "beryl" },
        { $0.page = "/p7" },
        { $0.video = "v7" },
        {
            $0.video = "v7"; $0.email = "v7@example.com"
        },
        {
            $0.from = Timestamp(at: "2026-02-27T00:00:00Z"); $0.to = Timestamp(at: "2026-02-28T00:00:00Z")
        },
    ]

    private func fold(_ statistics: Statistics) async throws {
        let retention = Retention(
            database: database, statistics: statistics,
            audience: Audience(database: database, logger: TestStore.silent), days: store.settings.days, keptDays: 88,
            clock: store.clock.clock, logger: TestStore.silent)
        #expect(try await retention.run().sessions > 50)
    }
}

/// How a statement is carried out.
private struct Plan {
    private static let tables = [
        "session", "segment", "daily_statistic", "audit", "viewing", "coverage", "folded_coverage",
    ]
    /// Those that grow with the days: in a test they have so few rows that PostgreSQL is right to go through them.
    private static let small = ["span_total", "span_viewers"]

    let text: String
    /// Where it goes through one of the tables that grow, or through a whole index of it.
    let scans: [String]

    init(of sql: String, _ arguments: [SQLValue], in database: any Database) async throws {
        switch database.dialect {
        case .sqlite:
            let steps = try await database.read { connection in
                try connection.rows("EXPLAIN QUERY PLAN \(sql)", arguments).map {
                    (parent: try $0["parent"] as Int, text: try $0["detail"] as String)
                }
            }
            text = steps.map(\.text).joined(separator: "\n")
            scans = steps.filter { parent, text in
                guard let table = text.wholeMatch(of: /SCAN (\w+)( USING .*)?/)?.output.1 else { return false }
                // In the order of an index, up to a limit, is no scan of the whole.
                let isInOrder =
                    sql.contains("LIMIT") && text.contains(/USING (COVERING )?INDEX session_by_start/)
                    && !steps.contains { $0.parent == parent && $0.text.contains("TEMP B-TREE FOR ORDER BY") }
                return Self.grows(String(table), in: sql) && !isInOrder
            }.map(\.text)
        case .postgres:
            let lines = try await database.read { connection in
                try connection.rows("EXPLAIN \(sql)", arguments).map { try $0["QUERY PLAN"] as String }
            }
            text = lines.joined(separator: "\n")
            scans = Self.scans(in: lines)
        }
    }

    /// Whether a name in a plan is one of the tables, or stands for one in the statement.
    private static func grows(_ name: String, in sql: String) -> Bool {
        (tables + small).contains(name) || tables.contains { sql.contains(" \($0) AS \(name)") }
    }

    /// PostgreSQL's plan is a tree, each node further in than the one that it serves.
    private static func scans(in lines: [String]) -> [String] {
        var scans: [String] = []
        /// Nodes above, and how far in they are.
        var above: [(indent: Int, type: Substring)] = []
        for (index, line) in lines.enumerated() {
            guard
                let node = line.wholeMatch(
                    of: /(\s*(?:->\s+)?)([A-Z][A-Za-z ]*?)(?: using (\w+))?(?: on (\w+).*)?  \(cost.*/)
            else { continue }
            let (_, indent, type, name, table) = node.output
            above.removeAll { $0.indent >= indent.count }
            // What sorts or gathers takes all that there is, whatever the limit above it.
            let isLimited = above.last { ["Limit", "Sort", "Aggregate", "Hash"].contains($0.type) }?.type == "Limit"
            above.append((indent.count, type))
            guard let table, tables.contains(String(table)), type.contains("Scan"), !type.hasPrefix("Bitmap") else {
                continue
            }
            let details = lines[(index + 1)...].prefix { !$0.contains("->") }
            if details.contains(where: { $0.contains("Index Cond:") }) || isLimited && name == "session_by_start" {
                continue
            }
            scans.append("\(type) of \(table) by \(name ?? "nothing")")
        }
        return scans
    }
}

extension TestStore {
    /// Stores what guests did in 90 days, up to now: sessions of one segment each.
    ///
    /// `n` are the numbers of some sessions, and `part` are those. A person's sessions are never apart.
    fileprivate func fill() async throws {
        let count = database.dialect == .postgres ? 30_000 : 6000
        let now = clock.now.milliseconds
        let day: Int64 = 86_400_000
        let blob = database.dialect == .postgres ? "'\\x00'::bytea" : "x'00'"
        let start = "(\(now) - ((i * 7919) % 90) * \(day) - (i * 104729) % 80000000)"
        let statements = [
            "INSERT INTO viewer SELECT i, 'guest', 'v' || i || '@example.com', 0 FROM n WHERE i <= 1000",
            "INSERT INTO content SELECT 10 + i, 'page', '/p' || i FROM n WHERE i <= 500",
            "INSERT INTO content SELECT 510 + i, 'video', 'v' || i FROM n WHERE i <= 500",
            """
            INSERT INTO session (viewer_id, id, entry_id, started_at, last_seen_at, seen_slot)
            SELECT (i - 1) / 500 + 1, i, i, \(start), \(start) + 900000, (\(start) + 900000) / 300000 FROM n
            """,
            """
            INSERT INTO segment (
                viewer_id, entry_id, tab, n, session_id, started_at, ended_at, attention, page_id, video_id, unsure_ms,
                first_beat_at, last_beat_at, media_from_ms, media_to_ms)
            SELECT viewer_id, id, 't', 0, id, started_at, last_seen_at, 'active', 11 + id % 500, 511 + id % 499, 0,
                last_seen_at, last_seen_at, CASE WHEN viewer_id < 4 THEN 0 END, CASE WHEN viewer_id < 4 THEN 900000 END
            FROM part
            """,
            """
            INSERT INTO audit (id, at, event, outcome, actor, account_id, detail)
            SELECT substr('\(String(repeating: "0", count: 36))', 1, 36 - length(CAST(i AS TEXT))) || i, \(start), 'login',
                'success', 'person', 'account ' || i, '{}'
            FROM n
            """,
            "INSERT INTO viewing SELECT viewer_id, id, 't', 'v', '00000000-0000-4000-8000-000000' || (100000 + id), 0, started_at, last_seen_at, NULL FROM part",
            """
            INSERT INTO coverage (viewer_id, video_id, parts, resume_ms, watched_at, round)
            SELECT 1 + i % 1000, 511 + i / 500, \(blob), 0, 0, 0 FROM n WHERE i > 2000
            """,
            """
            INSERT INTO folded_coverage (viewer_id, video_id, parts, taken, resume_ms, watched_at)
            SELECT 1 + i % 1000, 511 + i / 500, \(blob), \(blob), 0, 0 FROM n WHERE i > 2000
            """,
            "INSERT INTO dirty_day (viewer_id, day) SELECT DISTINCT viewer_id, started_at / \(day) FROM part WHERE viewer_id < 4",
            """
            INSERT INTO dirty_day (viewer_id, day) SELECT DISTINCT viewer_id, last_seen_at / \(day) FROM part WHERE viewer_id < 4
            ON CONFLICT (viewer_id, day) DO NOTHING
            """,
        ]
        let statistics = ["0", "11 + id % 500", "511 + id % 499"].map { content in
            """
            INSERT INTO daily_statistic (viewer_id, day, content_id, visible_ms, engaged_ms)
            SELECT DISTINCT viewer_id, started_at / \(day), \(content), 900000, 900000 FROM part
            """
        }
        // Little by little: a transaction that lasts delays others in the whole cluster.
        let step = 3000
        for statement in statements + statistics {
            let (insert, select) = try #require(
                statement.firstRange(of: "SELECT").map { (statement[..<$0.lowerBound], statement[$0.lowerBound...]) })
            for first in stride(from: 1, through: count, by: step) {
                let last = first + step - 1
                let series = "SELECT CAST(\(first) AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < \(last)"
                let part = "SELECT * FROM session WHERE id BETWEEN \(first) AND \(last)"
                let with = "WITH RECURSIVE n (i) AS (\(series)), part AS (\(part))"
                try await database.write { _ = try $0.execute("\(insert) \(with) \(select)") }
            }
        }
        let marks =
            "INSERT INTO stale_span SELECT DISTINCT 1, day, content_id, 0 FROM daily_statistic WHERE content_id < 20 OR content_id = 513"
        try await database.write { connection in
            try connection.execute(marks)
            for sequence in SQLSequence.allCases {
                try SequenceQueries(connection: connection).set(sequence, to: 60_000)
            }
            if connection.dialect == .postgres { try connection.execute("ANALYZE") }
        }
    }
}
