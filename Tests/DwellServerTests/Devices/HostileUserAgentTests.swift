import Foundation
import Testing

@testable import DwellServer

/// User-Agents and hints that were made to do harm.
@Suite struct HostileUserAgentTests {
    private let rules: UserAgentRules

    init() throws {
        rules = try SharedRules.embedded.get()
    }

    private func describe(_ userAgent: String, _ hints: ClientHints = ClientHints()) -> DeviceDescription {
        DeviceDescription(userAgent: userAgent, hints: hints, rules: rules)
    }

    private func expectFit(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(!text.isEmpty, sourceLocation: sourceLocation)
        #expect(text.count <= 200, sourceLocation: sourceLocation)
        #expect(text.unicodeScalars.count <= 200, sourceLocation: sourceLocation)
        let bad = text.unicodeScalars.filter { scalar in
            [.control, .format].contains(scalar.properties.generalCategory) || scalar == "<" || scalar == ">"
        }
        #expect(bad.isEmpty, sourceLocation: sourceLocation)
    }

    @Test func stripsMarkupAndControlCharacters() {
        let device = describe(
            "Mozilla/5.0 (Linux; Android 13; <b>\u{7}SM\u{202E}-S901B</b>) AppleWebKit/537.36 (KHTML, like Gecko) "
                + "Chrome/112.0.0.0 Mobile Safari/537.36")
        expectFit(device.name)
        #expect(device.name.contains("SM-S901B"))
    }

    @Test func stripsHints() {
        let hints = ClientHints(
            fullVersionList: #""<script>";v="1""#, platform: #""<i>Android""#, platformVersion: #""<13>""#,
            model: #""<img src=x onerror=alert(1)>""#)
        let device = describe("nothing known", hints)
        #expect(device.name == "script 1 on img src=x onerror=alert(1) (iAndroid 13)")
        #expect(device.os == "iAndroid 13")
    }

    @Test func cutsLongNames() {
        let hints = ClientHints(
            fullVersionList: "\"\(String(repeating: "b", count: 900))\";v=\"1\"",
            platform: "\"\(String(repeating: "p", count: 900))\"", model: "\"\(String(repeating: "m", count: 900))\"")
        let device = describe("", hints)
        #expect(device.name.count == 200)
        #expect(device.os.count == 200)
    }

    @Test func looksAtTheFirstKilobyteOnly() {
        let padding = String(repeating: " ", count: UserAgentRules.lengthLimit - 8)
        #expect(describe(padding + "curl/8.1").name == "curl 8.1")
        #expect(describe(padding + " curl/8.1").name == "curl 8")
        #expect(describe(padding + "     curl/8.1").name == "Unknown browser")
        // The cut goes through a character of four bytes.
        let emoji = "curl/8.1 x" + String(repeating: "😀", count: 3000)
        #expect(describe(emoji).name == "curl 8.1")
    }

    @Test func survivesBinaryJunk() {
        var generator = SplitMix(state: 1)
        for length in [1, 2, 3, 10, 100, 1023, 1024, 1025, 10_240] {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let junk = String(decoding: bytes, as: UTF8.self)
            let device = describe(junk, ClientHints(fullVersionList: junk, platform: junk, model: junk))
            expectFit(device.name)
            expectFit(device.os)
        }
    }

    /// The shapes that uap-core's own test of slow patterns (`tests/regexes.js`) is about, and a few more.
    static let repeated = [
        "a", " ", "; ", "; A", "Mozilla Mobile ", "Android", "Opera Mobi", "Chrome/1.1.1 ", "CPU OS 1_1", "OS 1_1",
        "CFNetwork/",
        " Darwin/17.1", "Version/1.1 ", "HbbTV/1.1.1 (;a;", "iPhone Mac OS X ", "MSIE 1.0", ";Coolpad_", "; Build/",
        "Linux; Android 4.4; ", "(((((", ")))))", "0.", "9", "\\", "$1", "\u{0}", "😀", "e\u{301}\u{301}",
    ]

    /// How long this thread has computed: unlike a clock on the wall, it does not go on while others have the processor.
    private static func computed() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    @Test(arguments: repeated)
    func slowPatternsEnd(_ piece: String) {
        for prefix in ["", "Mozilla/5.0 (", "iPod;CPU", "x86_64 1.1.1", "HbbTV/0.0.0 (;", "; "] {
            let userAgent = prefix + String(repeating: piece, count: 10_240 / piece.utf8.count) + "!"
            let before = Self.computed()
            let device = describe(userAgent)
            expectFit(device.name)
            expectFit(device.os)
            // A release build takes 40 ms at most. The limit is for a slow machine: this is about patterns without end.
            #expect(Self.computed() - before < .seconds(2), "\(prefix)\(piece)…")
        }
    }
}

/// A small random generator (SplitMix64) whose numbers are the same in each run.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
