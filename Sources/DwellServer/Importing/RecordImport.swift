import DwellAPI

/// Brings the heartbeat blueprint's records into the store: each is a guest's session.
package struct RecordImport: Sendable {
    /// How many sessions one transaction holds.
    private static let batchSize = 200

    private let sessions: OldSessions
    private let rules: OldSessionRules
    private let isDryRun: Bool

    /// - Parameters:
    ///   - database: Where sessions go
    ///   - days: Cuts the days that have to be computed anew
    ///   - rules: For the records' times
    ///   - isDryRun: Whether nothing is stored
    package init(database: any Database, days: LocalDays, rules: OldSessionRules, isDryRun: Bool) {
        sessions = OldSessions(database: database, days: days, isDryRun: isDryRun)
        self.rules = rules
        self.isDryRun = isDryRun
    }

    /// Imports records.
    /// - Parameter progress: Called with how many are done, and how many there are
    package func run(
        _ records: [RecordFile.Record], progress: (_ done: Int, _ of: Int) -> Void = { _, _ in }
    ) async throws -> ImportReport {
        var part = ImportReport.Part(of: "sessions")
        var seen: Set<String> = []
        for start in stride(from: 0, to: records.count, by: Self.batchSize) {
            let batch = records[start..<min(start + Self.batchSize, records.count)]
            var checked: [(row: String, session: OldSession)] = []
            for record in batch {
                part.read += 1
                do throws(OldSessionRules.Refusal) {
                    let (session, remark) = try session(of: record, &seen)
                    if let remark { part.noted.add(remark, record.name) }
                    checked.append((record.name, session))
                } catch {
                    part.skipped.add(error.reason, record.name)
                }
            }
            for (fate, item) in zip(try await sessions.store(checked.map(\.session)), checked) {
                part.count(fate, row: item.row)
            }
            progress(start + batch.count, records.count)
        }
        var report = ImportReport(isDryRun: isDryRun)
        report.parts = [part]
        return report
    }

    private func session(
        of record: RecordFile.Record, _ seen: inout Set<String>
    ) throws(OldSessionRules.Refusal) -> (OldSession, remark: String?) {
        guard record.email.nonEmpty != nil else { throw OldSessionRules.Refusal(reason: "no email") }
        guard let email = try? EmailAddress.normalize(record.email) else {
            throw OldSessionRules.Refusal(reason: "the email is none")
        }
        let times = try rules.times(from: record.start, to: record.end)
        let tab = try Self.tab(of: record, email: email, start: times.start, &seen)
        return (OldSession(tab: tab, person: .guest(email), start: times.start, end: times.end), times.remark)
    }

    /// The name by which the record is known again; with the start, because two tables have the same numbers. A file
    /// without numbers has only the start to tell the records of one email apart, and their order when even that is
    /// the same.
    private static func tab(
        of record: RecordFile.Record, email: String, start: Timestamp, _ seen: inout Set<String>
    ) throws(OldSessionRules.Refusal) -> String {
        if let id = record.id {
            guard id.utf8.count <= 100, !id.utf8.contains(0) else {
                throw OldSessionRules.Refusal(reason: "the id is too long, or has a zero byte")
            }
            guard seen.insert(id).inserted else {
                throw OldSessionRules.Refusal(reason: "the id came before in this file")
            }
            return ":nocodb:\(id)@\(start.milliseconds)"
        }
        var place = 1
        while !seen.insert("\(email) \(start.milliseconds) \(place)").inserted { place += 1 }
        return ":nocodb:\(start.milliseconds).\(place)"
    }
}

extension RecordFile.Record {
    /// For people.
    fileprivate var name: String {
        id.map { "row \(row) (id \($0))" } ?? "row \(row)"
    }
}
