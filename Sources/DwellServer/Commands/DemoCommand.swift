import ArgumentParser
import DwellAPI
import Foundation

/// `dwell demo`
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Fill an empty database with people who never were, to look at.",
        discussion: """
            They come through the gates and by logging in, and their beats take the way of real ones. The same options and \
            the same end make the same data. `script/demo` starts a server on it.
            """)

    @OptionGroup var store: StoreOptions

    @Option(help: "How many people.")
    var people = 2000

    @Option(help: "How many days, the last of them that of --until.")
    var days: Int64 = 30

    @Option(help: "Which data: another number makes other people.")
    var seed: UInt64 = 1

    @Option(help: "When it ends, such as 2026-11-21T18:00:00Z. (default: now)", transform: Self.time)
    var until: Timestamp?

    @Option(help: "Where midnight is taken from, an IANA name. (default: UTC)")
    var timeZone: String?

    func validate() throws {
        guard (20...100_000).contains(people) else { throw ValidationError("--people must be 20 to 100000") }
        guard (7...365).contains(days) else { throw ValidationError("--days must be 7 to 365") }
    }

    func run() async throws {
        let reader = try store.settings([.timeZone: timeZone])
        let zone = try StoreConfiguration(reader).timeZone
        let settings = Demo.Settings(
            gates: try ServerConfiguration.gates(reader), devices: try DeviceSettings(reader),
            beats: BeatSettings(
                interval: try ServerConfiguration.heartbeatInterval(reader), days: LocalDays(timeZone: zone)))
        let open = try await store.open(orMake: true)
        let plan = Demo.Plan(people: people, days: days, seed: seed, end: until ?? WallClock.system.now())
        let demo = Demo(plan: plan, settings: settings, database: open.database, logger: open.logger)
        let bar = ProgressBar(of: "visits")
        let began = ContinuousClock.now
        defer { bar.end() }
        let outcome = try await demo.fill { bar.show($0, of: $1) }
        bar.end()
        print(
            """
            \(people) people, \(outcome.visits) visits and \(outcome.beats) beats of \(days) days, in \
            \(began.duration(to: .now).components.seconds) s. Every account's password is \
            “\(DemoDoors.password)”.
            """)
        try open.database.close()
    }

    private static func time(_ text: String) throws -> Timestamp {
        guard let time = Timestamp(text) else {
            throw ValidationError("--until must be a time such as 2026-11-21T18:00:00Z, not \(text)")
        }
        return time
    }
}
