import DwellAPI
import Foundation
import Testing

@testable import DwellServer

/// The quick reader against the JSON decoder: it may leave a beat to it, but never read one otherwise.
@Suite struct BeatReaderTests {
    @Test(arguments: 0..<300 as Range<UInt64>)
    func `beats of scripts are read, as the decoder reads them`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let text = try Self.json(Self.any(&random))
        #expect(Self.read(text) == Self.decoded(text))
        #expect(Self.read(text) != nil)
    }

    @Test(arguments: 0..<400 as Range<UInt64>)
    func `whatever is changed in one, it is read as the decoder reads it or not at all`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let text = try Self.json(Self.any(&random))
        let pieces: [[UInt8]] =
            [
                " ", "\"", "\\", "\\u0041", "ü", "0", "-", ".", ".5", "e2", "1", "999999999999", ",", ":", "{", "}",
                "[", "]",
                "null", "true", "\"n\":1,", "\"x\":1,", "\u{7F}", "\0", "\u{FFFD}",
            ].map { Array($0.utf8) } + [[0xFF], []]
        for _ in 0..<60 {
            var bytes = text
            for _ in 0..<Int.random(in: 1...2, using: &random) {
                let start = Int.random(in: 0...bytes.count, using: &random)
                let end = min(bytes.count, start + Int.random(in: 0...3, using: &random))
                bytes.replaceSubrange(start..<end, with: pieces[Int.random(in: pieces.indices, using: &random)])
            }
            guard let read = Self.read(bytes) else { continue }
            #expect(read == Self.decoded(bytes), "\(String(decoding: bytes, as: UTF8.self))")
        }
    }

    @Test(arguments: [
        "", "{", "[]", "{}", #"{"v":1,"sentAt":1}"#, #"{"v":01,"sentAt":1,"segments":[]}"#,
        #"{"v":1,"v":1,"sentAt":1,"segments":[]}"#, #"{"v":1,"sentAt":1.5,"segments":[]}"#,
        #"{"v":1,"sentAt":1,"segments":[]} "#, #"{"v":1,"sentAt":1,"segments":[],"token":"\u0041"}"#,
        #"{"v":1,"sentAt":1,"segments":[{}]}"#, #"{"v":1,"sentAt":9999999999999999999,"segments":[]}"#,
    ])
    func `the unusual is left to the decoder`(text: String) {
        #expect(Self.read(Array(text.utf8)) == nil)
    }

    /// A beat and its claims, which can be compared.
    private struct Plain: Equatable {
        let body: BeatBody<SegmentClaim>

        init?(_ beat: ReceivedBeat?) {
            guard let beat, let claims = try? beat.segments.map({ try $0.claim.get() }) else { return nil }
            body = BeatBody(
                v: beat.v, sentAt: beat.sentAt, token: beat.token, interval: beat.interval, segments: claims)
        }
    }

    private static func read(_ bytes: [UInt8]) -> Plain? {
        Plain(bytes.withUnsafeBytes(BeatReader.read))
    }

    private static func decoded(_ bytes: [UInt8]) -> Plain? {
        Plain(try? JSONDecoder().decode(ReceivedBeat.self, from: Data(bytes)))
    }

    /// As `JSON.stringify` writes it, but for the order of names: a seed has to give the same bytes in each run.
    private static func json(_ body: BeatBody<SegmentClaim>) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        return Array(try encoder.encode(body))
    }

    private static func any(_ random: inout SeededGenerator) -> BeatBody<SegmentClaim> {
        func maybe<Value>(_ value: Value) -> Value? { Bool.random(using: &random) ? value : nil }
        func number() -> Int64 { .random(in: -2_000_000_000_000...2_000_000_000_000, using: &random) }
        let claims = (0..<Int.random(in: 0...3, using: &random)).map { n in
            SegmentClaim(
                tab: "k3f9q2_-", n: Int64(n), from: number(), to: number(),
                attention: Bool.random(using: &random) ? .active : .idle, page: maybe("/portfolio/a%20b?"),
                video: maybe("video-1"), mediaFrom: maybe(number()), mediaTo: maybe(number()),
                mediaDuration: maybe(number()),
                rate: maybe(Double(Int.random(in: 0...1600, using: &random)) / 100),
                end: maybe(SegmentEnd.allCases[Int.random(in: 0..<SegmentEnd.allCases.count, using: &random)]))
        }
        return BeatBody(
            sentAt: number(), token: maybe("AAAB_-zz09"), interval: maybe(number()), segments: claims)
    }
}
