package import DwellAPI

/// What a beat's body must be like. Each refusal names the field by its path, such as `segments[3].to`.
package enum BeatRules {
    /// How many segments one beat may carry.
    package static let segmentLimit = 500
    /// The furthest a time may lie from the client's own `sentAt`, in milliseconds: ten years.
    static let timeLimit: Int64 = 315_576_000_000

    /// The pauses between beats that a client may choose, in milliseconds.
    static let intervals: ClosedRange<Int64> = 1000...86_400_000

    /// Checks what a beat says of itself.
    /// - Throws: ``InvalidField`` for the first field that is not as it must be
    package static func check(
        v: Int64, sentAt: Int64, interval: Int64?, segmentCount: Int
    ) throws(InvalidField) {
        try require(v == 1, "v", "the version 1")
        try require(abs(sentAt.clamped) < .max / 4, "sentAt", "the client's clock in milliseconds")
        if let interval {
            try require(intervals.contains(interval), "interval", "1000 to 86400000 milliseconds")
        }
        try require(segmentCount <= segmentLimit, "segments", "at most \(segmentLimit) segments")
    }

    /// Checks a segment.
    /// - Parameters:
    ///   - claim: What the client says
    ///   - path: Where it stands in the body
    ///   - sentAt: The beat's own time, which the segment's times must be near to
    /// - Throws: ``InvalidField`` for the first field that is not as it must be
    package static func check(_ claim: SegmentClaim, at path: String, sentAt: Int64) throws(InvalidField) {
        try require(isTabName(claim.tab), "\(path).tab", "1 to 32 of A-Z a-z 0-9 _ -")
        try require((0...Int64(Int32.max)).contains(claim.n), "\(path).n", "a whole number from 0 to 2147483647")
        let times = (sentAt - timeLimit)...(sentAt + timeLimit)
        try require(times.contains(claim.from), "\(path).from", "a time in milliseconds near sentAt")
        try require(times.contains(claim.to), "\(path).to", "a time in milliseconds near sentAt")
        try require(claim.from <= claim.to, "\(path).from", "a time not after `to`")
        try require(isText(claim.page ?? "", 0...2048), "\(path).page", "at most 2048 bytes, none of them 0")
        try require(isText(claim.video ?? "-", 1...255), "\(path).video", "1 to 255 bytes, none of them 0")
        try checkMedia(claim, at: path)
    }

    /// Checks what a player is called.
    /// - Throws: ``InvalidField`` for the first field that is not as it must be
    static func check(tab: String, video: String) throws(InvalidField) {
        try require(isTabName(tab), "tab", "1 to 32 of A-Z a-z 0-9 _ -")
        try require(isText(video, 1...255), "video", "1 to 255 bytes, none of them 0")
    }

    private static func checkMedia(_ claim: SegmentClaim, at path: String) throws(InvalidField) {
        let limit = timeLimit
        if let from = claim.mediaFrom {
            try require((0...limit).contains(from), "\(path).mediaFrom", "media time in milliseconds, 0 or more")
            try require(claim.mediaTo != nil, "\(path).mediaTo", "present when mediaFrom is")
        }
        if let to = claim.mediaTo {
            try require((0...limit).contains(to), "\(path).mediaTo", "media time in milliseconds, 0 or more")
            guard let from = claim.mediaFrom else {
                throw InvalidField("\(path).mediaFrom", expected: "present when mediaTo is")
            }
            try require(from <= to, "\(path).mediaFrom", "media time not after mediaTo")
        }
        if let duration = claim.mediaDuration {
            try require((1...limit).contains(duration), "\(path).mediaDuration", "milliseconds, 1 or more")
        }
        if let rate = claim.rate {
            try require(rate > 0 && rate <= 16, "\(path).rate", "above 0 and at most 16")
        }
    }

    private static func require(_ holds: Bool, _ field: String, _ expected: String) throws(InvalidField) {
        if !holds { throw InvalidField(field, expected: expected) }
    }

    /// Whether a database keeps a text as it is.
    static func isText(_ text: String, _ length: ClosedRange<Int>) -> Bool {
        length.contains(text.utf8.count) && !text.utf8.contains(0)
    }

    private static func isTabName(_ tab: String) -> Bool {
        (1...32).contains(tab.utf8.count)
            && tab.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}

extension Int64 {
    /// The value with `Int64.min` moved by one, so that `abs` can't trap.
    fileprivate var clamped: Int64 { Swift.max(self, -.max) }
}
