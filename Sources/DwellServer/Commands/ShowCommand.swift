import ArgumentParser
import DwellAPI
import Foundation

/// `dwell show`
struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "What a figure rests on.", subcommands: [ShowSession.self])

    struct ShowSession: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "session",
            abstract: "A session's segments, its gaps and why, what was refused, and the devices.")

        @OptionGroup var store: StoreOptions

        @Argument(help: "The session's number, as `dwell report` lists it.")
        var number: Int64

        @Option(help: "table for people, json for programs.")
        var format: EvidenceFormat = .table

        func run() async throws {
            let open = try await store.open()
            let reports = Reports(database: open.database, days: open.days, clock: .system)
            guard let evidence = try await reports.evidence(session: number) else {
                throw InvalidField("the session", expected: "one that there is; there is no session \(number)")
            }
            FileHandle.standardOutput.write(Data(try format.text(of: evidence).utf8))
            try open.database.close()
        }
    }
}

/// How evidence is printed.
enum EvidenceFormat: String, ExpressibleByArgument, CaseIterable {
    case table, json

    func text(of evidence: SessionEvidence) throws -> String {
        switch self {
        case .json: try ReportFormat.json(evidence)
        case .table:
            try """
            \(ReportFormat.table.text(of: [evidence.session]))
            SEGMENTS
            \(evidence.foldedTime.map(Self.folded) ?? ReportFormat.table.text(of: evidence.segments))
            GAPS
            \(evidence.foldedTime.map(Self.folded) ?? ReportFormat.table.text(of: evidence.gaps))
            REFUSED
            \(Self.refused(evidence.refused))

            DEVICES
            \(evidence.devices.isEmpty ? "None known: a visitor of the gate." : Self.devices(evidence.devices))

            """
        }
    }

    private static func folded(at time: Timestamp) -> String {
        "Folded on \(ReportCell.time(time).readable) (UTC): the figures above are what is left of them.\n"
    }

    private static func refused(_ refused: RefusedRecord) -> String {
        let parts = [
            (refused.beforeSessionMs, "before the session"), (refused.futureMs, "in the future"),
            (refused.mediaMs, "of media time beyond the clock"),
        ].filter { $0.0 > 0 }
        guard !parts.isEmpty else { return "Nothing." }
        return parts.map { "\(ReportCell.duration($0.0).readable) \($0.1)" }.joined(separator: "\n")
    }

    private static func devices(_ devices: [DeviceRecord]) -> String {
        devices.map { ReportCell.text("\($0.deviceName), \($0.deviceOS), \($0.id)").readable }
            .joined(separator: "\n")
    }
}
