import ArgumentParser
import DwellAPI
import Foundation
import UnixSignals

/// `dwell top`
struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top", abstract: "Who is here now, and on what, while you look.",
        discussion: """
            Drawn anew each second; q or Ctrl-C ends it. Here is who was heard of within the last two heartbeat \
            intervals; give the server's interval.
            """)

    /// Q, its capital, Ctrl-C and Ctrl-D.
    private static let ends: Set<UInt8> = [0x71, 0x51, 3, 4]

    @OptionGroup var store: StoreOptions

    @Option(help: "How often pages send a heartbeat, in seconds. (default: 180)")
    var heartbeatInterval: String?

    @Flag(help: "Print it once, without drawing.")
    var once = false

    func run() async throws {
        let interval = try ServerConfiguration.heartbeatInterval(
            try store.settings([.heartbeatInterval: heartbeatInterval]))
        let open = try await store.open()
        let reports = Reports(database: open.database, days: open.days, clock: .system)
        if once {
            let page = try await reports.live(interval: interval)
            let screen = LiveScreen(page: page, now: WallClock.system.now(), columns: Terminal.size.columns)
            FileHandle.standardOutput.write(Data((screen.lines.joined(separator: "\n") + "\n").utf8))
        } else {
            // From here on: the terminal must be given back, whatever ends it.
            let signals = await UnixSignalsSequence(trapping: .sigterm, .sighup, .sigint)
            guard let terminal = Terminal() else {
                throw ValidationError("There is no terminal to draw on: use --once.")
            }
            defer { terminal.leave() }
            await watch(reports, interval: interval, on: terminal, until: signals)
        }
        try open.database.close()
    }

    /// Draws until a key or a signal ends it.
    private func watch(
        _ reports: Reports, interval: Int64, on terminal: Terminal, until signals: UnixSignalsSequence
    ) async {
        let keys = terminal.keys
        await withTaskGroup { group in
            group.addTask { for await key in keys where Self.ends.contains(key) { return } }
            group.addTask { for await _ in signals { return } }
            group.addTask {
                repeat {
                    let (columns, rows) = Terminal.size
                    do {
                        let page = try await reports.live(interval: interval, limit: max(1, min(rows, 200)))
                        let screen = LiveScreen(
                            page: page, now: WallClock.system.now(), columns: columns, rows: rows)
                        Terminal.show(screen.lines)
                    } catch {
                        Terminal.show(["The database can't be asked: \(error)"])
                    }
                } while await Self.second()
            }
            await group.next()
            group.cancelAll()
        }
    }

    /// - Returns: Whether it went by
    private static func second() async -> Bool {
        do { try await Task.sleep(for: .seconds(1)) } catch { return false }
        return true
    }
}
