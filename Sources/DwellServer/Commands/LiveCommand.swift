import ArgumentParser
import DwellAPI
import Foundation

/// `dwell live`
struct LiveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "live", abstract: "Who is here now, and on what.",
        discussion: "Here is who was heard of within the last two heartbeat intervals; give the server's interval.")

    @OptionGroup var store: StoreOptions

    @Option(help: "How often pages send a heartbeat, in seconds. (default: 180)")
    var heartbeatInterval: String?

    @Option(help: "table for people; json or csv for programs.")
    var format: ReportFormat = .table

    func run() async throws {
        let interval = try ServerConfiguration.heartbeatInterval(
            try store.settings([.heartbeatInterval: heartbeatInterval]))
        let open = try await store.open()
        let reports = Reports(database: open.database, days: open.days, clock: .system)
        var sessions: [LiveSession] = []
        var cursor: SessionCursor?
        repeat {
            let page = try await reports.live(interval: interval, after: cursor)
            sessions += page.sessions
            cursor = page.nextCursor.flatMap { SessionCursor($0) }
        } while cursor != nil
        FileHandle.standardOutput.write(Data(try format.text(of: sessions).utf8))
        try open.database.close()
    }
}
