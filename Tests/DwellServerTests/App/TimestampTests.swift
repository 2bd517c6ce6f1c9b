import Testing

@testable import DwellAPI

@Suite struct TimestampTests {
    @Test(arguments: 0..<300 as Range<UInt64>)
    func `text and time are each other's inverse`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let time = Timestamp(milliseconds: .random(in: 0...4_102_444_800_000, using: &generator))
        #expect(Timestamp(time.description) == time)
        #expect(time.description.count == 24)
    }

    @Test func `is ISO 8601 in UTC with milliseconds`() {
        #expect(Timestamp(milliseconds: 1_772_452_800_007).description == "2026-03-02T12:00:00.007Z")
        #expect(Timestamp("2026-03-02T12:00:00Z")?.milliseconds == 1_772_452_800_000)
        #expect(Timestamp("2026-03-02T13:00:00+01:00")?.milliseconds == 1_772_452_800_000)
        #expect(Timestamp("noon") == nil)
    }
}
