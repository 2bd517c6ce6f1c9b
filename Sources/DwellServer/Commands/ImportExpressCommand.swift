import ArgumentParser
import DwellAPI
import Foundation

/// `dwell import express`
struct ImportExpressCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "express", abstract: "Bring in accounts and sessions of the Express service.",
        discussion: """
            Accounts keep their ids and passwords. A session becomes one segment; its largest error is its whole \
            length, because the old service knew only its start and its last sign of life. Old daily totals are \
            compared with what follows from the sessions, never stored. The old database is only read; give its \
            password by PGPASSWORD or ~/.pgpass rather than in the URL, which other users of the machine can see.
            """)

    @Argument(help: "The old service's database, such as postgres://user@host/name?schema=public.")
    var url: String?

    @OptionGroup var options: ImportOptions

    @Flag(help: "Import devices too, as removed: evidence then says where a session was. Nobody is logged in by it.")
    var devices = false

    @Option(help: "What the old daily totals count: milliseconds, seconds or minutes.")
    var unit: OldTotals.Unit = .seconds

    func run() async throws {
        let mapping = try ColumnMapping(ExpressSource.mapping, file: options.mapping)
        if options.printMapping { return print(mapping.text, terminator: "") }
        guard let url else { throw ValidationError("Missing expected argument '<url>'") }
        let zone = try options.zone()
        let source = try open(url)
        try await options.run { database, days, progress in
            var wanted = ExpressImport.Options()
            wanted.isDryRun = options.dryRun
            wanted.devices = devices
            wanted.unit = unit
            var work = ExpressImport(
                from: source, to: database, mapping: mapping, options: wanted, days: days, zone: zone,
                now: WallClock.system.now())
            return try await work.run(progress: progress)
        }
        try source.close()
    }

    private func open(_ url: String) throws -> ExpressSource {
        do {
            return try ExpressSource(url: url)
        } catch let error as DatabaseError {
            throw InvalidField("the Express service's database", expected: "one that can be read; \(error)")
        }
    }
}

extension OldTotals.Unit: ExpressibleByArgument {}
