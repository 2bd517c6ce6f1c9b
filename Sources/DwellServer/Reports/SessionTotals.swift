import DwellAPI

/// A session's measures, in milliseconds: made from its segments, or kept in their place.
struct SessionTotals: Equatable {
    let elapsedError: Int64
    let visible: Int64
    let visibleError: Int64
    let engaged: Int64
    let engagedError: Int64
    /// Claimed and not credited, over all segments.
    let refused: RefusedRecord
}

/// A session's segments, folded.
struct SessionFold {
    let time: DayFold
    /// The latest moment at which any of them may have ended.
    private let latestEnd: Timestamp?
    private let refused: RefusedRecord

    /// What of a segment's row it is made of.
    static let columns = """
        \(DayFold.Piece.columns), segment.refused_before_ms, segment.refused_future_ms, segment.refused_media_ms
        """

    /// - Parameter rows: All segments of the session, with the ``columns``
    init(_ rows: some Sequence<Row>) throws {
        var pieces: [DayFold.Piece] = []
        var latestEnd: Timestamp?
        var refused = RefusedRecord()
        for row in rows {
            var values = row.reader
            let piece = try DayFold.Piece(values: &values)
            pieces.append(piece)
            latestEnd = max(latestEnd ?? piece.tail.upperBound, piece.tail.upperBound)
            refused.beforeSessionMs += try values.next()
            refused.futureMs += try values.next()
            refused.mediaMs += try values.next()
        }
        time = DayFold(pieces)
        self.latestEnd = latestEnd
        self.refused = refused
    }

    /// - Parameter lastSeenAt: The session's last sign of life
    func totals(lastSeenAt: Timestamp) -> SessionTotals {
        let total = time.total
        return SessionTotals(
            elapsedError: DayFold.resolution + max(0, latestEnd.map { $0 - lastSeenAt } ?? 0),
            visible: total.visible, visibleError: total.visibleError, engaged: total.engaged,
            engagedError: total.engagedError, refused: refused)
    }
}
