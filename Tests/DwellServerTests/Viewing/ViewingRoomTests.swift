import Foundation
import Testing

@testable import DwellAPI
@testable import DwellServer

/// As many players as may, and no more, whatever they do.
@Suite struct ViewingRoomTests {
    private static let start = Timestamp(at: "2026-03-02T12:00:00Z")
    private static let lease: Int64 = 10_000

    @Test(arguments: 0..<200) func `no order of steps lets more play than may, or stops what may`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let limit = Int.random(in: 1...3, using: &random)
        var room = ViewingRoom(limit: limit, [])
        // What must be: until when each plays, and who was sent away until when.
        var playing: [PlayerKey: Timestamp] = [:]
        var sent: [PlayerKey: Timestamp] = [:]
        var hasPlayed: Set<PlayerKey> = []
        var time = Self.start
        var n: Int64 = 0
        for _ in 0..<200 {
            time = time + .random(in: 0...4000, using: &random)
            playing = playing.filter { $0.value > time }
            sent = sent.filter { $0.value > time }
            let player = Self.player(Int.random(in: 0..<6, using: &random))
            let end = time + Self.lease
            // As long as nothing is told late.
            n += 1
            switch Int.random(in: 0..<6, using: &random) {
            case 0:
                room.stop(player, n: n)
                // One that took its place, and has not played since, can't have stopped.
                if hasPlayed.contains(player) { (playing[player], sent[player]) = (nil, nil) }
            case 1:
                let chosen = room.playing.filter { $0.player != player }.randomElement(using: &random)
                let isIn = room.take(player, instead: chosen?.id, at: time, until: end)
                // What is chosen may have ended, and without a choice there is always room.
                #expect(isIn)
                for other in playing.keys where other != player && room[other]?.takenAt != nil {
                    #expect(chosen.map { $0.player == other } ?? (playing.count >= limit))
                    sent[other] = playing.removeValue(forKey: other)
                }
                (playing[player], sent[player]) = (end, nil)
                hasPlayed.remove(player)
            default:
                let reason = room.play(player, n: n, at: time, until: end)
                switch reason {
                case nil:
                    playing[player] = end
                    hasPlayed.insert(player)
                case .taken: #expect(sent[player] != nil)
                case .limit: #expect(playing.count == limit && playing[player] == nil && sent[player] == nil)
                }
            }
            #expect(playing.count <= limit)
            #expect(Set(playing.keys) == Set(room.playing.filter { $0.endsAt > time }.map(\.player)))
            #expect(room.playing.count <= limit)
        }
    }

    @Test func `who goes on stays even when the limit was lowered, who comes stays out`() {
        let (first, second, third) = (Self.player(0), Self.player(1), Self.player(2))
        let end = Self.start + Self.lease
        let viewings = [first, second].map { Viewing(player: $0, id: UUID(), startedAt: Self.start, endsAt: end) }
        var room = ViewingRoom(limit: 1, viewings)
        let reasons = [first, second, third].map { room.play($0, n: 0, at: Self.start + 1, until: end) }
        #expect(reasons == [nil, nil, .limit])
        // Whoever wants to play instead makes as many stop as are too many.
        let isIn = room.take(third, instead: nil, at: Self.start + 1, until: end)
        #expect(isIn)
        #expect(room.playing.map(\.player) == [third])
    }

    @Test func `a beat that is late does not bring back what has ended`() {
        let (first, second) = (Self.player(0), Self.player(1))
        var room = ViewingRoom(limit: 1, [])
        let end = Self.start + Self.lease
        let reasons = [
            room.play(first, n: 0, at: Self.start, until: end),
            room.play(second, n: 0, at: end, until: end + Self.lease),
            room.play(first, n: 0, at: end - 1, until: end + Self.lease),
        ]
        #expect(reasons == [nil, nil, .limit])
    }

    @Test func `what is told late does not end what goes on`() {
        let (first, second) = (Self.player(0), Self.player(1))
        let end = Self.start + Self.lease
        var room = ViewingRoom(limit: 1, [])
        var reasons = [room.play(first, n: 5, at: Self.start, until: end)]
        room.stop(first, n: 4)
        reasons.append(room.play(second, n: 0, at: Self.start, until: end))
        // Nor what has just taken its place, and does not play yet.
        let isIn = room.take(second, instead: nil, at: Self.start, until: end)
        room.stop(second, n: 0)
        #expect(isIn && room.playing.map(\.player) == [second])
        reasons.append(room.play(second, n: 1, at: Self.start, until: end))
        room.stop(second, n: 1)
        #expect(reasons == [nil, .limit, nil])
        #expect(room.playing == [])
    }

    private static func player(_ number: Int) -> PlayerKey {
        PlayerKey(tab: TabKey(entry: EntryKey(viewer: 1, entry: 1), tab: "t\(number)"), video: "v")
    }
}
