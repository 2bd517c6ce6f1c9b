import Foundation
import Synchronization
import Testing

@testable import DwellAPI
@testable import DwellServer

/// What nodes that share a database agree on.
@Suite struct NodesTests {
    @Test func `a job that is due is run by one of many nodes`() async throws {
        let store = try await TestStore()
        let job = BackgroundJob(name: "sweep", every: .seconds(60)) {}
        let nodes = (0..<8).map { _ in Self.jobs(store) }
        #expect(try await Self.count(nodes, job) == 1)
        store.clock.advance(by: 59_999)
        #expect(try await Self.count(nodes, job) == 0)
        store.clock.advance(by: 1)
        #expect(try await Self.count(nodes, job) == 1)
    }

    @Test func `a job moves to another node when the one that had it is gone`() async throws {
        let store = try await TestStore()
        let job = BackgroundJob(name: "sweep", every: .seconds(60)) {}
        #expect(try await Self.jobs(store).isDue(job))
        store.clock.advance(by: 60_000)
        #expect(try await Self.jobs(store).isDue(job))
    }

    @Test func `a removal is heard on another node, and what was remembered there is forgotten`() async throws {
        let store = try await TestStore()
        let (here, there) = (Self.announcements(store), Self.announcements(store))
        let heard = Mutex<[String]>([])
        there.onNews { _, key in heard.withLock { $0.append(key) } }
        try await Self.run([here, there]) {
            try await store.database.write { connection in
                try Announcements.announce(.device, "a", at: store.clock.now, connection)
            }
            try await eventually { heard.withLock { $0 } == ["a"] }
        }
    }

    @Test func `an announcement whose transaction fails is never heard`() async throws {
        let store = try await TestStore()
        await #expect(throws: CancellationError.self) {
            try await store.database.write { connection in
                try Announcements.announce(.device, "a", at: store.clock.now, connection)
                throw CancellationError()
            }
        }
        #expect(try await store.rows("SELECT * FROM announcement").isEmpty)
    }

    @Test func `announcements are removed when every node has heard them`() async throws {
        let store = try await TestStore()
        try await store.database.write { connection in
            try Announcements.announce(.device, "old", at: store.clock.now - 700_000, connection)
            try Announcements.announce(.device, "new", at: store.clock.now, connection)
        }
        try await Self.announcements(store).removeOld()
        #expect(try await store.rows("SELECT key FROM announcement").count == 1)
    }

    @Test(.enabled(if: TestDatabase.isPostgres)) func `every node tells the database's time`() async throws {
        let store = try await TestStore()
        let asked = ContinuousClock.now
        let shared = try #require(try await SharedClock(store.database, logger: TestStore.silent))
        // The database looked at its clock at some moment of this time; the middle is taken for it.
        let unsure = Int64(asked.duration(to: .now) / .milliseconds(2)) + 1
        let before = try #require(try await store.database.time())
        let told = shared.clock.now()
        let after = try #require(try await store.database.time())
        #expect(before - unsure <= told && told <= after + unsure)
    }

    @Test(.enabled(if: TestDatabase.isSQLite)) func `an embedded database has no clock but the machine's`() async throws
    {
        let store = try await TestStore()
        let shared = try await SharedClock(store.database, logger: TestStore.silent)
        #expect(shared == nil)
    }

    private static func jobs(_ store: TestStore) -> BackgroundJobs {
        BackgroundJobs(jobs: [], database: store.database, clock: store.clock.clock, logger: TestStore.silent)
    }

    private static func announcements(_ store: TestStore) -> Announcements {
        Announcements(database: store.database, clock: store.clock.clock, logger: TestStore.silent)
    }

    private static func count(_ nodes: [BackgroundJobs], _ job: BackgroundJob) async throws -> Int {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for node in nodes { group.addTask { try await node.isDue(job) } }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
    }

    private static func run(_ services: [Announcements], _ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for service in services { group.addTask { try await service.run() } }
            try await body()
            group.cancelAll()
        }
    }
}
