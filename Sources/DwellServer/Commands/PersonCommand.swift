import ArgumentParser
import DwellAPI
import Foundation
import NIOCore

/// `dwell person`
struct PersonCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "person", abstract: "What one person may ask for: all that is known, and that it be forgotten.",
        discussion: "Also who is left out of every total: yourself, a bot.",
        subcommands: [
            Export.self, Erase.self, Receipts.self, Exclude.self, Include.self, Excluded.self,
        ])

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write all that is known of a person to standard output, as one ZIP.")

        @OptionGroup var store: StoreOptions
        @OptionGroup var person: PersonOptions

        func validate() throws {
            guard isatty(STDOUT_FILENO) == 0 else {
                throw ValidationError("A ZIP is nothing for a terminal: `dwell person export … > person.zip`.")
            }
        }

        func run() async throws {
            let open = try await store.open()
            try await open.statistics.aggregate()
            let archives = PersonArchives(database: open.database, days: open.days, clock: .system)
            let archive = try await person.named { try await archives.open($0, by: .commandLine) }
            try await archive.write { try FileHandle.standardOutput.write(contentsOf: Data($0.readableBytesView)) }
            try open.database.close()
        }
    }

    struct Erase: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Erase a person everywhere, from every total too, and print a receipt.",
            discussion: """
                It can't be undone. When it is interrupted, the server goes on with it, or the same command again. The \
                file of SQLite keeps what was deleted until it is written over: `docs/privacy.md` says how to be sure.
                """)

        @OptionGroup var store: StoreOptions
        @OptionGroup var person: PersonOptions

        @Flag(help: "Do not ask.")
        var yes = false

        @Option(help: "table for people, json for programs.")
        var format: EvidenceFormat = .table

        func run() async throws {
            let open = try await store.open()
            guard yes || person.isConfirmed("Erase everything that is known of") else {
                throw ValidationError("Nothing was erased.")
            }
            let erasures = open.erasures
            let begun = try await person.named { try await erasures.begin($0, by: .commandLine) }
            try await erasures.complete()
            guard let receipt = try await erasures.receipt(begun.id) else { throw UnknownPerson() }
            let text =
                switch format {
                case .json: try ReportFormat.json(receipt)
                case .table: try ReportFormat.table.text(of: [receipt])
                }
            FileHandle.standardOutput.write(Data(text.utf8))
            try open.database.close()
        }
    }

    struct Receipts: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "What was erased, and when; the latest first.")

        @OptionGroup var store: StoreOptions

        @Option(help: "table for people; json or csv for programs.")
        var format: ReportFormat = .table

        func run() async throws {
            let open = try await store.open()
            let receipts = try await open.erasures.receipts(limit: 10_000).erasures
            FileHandle.standardOutput.write(Data(try format.text(of: receipts).utf8))
            try open.database.close()
        }
    }

    struct Exclude: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Leave a person out of every total, with all that they did and will do.")

        @OptionGroup var store: StoreOptions
        @OptionGroup var person: PersonOptions

        @Option(help: "Why, for people, such as `the owner`.")
        var reason: String

        func run() async throws {
            let open = try await store.open()
            let exclusions = Exclusions(database: open.database, days: open.days, clock: .system)
            let found = try await person.named {
                try await exclusions.exclude($0, reason: reason, by: .commandLine)
            }
            for excluded in found { print("\(excluded.viewer.name) counts in no total: \(excluded.reason).") }
            try open.database.close()
        }
    }

    struct Include: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Count a person again, with all that they did.")

        @OptionGroup var store: StoreOptions
        @OptionGroup var person: PersonOptions

        func run() async throws {
            let open = try await store.open()
            let exclusions = Exclusions(database: open.database, days: open.days, clock: .system)
            let wasOut = try await person.named { try await exclusions.include($0, by: .commandLine) }
            print(wasOut ? "\(person.text) counts again." : "\(person.text) was not excluded.")
            try open.database.close()
        }
    }

    struct Excluded: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Who is left out of every total, and why.")

        @OptionGroup var store: StoreOptions

        @Option(help: "table for people; json or csv for programs.")
        var format: ReportFormat = .table

        func run() async throws {
            let open = try await store.open()
            let found = try await Exclusions(database: open.database, days: open.days, clock: .system).list()
            FileHandle.standardOutput.write(Data(try format.text(of: found).utf8))
            try open.database.close()
        }
    }
}

/// The options that say whom a command is about.
struct PersonOptions: ParsableArguments {
    @Option(help: "The email: of a guest, of an account, or of both.")
    var email: String?

    @Option(help: "The username of an account.")
    var username: String?

    @Option(help: "The number of a viewer, as exports have it.")
    var id: Int64?

    func validate() throws {
        guard [email != nil, username != nil, id != nil].count(where: \.self) == 1 else {
            throw ValidationError("Give one of --email, --username and --id.")
        }
    }

    /// As it was typed.
    var text: String { email ?? username ?? id.map(String.init) ?? "" }

    /// Does something with whom they mean.
    /// - Throws: ``InvalidField`` when there is nobody
    func named<Value>(_ body: (PersonName) async throws -> Value) async throws -> Value {
        let person: PersonName =
            if let id { .viewer(id) } else {
                .named(email: try email.map { try EmailAddress.normalize($0) }, username: username)
            }
        do {
            return try await body(person)
        } catch is UnknownPerson {
            throw InvalidField("the person", expected: "one whom this store knows; there is no \(text)")
        }
    }

    /// Asks whoever sits at the terminal to type it once more.
    func isConfirmed(_ question: String) -> Bool {
        print("\(question) \(text)? Type it once more: ", terminator: "")
        return readLine() == text
    }
}

extension ViewerRecord {
    /// What people call them.
    fileprivate var name: String { username ?? email }
}

extension ExcludedViewer: ReportRow {
    static var columns: [ReportColumn] {
        [
            ReportColumn(name: "id", title: "viewer"),
            ReportColumn(name: "email", title: "who"),
            ReportColumn(name: "username", title: "username"),
            ReportColumn(name: "reason", title: "reason"),
            ReportColumn(name: "excludedTime", title: "since (UTC)"),
        ]
    }

    var cells: [ReportCell] {
        [
            .number(viewer.id), .text(viewer.email), .text(viewer.username ?? ""), .text(reason), .time(excludedTime),
        ]
    }
}

extension ErasureReceipt: ReportRow {
    static var columns: [ReportColumn] {
        [
            ReportColumn(name: "id", title: "receipt"),
            ReportColumn(name: "askedTime", title: "asked (UTC)"),
            ReportColumn(name: "askedBy", title: "by"),
            ReportColumn(name: "removed", title: "rows"),
            ReportColumn(name: "completedTime", title: "completed (UTC)"),
        ]
    }

    var cells: [ReportCell] {
        [
            .text(id), .time(askedTime), .text(askedBy), .text(rows),
            completedTime.map { .time($0) } ?? .text("not yet"),
        ]
    }

    /// What is gone, in words.
    var rows: String { removed.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ") }
}
