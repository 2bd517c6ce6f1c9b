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
            File(name: "person.json", about: "who it is: the viewer, or viewers, and the account", open: self.whole),
            exported(.sessions, "sessions, the newest first, with what each came to"),
            exported(.segments, "what sessions are made of, as far as it is kept: stretches of attention"),
            exported(.statistics, "what each day came to: in all, and on each page and video"),
            File(name: "videos.ndjson", about: "what was watched of each video", open: self.watched),
            File(
                name: "devices.ndjson", about: "browsers that were logged in, also those that no longer are",
                open: self.devices),
            File(name: "entries.ndjson", about: "entries through gates", open: self.entries),
            File(name: "audit.ndjson", about: "lines of the audit log about the person", open: self.auditLines),
        ]
    }

    private func whole() async throws -> ExportPage {
        ExportPage(text: try ReportFormat.json(["viewers": people]), day: nil, next: nil)
    }

    private func exported(_ kind: ExportKind, _ about: String) -> File {
        var filter = SessionFilter()
        filter.viewers = viewers
        let asked = filter
        return File(name: "\(kind.rawValue).ndjson", about: about) {
            try await exports.open(kind, asked, as: .ndjson)
        }
    }

    private func watched() async throws -> ExportPage {
        try Self.page(of: try await videos.watched(by: viewers))
    }

    private func devices() async throws -> ExportPage {
        let viewers = viewers
        let rows = try await database.read { try ArchiveQueries(connection: $0).devices(of: viewers) }
        return try Self.page(of: rows)
    }

    private func auditLines() async throws -> ExportPage {
        let people = people
        let rows = try await database.read { try ArchiveQueries(connection: $0).auditLines(about: people) }
        return try Self.page(of: rows)
    }

    private func entries() async throws -> ExportPage {
        try await Self.entries(of: viewers, after: nil, in: database)
    }

    private static func entries(
        of viewers: [Int64], after last: EntryKey?, in database: any Database
    ) async throws -> ExportPage {
        let (rows, next) = try await database.read { connection in
            try ArchiveQueries(connection: connection).entries(of: viewers, after: last)
        }
        var following: (@Sendable () async throws -> ExportPage)?
        if let next { following = { try await entries(of: viewers, after: next, in: database) } }
        return try page(of: rows, next: following)
    }

    /// A JSON object a line, of rows that are not exported otherwise.
    private static func page(
        of rows: [some Encodable], next: (@Sendable () async throws -> ExportPage)? = nil
    ) throws -> ExportPage {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        let text = try rows.reduce(into: "") { $0 += String(decoding: try encoder.encode($1), as: UTF8.self) + "\n" }
        return ExportPage(text: text, day: nil, next: next)
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
