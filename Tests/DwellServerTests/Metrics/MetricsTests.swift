import Testing

@testable import DwellAPI
@testable import DwellServer

@Suite struct MetricsTests {
    @Test func `a histogram counts each time under every bound that it keeps`() {
        let histogram = Histogram(bounds: [.milliseconds(1), .milliseconds(10)])
        for time in [500, 1000, 1001, 10_000, 20_000] { histogram.add(.microseconds(time)) }
        #expect(histogram.counts.atMost.map(\.count) == [2, 4])
        #expect(histogram.counts.all == 5)
        #expect(abs(histogram.seconds - 0.032501) < 1e-9)
    }

    @Test func `nothing is lost when many count at once`() async {
        let metrics = Metrics()
        await withTaskGroup { group in
            for _ in 0..<8 { group.addTask { for _ in 0..<1000 { metrics.beats.add(to: .stored) } } }
        }
        #expect(metrics.text(waiting: 0, viewers: nil, process: nil).contains("outcome=\"stored\"} 8000.0\n"))
    }

    @Test func `every commit and every failure of a database is counted`() async throws {
        let metrics = Metrics()
        let store = try await TestStore()
        let database = MeteredDatabase(base: store.database, metrics: metrics)
        try await database.write { _ in }
        try await database.commit { _ in }.sync()
        await #expect(throws: DatabaseError.self) { try await database.read { _ = try $0.rows("SELECT nothing") } }
        await #expect(throws: InvalidField.self) {
            try await database.write { _ in throw InvalidField("a", expected: "a rule's error, not the database's") }
        }
        #expect(metrics.commits.counts.all == 2)
        #expect(metrics.databaseFailures.counts.map(\.count) == [0, 0, 0, 1])
        withExtendedLifetime(store) {}
    }

    @Test(arguments: ["127.0.0.1:9464", "localhost:1", "[::1]:65535", "a.example:80"])
    func `an address has a host and a port`(_ text: String) {
        #expect(MetricsServer.Address(text) != nil)
    }

    @Test(arguments: ["", ":1", "9464", "::1:9464", "a:0", "a:65536", "a b:1", "http://a:1", "[]:1", "[:1"])
    func `what lacks one is no address`(_ text: String) {
        #expect(MetricsServer.Address(text) == nil)
    }
}
