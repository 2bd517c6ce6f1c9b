import DwellAPI
import Foundation
import NIOCore

/// All that is known of a person, in one ZIP.
package struct PersonArchives: Sendable {
    private let database: any Database
    private let clock: WallClock
    private let exports: Exports
    private let videos: Videos

    package init(database: any Database, days: LocalDays, clock: WallClock) {
        self.database = database
        self.clock = clock
        exports = Exports(database: database, days: days, clock: clock)
        videos = Videos(database: database)
    }

    /// Finds a person, and notes that an archive was asked for.
    /// - Throws: ``UnknownPerson``
    func open(_ person: PersonName, by asker: Asker) async throws -> PersonArchive {
        let now = clock.now()
        let people = try await database.write { connection in
            let people = try ArchiveQueries(connection: connection).people(try person.viewers(connection))
            for one in people {
                try AuditLog.write(
                    AuditEntry(
                        .archive, by: .operator, at: now, viewer: one.viewer.id,
                        subject: one.viewer.username ?? one.viewer.email, detail: ["by": asker.text]), connection)
            }
            return people
        }
        return PersonArchive(people: people, time: now, database: database, exports: exports, videos: videos)
    }
}

/// An archive that is written when somebody reads it.
struct PersonArchive: Sendable {
    let people: [ArchivedViewer]
    let time: Timestamp
    let database: any Database
    let exports: Exports
    let videos: Videos

    /// A file of it.
    private struct File {
        let name: String
        /// For the file that says what each file is.
        let about: String
        let open: () async throws -> ExportPage
    }

    private var viewers: [Int64] { people.map(\.viewer.id) }

    private var files: [File] {
        [
            File(name: "person.json", about: "who it is: the viewer, or viewers, and the account") { [people] in
                ExportPage(text: try ReportFormat.json(["viewers": people]), day: nil, next: nil)
            },
            exported(.sessions, "sessions, the newest first, with what each came to"),
            exported(.segments, "what sessions are made of, as far as it is kept: stretches of attention"),
            exported(.statistics, "what each day came to: in all, and on each page and video"),
        ] + listed
    }

    /// What is not exported otherwise.
    private var listed: [File] {
        let (viewers, people) = (viewers, people)
        return [
            lines("videos", "what was watched of each video") { () async throws -> [VideoViewer] in
                try await videos.watched(by: viewers)
            },
            lines("devices", "browsers that were logged in, also those that no longer are") {
                () async throws -> [ArchivedDevice] in
                try await database.read { try ArchiveQueries(connection: $0).devices(of: viewers) }
            },
            File(name: "entries.ndjson", about: "entries through gates") {
                try await Self.entries(of: viewers, after: nil, in: database)
            },
            lines("audit", "lines of the audit log about the person") { () async throws -> [AuditRecord] in
                try await database.read { try ArchiveQueries(connection: $0).auditLines(about: people) }
            },
        ]
    }

    private func exported(_ kind: ExportKind, _ about: String) -> File {
        var filter = SessionFilter()
        filter.viewers = viewers
        return File(name: "\(kind.rawValue).ndjson", about: about) { [filter] in
            try await exports.open(kind, filter, as: .ndjson)
        }
    }

    private func lines<Row: Encodable>(
        _ name: String, _ about: String, _ rows: @escaping () async throws -> [Row]
    ) -> File {
        File(name: "\(name).ndjson", about: about) {
            ExportPage(text: try ExportFormat.ndjson(of: try await rows()), day: nil, next: nil)
        }
    }

    private static func entries(
        of viewers: [Int64], after last: EntryKey?, in database: any Database
    ) async throws -> ExportPage {
        let (rows, next) = try await database.read { connection in
            try ArchiveQueries(connection: connection).entries(of: viewers, after: last)
        }
        return ExportPage(
            text: try ExportFormat.ndjson(of: rows), day: nil,
            next: next.map { next in { try await entries(of: viewers, after: next, in: database) } })
    }

    /// Writes it, a page at a time: however much there is, it takes no more memory.
    func write(to sink: (ByteBuffer) async throws -> Void) async throws {
        let zip = try ZipArchive(date: time.date)
        try zip.begin("README.txt")
        try zip.write(introduction)
        for file in files {
            try zip.begin(file.name)
            var page = try await file.open()
            while true {
                if !page.text.isEmpty { try zip.write(page.text) }
                let bytes = zip.take()
                if !bytes.isEmpty { try await sink(ByteBuffer(bytes: bytes)) }
                guard let next = page.next else { break }
                page = try await next()
            }
        }
        try zip.finish()
        try await sink(ByteBuffer(bytes: zip.take()))
    }

    private var introduction: String {
        let width = files.map(\.name.count).max() ?? 0
        let lines = files.map { "\($0.name.padding(toLength: width, withPad: " ", startingAt: 0))  \($0.about)" }
        return """
            What this server knew of \(Set(people.map(\.viewer.email)).sorted().joined(separator: ", ")) at \(time).

            \(lines.joined(separator: "\n"))

            Each line of an .ndjson file is one JSON object. Times are UTC, durations milliseconds.
            Not in it: hashes of passwords and of what browsers are recognised by.

            """
    }
}

extension ExportFormat {
    /// A JSON object a line, of rows that are not exported otherwise.
    fileprivate static func ndjson(of rows: [some Encodable]) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        return try rows.reduce(into: "") { $0 += String(decoding: try encoder.encode($1), as: UTF8.self) + "\n" }
    }
}
