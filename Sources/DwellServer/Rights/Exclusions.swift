package import DwellAPI
import Foundation

/// Takes viewers out of every total and back, with all that they ever did: an owner's own visits, a bot's.
///
/// What is added up when it is asked leaves them out then. What is added up before is changed in the same transaction, the
/// audience of a video, or marked in it and computed before the answer, everybody's totals.
package struct Exclusions: Sendable {
    private let database: any Database
    private let days: LocalDays
    private let clock: WallClock

    package init(database: any Database, days: LocalDays, clock: WallClock) {
        self.database = database
        self.days = days
        self.clock = clock
    }

    /// Excludes a person from now on, and from the beginning; who is excluded already gets another reason.
    /// - Throws: ``InvalidField`` named `reason`, or ``UnknownPerson``
    package func exclude(_ person: PersonName, reason: String, by asker: Asker) async throws -> [ExcludedViewer] {
        let reason = try Self.checked(reason)
        let now = clock.now()
        let found = try await database.write { connection in
            let viewers = try person.viewers(connection)
            let queries = ExclusionQueries(connection: connection)
            for viewer in viewers {
                if try queries.exclude(viewer, reason: reason, at: now) {
                    try Self.recount(viewer, isCounted: false, connection)
                }
            }
            let found = try queries.list(viewers)
            for excluded in found {
                try Self.note(.exclusion, excluded.viewer, by: asker, at: now, ["reason": reason], connection)
            }
            return found
        }
        try await Totals(database: database, days: days).refresh()
        return found
    }

    /// Counts a person again, with all that they did meanwhile.
    /// - Returns: Whether anybody was excluded
    /// - Throws: ``UnknownPerson``
    package func include(_ person: PersonName, by asker: Asker) async throws -> Bool {
        let now = clock.now()
        let wasExcluded = try await database.write { connection in
            let queries = ExclusionQueries(connection: connection)
            let found = try queries.list(try person.viewers(connection))
            for excluded in found {
                _ = try queries.include(excluded.viewer.id)
                try Self.recount(excluded.viewer.id, isCounted: true, connection)
                try Self.note(.inclusion, excluded.viewer, by: asker, at: now, [:], connection)
            }
            return !found.isEmpty
        }
        try await Totals(database: database, days: days).refresh()
        return wasExcluded
    }

    /// Everybody who is excluded, or those of them who are meant; the latest first.
    /// - Throws: ``UnknownPerson``
    package func list(_ person: PersonName? = nil) async throws -> [ExcludedViewer] {
        try await database.read { connection in
            try ExclusionQueries(connection: connection).list(try person?.viewers(connection))
        }
    }

    /// Changes all that is added up before it is asked, in the transaction that excludes a viewer or includes one.
    static func recount(_ viewer: Int64, isCounted: Bool, _ connection: any DatabaseConnection) throws {
        // In the order in which all who need both take these locks.
        try connection.lock(.statistics)
        try Totals.markStale(daysOf: viewer, connection)
        try Audience.count(viewer, isCounted, connection)
    }

    private static func checked(_ text: String) throws(InvalidField) -> String {
        let reason = text.trimmingCharacters(in: .whitespacesAndNewlines)
        let isPlain = !reason.unicodeScalars.contains { $0.properties.generalCategory == .control }
        guard (1...200).contains(reason.count), isPlain else {
            throw InvalidField("reason", expected: "1 to 200 characters on one line")
        }
        return reason
    }

    private static func note(
        _ event: AuditEvent, _ viewer: ViewerRecord, by asker: Asker, at time: Timestamp, _ detail: [String: String],
        _ connection: any DatabaseConnection
    ) throws {
        try AuditLog.write(
            AuditEntry(
                event, by: .operator, at: time, viewer: viewer.id, subject: viewer.username ?? viewer.email,
                detail: detail.merging(["by": asker.text]) { first, _ in first }), connection)
    }
}
