import DwellAPI

/// One viewer's day, folded from segments: a union, so that two tabs or two devices at once count once.
package struct DayFold {
    /// A segment's part in a day.
    package struct Piece: Sendable {
        let interval: Range<Timestamp>
        let attention: Attention
        /// The numbers of its page and its video.
        let contents: [Int64]
    }

    /// Time spent on one content.
    package struct Total: Sendable, Equatable {
        package let content: Int64
        package let visible: Int64
        package let engaged: Int64
    }

    /// The number of the content that stands for everything.
    package static let everything: Int64 = 0

    private var visible: [Int64: IntervalSet] = [:]
    private var engaged: [Int64: IntervalSet] = [:]

    /// Folds pieces, in any order.
    package init(_ pieces: some Sequence<Piece>) {
        for piece in pieces {
            for content in [Self.everything] + piece.contents {
                visible[content, default: IntervalSet()].insert(piece.interval)
                if piece.attention == .active {
                    engaged[content, default: IntervalSet()].insert(piece.interval)
                }
            }
        }
    }

    /// Visible and engaged milliseconds of each content that was seen at all, by the contents' numbers.
    package var totals: [Total] {
        visible.sorted { $0.key < $1.key }.compactMap { content, visible in
            guard visible.milliseconds > 0 else { return nil }
            return Total(
                content: content, visible: visible.milliseconds, engaged: engaged[content]?.milliseconds ?? 0)
        }
    }
}
