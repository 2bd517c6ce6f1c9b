package import DwellAPI

/// A beat's body as it came: every segment is read by itself, so that one that is wrong does not take the others with
/// it.
package typealias ReceivedBeat = BeatBody<ReceivedSegment>

/// What became of reading one segment.
package struct ReceivedSegment: Sendable, Decodable {
    let claim: Result<SegmentClaim, DecodingError>

    init(claim: Result<SegmentClaim, DecodingError>) {
        self.claim = claim
    }

    package init(from decoder: any Decoder) throws {
        do {
            claim = .success(try SegmentClaim(from: decoder))
        } catch let error as DecodingError {
            claim = .failure(error)
        }
    }
}

extension ReceivedBeat {
    /// The segments that can be stored, and a field of each that can't.
    /// - Parameter describe: Says what is wrong with a segment that could not be read
    /// - Throws: ``InvalidField`` when nothing of the beat can be stored
    func sorted(
        describe: (DecodingError) -> InvalidField
    ) throws(InvalidField) -> (valid: [SegmentClaim], refused: [InvalidField]) {
        try BeatRules.check(v: v, sentAt: sentAt, interval: interval, segmentCount: segments.count)
        var valid: [SegmentClaim] = []
        var refused: [InvalidField] = []
        for (index, attempt) in segments.enumerated() {
            switch attempt.claim {
            case .failure(let error): refused.append(describe(error))
            case .success(let claim):
                do {
                    try BeatRules.check(claim, at: "segments[\(index)]", sentAt: sentAt)
                    valid.append(claim)
                } catch {
                    refused.append(error)
                }
            }
        }
        return (valid, refused)
    }
}
