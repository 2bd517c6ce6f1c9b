import ArgumentParser
import DwellAPI
import Foundation

/// `dwell key`
struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Keys that let programs in.",
        discussion: """
            A key is for what its scopes say: `read` reads all figures, `audit` the audit log, the settings, the operators \
            and the keys, `manage` changes things.
            """,
        subcommands: [Create.self, List.self, Remove.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a key. It is shown once; the database keeps only its hash.")

        @OptionGroup var store: StoreOptions

        @Option(help: "Tells this key from the others.")
        var name: String

        @Option(help: "read, audit or manage; give it again for more. (default: read)", transform: Self.scope)
        var scope: [APIScope] = []

        func run() async throws {
            let open = try await store.open(orMake: true)
            let key = try await KeyCommand.keys(open).create(name: name, scopes: scope.isEmpty ? [.read] : Set(scope))
            print(
                "A key for \(open.location.description). Keep it: it can't be shown again. Send it as `Authorization: Bearer KEY`."
            )
            print(key)
            try open.database.close()
        }

        private static func scope(_ text: String) throws -> APIScope {
            guard let scope = APIScope(rawValue: text) else {
                throw ValidationError("--scope must be \(APIScope.expectation), not \(text)")
            }
            return scope
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Every key, by name, and when it was used last.")

        @OptionGroup var store: StoreOptions

        @Option(help: "table for people; json or csv for programs.")
        var format: ReportFormat = .table

        func run() async throws {
            let open = try await store.open()
            let keys = try await KeyCommand.keys(open).list().map(\.record)
            FileHandle.standardOutput.write(Data(try format.text(of: keys).utf8))
            try open.database.close()
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a key, which lets nobody in from then on.")

        @OptionGroup var store: StoreOptions

        @Argument(help: "The name.")
        var name: String

        func run() async throws {
            let open = try await store.open()
            try await KeyCommand.keys(open).remove(name: name)
            print("\(name) is removed.")
            try open.database.close()
        }
    }

    private static func keys(_ open: OpenStore) -> APIKeys {
        APIKeys(database: open.database, clock: .system)
    }
}

extension KeyRecord: ReportRow {
    static var columns: [ReportColumn] {
        [
            ReportColumn(name: "name", title: "key"),
            ReportColumn(name: "scopes", title: "scopes"),
            ReportColumn(name: "createdTime", title: "since (UTC)"),
            ReportColumn(name: "lastUsedTime", title: "used (UTC)"),
        ]
    }

    var cells: [ReportCell] {
        [
            .text(name), .text(scopes.joined(separator: " ")), .time(createdTime),
            lastUsedTime.map { .time($0) } ?? .text("never"),
        ]
    }
}
