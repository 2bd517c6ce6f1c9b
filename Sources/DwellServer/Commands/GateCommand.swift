import ArgumentParser
import DwellAPI
import Foundation

/// `dwell gate`
struct GateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gate", abstract: "The gates, and who came through them.",
        subcommands: [List.self, Visitors.self, Revoke.self, Admit.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Every gate, and whom it lets in.")

        @OptionGroup var store: StoreOptions

        @Option(help: "table for people, json or csv for programs.")
        var format: ReportFormat = .table

        func run() async throws {
            let gates = try ServerConfiguration.gates(try store.settings())
            FileHandle.standardOutput.write(Data(try format.text(of: gates.map(\.record)).utf8))
        }
    }

    struct Visitors: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Who came through a gate, those who came last first.",
            discussion: "claimed: an address that was typed. verified: one whose mail the visitor reads.")

        @OptionGroup var store: StoreOptions

        @Option(help: "One gate.")
        var gate: String?

        @Option(help: "table for people, json or csv for programs.")
        var format: ReportFormat = .table

        func run() async throws {
            let open = try await store.open()
            let visitors = try await GateCommand.visitors(open).list().filter { gate == nil || $0.gate == gate }
            FileHandle.standardOutput.write(Data(try format.text(of: visitors).utf8))
            try open.database.close()
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Keep an address out: what it has open ends within a second, and it can't enter again.")

        @OptionGroup var options: VisitorOptions

        func run() async throws {
            let open = try await options.open()
            let count = try await GateCommand.visitors(open).revoke(options.email, at: options.gate)
            print("\(options.email) is kept out. Ended: \(count) \(count == 1 ? "entry" : "entries").")
            try open.database.close()
        }
    }

    struct Admit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let an address in again that was revoked. What was ended stays so.")

        @OptionGroup var options: VisitorOptions

        func run() async throws {
            let open = try await options.open()
            let wasOut = try await GateCommand.visitors(open).admit(options.email, at: options.gate)
            print("\(options.email) \(wasOut ? "may enter again" : "was not kept out").")
            try open.database.close()
        }
    }

    private static func visitors(_ open: OpenStore) -> GateVisitors {
        GateVisitors(database: open.database, clock: .system)
    }
}

/// Whom a command is about, and at which gate.
struct VisitorOptions: ParsableArguments {
    @OptionGroup var store: StoreOptions

    @Argument(help: "The address.")
    var email: String

    @Option(help: "One gate; without it, every gate.")
    var gate: String?

    /// Opens the store, once the gate is known to be one: a name that was mistyped keeps nobody out.
    func open() async throws -> OpenStore {
        let names = try ServerConfiguration.gates(try store.settings()).map(\.name)
        if let gate, !names.contains(gate) {
            throw InvalidField(
                "--gate",
                expected: "one of \(names.joined(separator: ", ")), not \(gate); gates are set in the file of --config")
        }
        return try await store.open()
    }
}

extension GateRecord: ReportRow {
    static var columns: [ReportColumn] {
        [
            ReportColumn(name: "name", title: "gate"),
            ReportColumn(name: "level", title: "level"),
            ReportColumn(name: "paths", title: "paths"),
            ReportColumn(name: "sites", title: "sites"),
            ReportColumn(name: "allow", title: "allow"),
            ReportColumn(name: "deny", title: "deny"),
            ReportColumn(name: "passSeconds", title: "pass (s)"),
            ReportColumn(name: "closes", title: "closes (UTC)"),
        ]
    }

    var cells: [ReportCell] {
        [.text(name), .text(level)] + [paths, sites, allow, deny].map { .text($0.joined(separator: " ")) }
            + [.number(passSeconds), closes.map { .time($0) } ?? .text("")]
    }
}

extension GateVisitor: ReportRow {
    static var columns: [ReportColumn] {
        [
            ReportColumn(name: "email", title: "who"),
            ReportColumn(name: "identity", title: "email"),
            ReportColumn(name: "gate", title: "gate"),
            ReportColumn(name: "entries", title: "entries"),
            ReportColumn(name: "firstEntryTime", title: "first (UTC)"),
            ReportColumn(name: "lastEntryTime", title: "last (UTC)"),
            ReportColumn(name: "revoked", title: "kept out"),
        ]
    }

    var cells: [ReportCell] {
        [
            .text(email), .text(identity.rawValue), .text(gate), .number(Int64(entries)), .time(firstEntryTime),
            .time(lastEntryTime), .text(revoked ? "yes" : ""),
        ]
    }
}
