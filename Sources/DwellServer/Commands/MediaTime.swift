import Foundation

/// Times within a video as people write them: hours, minutes and seconds, of which seconds are enough.
enum MediaTime {
    /// Such as `12:34` or `1:02:03`; what is less than a second is left out.
    static func text(_ milliseconds: Int64) -> String {
        let seconds = milliseconds / 1000
        let parts = [seconds / 3600, seconds / 60 % 60, seconds % 60].drop { $0 == 0 }
        let shown = parts.count < 2 ? [seconds / 60 % 60, seconds % 60] : Array(parts)
        return shown.enumerated().map { $0 > 0 && $1 < 10 ? "0\($1)" : "\($1)" }.joined(separator: ":")
    }

    /// The milliseconds of a text such as `754`, `754.25`, `12:34` or `1:02:03.5`.
    /// - Returns: `nil` for anything else, and for less than a millisecond or more than 1,000 hours
    static func milliseconds(_ text: String) -> Int64? {
        guard let match = text.wholeMatch(of: /(?:(?:(\d{1,3}):)?(\d{1,4}):)?(\d{1,7})(?:\.(\d{1,3}))?/) else {
            return nil
        }
        let (_, hours, minutes, seconds, fraction) = match.output
        func number(_ part: Substring?) -> Int64 { part.flatMap { Int64($0) } ?? 0 }
        // Of what stands after something else there are no more than sixty.
        if hours != nil, number(minutes) > 59 { return nil }
        if minutes != nil, number(seconds) > 59 { return nil }
        let thousandths = number(fraction.map { Substring($0.padding(toLength: 3, withPad: "0", startingAt: 0)) })
        let time = ((number(hours) * 60 + number(minutes)) * 60 + number(seconds)) * 1000 + thousandths
        return (1...3_600_000_000).contains(time) ? time : nil
    }
}
