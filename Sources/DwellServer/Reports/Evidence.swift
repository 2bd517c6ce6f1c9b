import DwellAPI

extension SessionEvidence {
    /// The evidence for a session whose segments are there.
    /// - Parameters:
    ///   - session: The session with its measures
    ///   - segments: All of its segments, in the order of their starts
    ///   - visible: When anything was visible
    ///   - refused: What was claimed and not credited
    ///   - devices: Where the beats came from
    init(
        session: SessionRecord, segments: [SegmentRecord], visible: IntervalSet, refused: RefusedRecord,
        devices: [DeviceRecord]
    ) {
        self.init(
            session: session, segments: segments,
            gaps: visible.gaps(in: session.sessionStartTime..<session.sessionEndTime).map { gap in
                GapRecord(
                    start: gap.lowerBound, end: gap.upperBound,
                    reason: GapReason(before: gap.lowerBound, segments))
            },
            refused: refused, devices: devices, foldedTime: nil)
    }
}

extension GapReason {
    /// Why the segments that ended at a moment were followed by nothing.
    fileprivate init(before moment: Timestamp, _ segments: [SegmentRecord]) {
        let last = segments.filter { $0.end == moment && $0.lengthMs > 0 }
        guard !last.isEmpty else {
            self = .entered
            return
        }
        let reasons = last.compactMap(\.ended).map(GapReason.init(after:))
        self = reasons.first { $0 != .transit } ?? reasons.first ?? .silent
    }

    private init(after ending: SegmentEnd) {
        self =
            switch ending {
            case .hidden: .hidden
            case .left: .left
            case .frozen: .frozen
            case .asleep: .asleep
            case .lost: .lost
            case .paused, .sought, .rate, .ended, .stalled: .player
            case .attention, .page, .session: .transit
            }
    }
}
