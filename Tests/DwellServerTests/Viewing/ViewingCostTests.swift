import Foundation
import Testing

@testable import DwellAPI
@testable import DwellServer

/// Who has nothing to do with the limit does not pay for it.
@Suite struct ViewingCostTests {
    @Test(arguments: [nil, 1]) func `only a beat with a video asks what plays, and a guest's only whether it is one`(
        limit: Int?
    ) async throws {
        let store = try await TestStore(viewingLimit: limit)
        let now = store.clock.now.milliseconds
        let page = Guest.segment(0, from: now, to: now, page: "/p")
        let video = Guest.segment(1, from: now, to: now, video: "v")
        let (viewer, device) = try await store.addAccount()
        let login = Beat.Source.login(Login(account: UUID(), device: device, number: 0, viewer: viewer), entry: nil)
        let guest = try await store.gate.enter(email: "ada@example.com")
        let visit = Beat.Source.token(viewer: guest.viewer, entry: guest.id)
        #expect(try await asked(store, visit, [page, video]).count == (limit == nil ? 0 : 1))
        #expect(try await asked(store, login, [page]) == [])
        #expect(try await asked(store, login, [page, video]).count == (limit == nil ? 0 : 3))
    }

    /// The statements about accounts and what they play that a beat sends.
    private func asked(
        _ store: TestStore, _ source: Beat.Source, _ claims: [SegmentClaim]
    ) async throws -> [String] {
        let recording = RecordingDatabase(store.database)
        let writer = BeatWriter(database: recording, settings: store.settings, logger: TestStore.silent)
        let now = store.clock.now
        let beat = Beat(
            source: source, arrival: now,
            content: .claims(claims, sentAt: now.milliseconds, interval: 15_000))
        _ = try await store.run(writer) { try await writer.store(beat) }
        return recording.statements.keys.filter { $0.contains("viewing") }
    }
}
