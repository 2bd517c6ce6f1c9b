import ArgumentParser
import DwellAPI
import Foundation

/// `dwell import nocodb`
struct ImportNocoDBCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nocodb", abstract: "Bring in the heartbeat blueprint's records.",
        discussion: """
            The file is NocoDB's CSV export of the records' table. Each record becomes a session of one segment; its \
            largest error is its whole length, because the old script may have been hidden between any two beats.
            """)

    @Argument(help: "The CSV file, at most 512 MiB.")
    var file: String?

    @OptionGroup var options: ImportOptions

    func run() async throws {
        let mapping = try ColumnMapping(RecordFile.mapping, file: options.mapping)
        if options.printMapping { return print(mapping.text, terminator: "") }
        guard let file else { throw ValidationError("Missing expected argument '<file>'") }
        let rules = OldSessionRules(reader: OldTimeReader(zone: try options.zone()), now: WallClock.system.now())
        let records = try RecordFile(path: file, mapping: mapping).records
        try await options.run { database, days, progress in
            try await RecordImport(database: database, days: days, rules: rules, isDryRun: options.dryRun)
                .run(records, progress: progress)
        }
    }
}
