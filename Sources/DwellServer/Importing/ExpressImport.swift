package import DwellAPI
package import Foundation

/// Brings the Express service's accounts and sessions into the store.
package struct ExpressImport: Sendable {
    /// How many rows are read, and stored in one transaction.
    private static let batchSize = 200

    /// What is asked for.
    package struct Options: Sendable {
        package var isDryRun = false
        /// Whether devices are imported, as no longer in use.
        package var devices = false
        /// What the old totals count.
        package var unit = OldTotals.Unit.seconds

        package init() {}
    }

    let source: ExpressSource
    let database: any Database
    let mapping: ColumnMapping
    let options: Options
    let reader: OldTimeReader
    let now: Timestamp
    let sessions: OldSessions
    /// Whose rows are whose.
    private var people: [UUID: Person] = [:]
    private var totals: OldTotals
    private var report: ImportReport

    private enum Person {
        /// The viewer's number; `nil` in a dry run, for an account that would be made.
        case account(Int64?)
        case skipped
    }

    /// - Parameters:
    ///   - source: The old database
    ///   - database: Where everything goes
    ///   - mapping: What tables and columns are called
    ///   - options: What is asked for
    ///   - days: Cuts the store's days
    ///   - zone: The zone of old times that name none, and of the old service's days
    ///   - now: Nothing can be later
    package init(
        from source: ExpressSource, to database: any Database, mapping: ColumnMapping, options: Options,
        days: LocalDays,
        zone: TimeZone, now: Timestamp
    ) {
        self.source = source
        self.database = database
        self.mapping = mapping
        self.options = options
        self.now = now
        reader = OldTimeReader(zone: zone)
        sessions = OldSessions(database: database, days: days, isDryRun: options.isDryRun)
        totals = OldTotals(days: LocalDays(timeZone: zone))
        report = ImportReport(isDryRun: options.isDryRun)
    }

    /// Imports everything.
    /// - Parameter progress: Called with how many rows are done, and how many there are
    /// - Throws: ``InvalidField`` when the database is not as the mapping says, before anything is stored
    package mutating func run(
        progress: (_ done: Int, _ of: Int) -> Void = { _, _ in }
    ) async throws -> ImportReport {
        var found: [String: ExpressSource.Table] = [:]
        var count = 0
        for table in mapping.tables {
            found[table.name] = try await source.find(table)
            if let table = found[table.name] { count += try await source.count(table) }
        }
        var done = 0
        func advance(_ rows: Int) {
            done += rows
            progress(min(done, count), count)
        }
        if let table = found["users"] { try await importUsers(table, advance) }
        if let table = found["devices"] { try await importDevices(table, advance) }
        if let table = found["sessions"] { try await importSessions(table, advance) }
        if let table = found["statistics"] { try await compareStatistics(table, advance) }
        return report
    }

    private mutating func importUsers(_ table: ExpressSource.Table, _ advance: (Int) -> Void) async throws {
        var part = ImportReport.Part(of: "accounts")
        let rules = OldAccountRules(reader: reader, now: now)
        let accounts = OldAccounts(database: database, isDryRun: options.isDryRun)
        var usernames: Set<String> = []
        var emails: Set<String> = []
        try await forEachPage(of: table, advance) { rows in
            var checked: [Account] = []
            for row in rows {
                part.read += 1
                let id = try row.text("id") ?? "without an id"
                do {
                    let item = try rules.check(row)
                    // Two accounts of the old service that Dwell takes for one: the second would be refused.
                    guard usernames.insert(AccountRules.key(of: item.account.username)).inserted else {
                        throw OldSessionRules.Refusal(reason: "another old account has the username, in other letters")
                    }
                    guard emails.insert(item.account.email).inserted else {
                        throw OldSessionRules.Refusal(reason: "another old account has the email")
                    }
                    for remark in item.remarks { part.noted.add(remark, id) }
                    checked.append(item.account)
                } catch let refusal as OldSessionRules.Refusal {
                    part.skipped.add(refusal.reason, id)
                    if let id = UUID(uuidString: id) { people[id] = .skipped }
                }
            }
            for (outcome, account) in zip(try await accounts.store(checked), checked) {
                part.count(outcome.fate, row: account.id.lowercase)
                if case .skipped = outcome.fate {
                    people[account.id] = .skipped
                } else {
                    people[account.id] = .account(outcome.viewer)
                }
            }
        }
        report.parts.append(part)
    }

    private mutating func importDevices(_ table: ExpressSource.Table, _ advance: (Int) -> Void) async throws {
        var part = ImportReport.Part(of: "devices")
        let accounts = OldAccounts(database: database, isDryRun: options.isDryRun)
        try await forEachPage(of: table, advance) { rows in
            var checked: [OldAccounts.OldDevice] = []
            for row in rows {
                part.read += 1
                do {
                    checked.append(try device(row))
                } catch let refusal as OldSessionRules.Refusal {
                    part.skipped.add(refusal.reason, try row.text("id") ?? "without an id")
                }
            }
            for (fate, old) in zip(try await accounts.store(checked), checked) {
                part.count(fate, row: old.device.id.lowercase)
            }
        }
        if part.imported > 0 {
            part.noted.add("imported as removed: everybody logs in anew", "all", times: part.imported)
        }
        report.parts.append(part)
    }

    private func device(_ row: Row) throws -> OldAccounts.OldDevice {
        guard options.devices else {
            throw OldSessionRules.Refusal(
                reason: "its token is the old service's and can't be used; --devices imports it as removed")
        }
        guard let id = UUID(uuidString: try row.text("id") ?? "") else {
            throw OldSessionRules.Refusal(reason: "the id is no UUID")
        }
        let (person, _) = try self.person(row)
        let lastLoggedInAt = try row.text("last_logged_in").flatMap { reader.time($0) } ?? now
        let device = Device(
            id: id, account: person, name: Self.label(try row.text("device_name")),
            os: Self.label(try row.text("device_os")), lastLoggedInAt: lastLoggedInAt, lastSeenAt: lastLoggedInAt)
        return OldAccounts.OldDevice(device: device, removedAt: max(now, device.lastLoggedInAt))
    }

    private static func label(_ text: String?) -> String {
        let plain = (text ?? "").filter { !$0.unicodeScalars.contains { $0.properties.generalCategory == .control } }
        return plain.isEmpty ? "Unknown" : String(plain.prefix(200))
    }

    private mutating func importSessions(_ table: ExpressSource.Table, _ advance: (Int) -> Void) async throws {
        var part = ImportReport.Part(of: "sessions")
        let rules = OldSessionRules(reader: reader, now: now)
        try await forEachPage(of: table, advance) { rows in
            var checked: [(id: String, session: OldSession)] = []
            for row in rows {
                part.read += 1
                let id = try row.text("id") ?? "without an id"
                do {
                    let (session, person, remark) = try session(row, id, rules)
                    if let remark { part.noted.add(remark, id) }
                    totals.add(session.start..<session.end, of: person, isVideo: session.video != nil)
                    checked.append((id, session))
                } catch let refusal as OldSessionRules.Refusal {
                    part.skipped.add(refusal.reason, id)
                }
            }
            for (fate, item) in zip(try await sessions.store(checked.map(\.session)), checked) {
                part.count(fate, row: item.id)
            }
        }
        report.parts.append(part)
    }

    private func session(
        _ row: Row, _ id: String, _ rules: OldSessionRules
    ) throws -> (OldSession, person: UUID, remark: String?) {
        let (person, viewer) = try person(row)
        let video = try row.text("video_id")
        guard (1...255).contains(video?.utf8.count ?? 1), id.utf8.count <= 100 else {
            throw OldSessionRules.Refusal(reason: "the id, or the video's, is too long")
        }
        let times = try rules.times(from: try row["start"], to: try row["end"])
        let device = options.devices ? try row.text("device_id").flatMap(UUID.init(uuidString:)) : nil
        let session = OldSession(
            tab: ":express:\(id)", person: .account(viewer), start: times.start, end: times.end, video: video,
            device: device)
        return (session, person, times.remark)
    }

    private mutating func compareStatistics(_ table: ExpressSource.Table, _ advance: (Int) -> Void) async throws {
        var part = ImportReport.Part(of: "daily totals (compared, never stored)", compared: true)
        try await forEachPage(of: table, advance) { rows in
            for row in rows {
                part.read += 1
                do {
                    let (person, _) = try person(row)
                    guard let day = try row.text("date").flatMap(OldTimeReader.day) else {
                        throw OldSessionRules.Refusal(reason: "the date is none")
                    }
                    let total = totals.total(of: person, day: day)
                    let differences = [
                        OldTotals.difference(
                            "watched", old: try row.number("watch_time"), new: total.watched, unit: options.unit),
                        OldTotals.difference(
                            "on the platform", old: try row.number("screen_time"), new: total.active,
                            unit: options.unit),
                    ].compactMap(\.self)
                    guard !differences.isEmpty else {
                        part.known += 1
                        continue
                    }
                    let name = "\(person.lowercase) \(LocalDays.date(of: day))"
                    part.noted.add("different", "\(name) (\(differences.joined(separator: "; ")))")
                } catch let refusal as OldSessionRules.Refusal {
                    part.skipped.add(refusal.reason, try row.text("id") ?? "without an id")
                }
            }
        }
        report.parts.append(part)
    }

    /// Whose a row is, by the old id and the viewer's number.
    private func person(_ row: Row) throws -> (UUID, Int64?) {
        guard let id = UUID(uuidString: try row.text("user_id") ?? ""), let person = people[id] else {
            throw OldSessionRules.Refusal(reason: "of a user that there is not")
        }
        guard case .account(let viewer) = person else {
            throw OldSessionRules.Refusal(reason: "of a user that was skipped")
        }
        return (id, viewer)
    }

    private func forEachPage(
        of table: ExpressSource.Table, _ advance: (Int) -> Void, _ body: ([Row]) async throws -> Void
    ) async throws {
        var key: String?
        while true {
            let rows = try await source.page(of: table, after: key, limit: Self.batchSize)
            try await body(rows)
            advance(rows.count)
            guard rows.count == Self.batchSize, let last = rows.last else { return }
            key = try last["id"]
        }
    }
}

extension Row {
    /// A value as a number; `nil` when there is none.
    fileprivate func number(_ column: String) throws -> Double? {
        try text(column).flatMap { Double($0) }
    }
}
