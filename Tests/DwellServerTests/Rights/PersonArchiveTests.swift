import Foundation
import NIOCore
import Testing

@testable import DwellAPI
@testable import DwellServer

/// All that is known of a person, in one archive.
@Suite struct PersonArchiveTests {
    @Test func `it comes in pieces, however much there is`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            for _ in 0..<210 { try await store.visit(writer, "ada@example.com", media: 0..<1000) }
        }
        let archives = PersonArchives(database: store.database, days: store.settings.days, clock: store.clock.clock)
        let archive = try await archives.open(.named(email: "ada@example.com", username: nil), by: .commandLine)
        var pieces: [Int] = []
        var whole = Data()
        try await archive.write {
            pieces.append($0.readableBytes)
            whole += Data($0.readableBytesView)
        }
        #expect(pieces.count > 5 && whole.starts(with: Data("PK".utf8)))
        for name in ["README.txt", "person.json", "sessions.ndjson", "segments.ndjson", "audit.ndjson"] {
            #expect(whole.firstRange(of: Data(name.utf8)) != nil, "\(name)")
        }
        await #expect(throws: UnknownPerson()) { _ = try await archives.open(.viewer(77), by: .commandLine) }
    }
}
