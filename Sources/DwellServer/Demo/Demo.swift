import DwellAPI
import Foundation
import Logging

/// Believable data of many people over some days, by the way that real data comes: doors, beats, aggregation.
///
/// The same options and the same end make the same people, visits and beats; what is random in the server, such as the
/// ids of accounts, is not among it.
struct Demo {
    /// What is made.
    struct Plan {
        let people: Int
        let days: Int64
        let seed: UInt64
        let end: Timestamp
    }

    /// How it is taken in.
    struct Settings {
        let gates: [GateRules]
        let devices: DeviceSettings
        let beats: BeatSettings
    }

    /// What there is then.
    struct Outcome: Sendable {
        var visits = 0
        var beats = 0
    }

    /// How many visits are stored beside each other.
    private static let crowd = 256

    let plan: Plan
    let settings: Settings
    let database: any Database
    let logger: Logger

    /// Fills a store that nobody has come to.
    /// - Parameter progress: Told how many visits are stored, and how many there are
    /// - Throws: ``InvalidField`` for a store in which somebody is
    func fill(progress: @Sendable (_ done: Int, _ of: Int) -> Void) async throws -> Outcome {
        guard try await database.read({ try DemoQueries(connection: $0).isEmpty() }) else {
            throw Setting.databaseURL.refusal(
                expected: "a store that nobody has come to yet: a demo must not be mixed with real data")
        }
        let statistics = Statistics(database: database, days: settings.beats.days, logger: logger)
        try await statistics.adoptTimeZone()
        let audience = Audience(database: database, logger: logger)
        try await audience.adoptCreditRate()
        let gates = settings.gates.filter { $0.level == .open && $0.closesAt == nil }
        guard !gates.isEmpty else { throw InvalidField("gates", expected: "one that is open to everybody, at least") }
        let people = (0..<plan.people).map { DemoPerson($0, seed: plan.seed, gates: gates.count) }
        let calendar = DemoCalendar(days: settings.beats.days, until: plan.end, count: plan.days)
        let visits = DemoVisit.all(of: people, in: calendar, seed: plan.seed)
        var doors = try await DemoDoors(
            database, gates: gates, devices: settings.devices, days: settings.beats.days, seed: plan.seed,
            logger: logger)
        let outcome = try await store(visits, of: people, gates, &doors, progress: progress)
        try await statistics.aggregate()
        try await audience.fold()
        return outcome
    }

    /// Stores visits by a writer that is stopped afterwards.
    private func store(
        _ visits: [DemoVisit], of people: [DemoPerson], _ gates: [GateRules], _ doors: inout DemoDoors,
        progress: @Sendable (Int, Int) -> Void
    ) async throws -> Outcome {
        let writer = BeatWriter(database: database, settings: settings.beats, logger: logger)
        let writing = Task { try await writer.run() }
        var outcome = Outcome()
        var positions: [Int: [String: Int64]] = [:]
        // Three days before the end there is something to administer, and something that comes of it.
        let moment = plan.end - 3 * 86_400_000
        var isAdministered = false
        var next = 0
        do {
            while next < visits.count {
                let crowd = visits[next..<min(next + Self.crowd, visits.count)]
                if !isAdministered, let first = crowd.first, first.start >= moment {
                    try await doors.administer(people, at: moment)
                    isAdministered = true
                }
                try await store(crowd, of: people, gates, &doors, &positions, writer, &outcome)
                next = crowd.endIndex
                progress(next, visits.count)
            }
        } catch {
            writing.cancel()
            throw error
        }
        writing.cancel()
        try await writing.value
        return outcome
    }

    private func store(
        _ crowd: ArraySlice<DemoVisit>, of people: [DemoPerson], _ gates: [GateRules], _ doors: inout DemoDoors,
        _ positions: inout [Int: [String: Int64]], _ writer: BeatWriter, _ outcome: inout Outcome
    ) async throws {
        var told: [(visit: DemoVisit, source: Beat.Source, beats: [DemoBeat])] = []
        for visit in crowd {
            let person = people[visit.person]
            guard let source = try await doors.open(visit, person) else { continue }
            let folder = if case .gate(let place) = person.door { gates[place].target } else { "/" }
            var story = DemoStory(
                visit, of: person, folder: folder, until: plan.end, interval: settings.beats.interval, seed: plan.seed)
            let beats = story.beats(&positions[person.number, default: [:]])
            told.append((visit, source, beats))
            outcome.visits += 1
            outcome.beats += beats.count
        }
        try await doors.writeAudit()
        let entries = try await withThrowingTaskGroup(of: (DemoVisit, Int64?).self) { group in
            for (visit, source, beats) in told {
                group.addTask { (visit, try await Self.store(beats, of: source, writer)) }
            }
            return try await group.reduce(into: [(DemoVisit, Int64?)]()) { $0.append($1) }
        }
        for (visit, entry) in entries { if let entry { doors.remember(entry, of: visit) } }
    }

    /// Stores the beats of a visit one after the other.
    /// - Returns: The entry that they were stored under, until the device was gone
    private static func store(
        _ beats: [DemoBeat], of source: Beat.Source, _ writer: BeatWriter
    ) async throws -> Int64? {
        var source = source
        var entry: Int64?
        for beat in beats {
            let outcome = try await writer.store(Beat(source: source, arrival: beat.arrival, content: beat.content))
            guard let stored = outcome.entry else { break }
            entry = stored.id
            if case .login(let login, _) = source { source = .login(login, entry: stored.id) }
        }
        return entry
    }
}

/// What the demo asks before it begins.
struct DemoQueries {
    let connection: any DatabaseConnection

    /// Whether nobody has come.
    func isEmpty() throws -> Bool {
        try connection.row("SELECT 1 AS one FROM viewer LIMIT 1", []) == nil
    }
}
