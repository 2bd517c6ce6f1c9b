import ArgumentParser
import DwellAPI
import Foundation

/// `dwell audit`
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Who got in, who did not, and what operators did; the latest first.")

    @OptionGroup var store: StoreOptions

    @Option(help: "Only what is about the account with this username, or the guest with this email.")
    var user: String?

    @Option(help: "From when on: a number of m, h or d, such as 7d, or a date or time such as 2026-11-21.")
    var since = "7d"

    @Option(
        help: ArgumentHelp(
            "Only these events: \(AuditEvent.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "event"),
        transform: Self.event)
    var event: AuditEvent?

    @Option(help: "table for people; json or csv for programs.")
    var format: ReportFormat = .table

    func run() async throws {
        let open = try await store.open()
        let records = try await AuditLog.entries(
            in: open.database, since: try Self.start(since, open.days), event: event, user: user)
        FileHandle.standardOutput.write(Data(try format.text(of: records).utf8))
        try open.database.close()
    }

    /// - Parameter since: As `--since` was given
    static func start(_ since: String, _ days: LocalDays) throws -> Timestamp {
        if let length = DeviceSettings.milliseconds(since) { return WallClock.system.now() - length }
        do {
            return try days.time(since, field: "--since")
        } catch {
            throw InvalidField(
                "--since", expected: "such as 7d, 12h or 30m, or a date such as 2026-11-21, not \(since)")
        }
    }

    private static func event(_ text: String) throws -> AuditEvent {
        guard let event = AuditEvent(rawValue: text) else {
            let known = AuditEvent.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--event must be one of \(known), not \(text)")
        }
        return event
    }
}

extension AuditRecord: ReportRow {
    static var columns: [ReportColumn] {
        [
            ReportColumn(name: "at", title: "at (UTC)"),
            ReportColumn(name: "event", title: "event"),
            ReportColumn(name: "outcome", title: "outcome"),
            ReportColumn(name: "actor", title: "by"),
            ReportColumn(name: "subject", title: "who"),
            ReportColumn(name: "address", title: "from"),
            ReportColumn(name: "detail", title: "detail"),
            ReportColumn(name: "accountId", title: "account"),
            ReportColumn(name: "deviceId", title: "device"),
        ]
    }

    var cells: [ReportCell] {
        [
            .time(at), .text(event), .text(outcome), .text(actor), .text(subject ?? ""), .text(address ?? ""),
            .text(detail.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")),
            .text(accountId ?? ""), .text(deviceId ?? ""),
        ]
    }
}
