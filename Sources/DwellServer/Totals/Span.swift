/// Days that totals are kept of: a single one, or a block of them, so that a year is put together from few.
struct Span: Sendable, Hashable, Comparable {
    enum Length: Int64, Sendable {
        case day = 1
        case block = 32
    }

    let length: Length
    /// How many spans of this length lie between 1970-01-01 and it.
    let number: Int64

    static func day(_ day: Int64) -> Span { Span(length: .day, number: day) }

    /// The block that it lies in.
    var block: Span { Span(length: .block, number: days.lowerBound.block) }

    /// The first day and the last.
    var days: ClosedRange<Int64> {
        let first = number * length.rawValue
        return first...first + length.rawValue - 1
    }

    static func < (left: Span, right: Span) -> Bool {
        (left.length.rawValue, left.number) < (right.length.rawValue, right.number)
    }
}

/// The fewest spans that some days are put together from.
struct SpanCover: Sendable, Equatable {
    /// Days, by their numbers.
    let head: Range<Int64>
    /// Blocks, by their numbers.
    let blocks: Range<Int64>
    let tail: Range<Int64>

    init(_ days: ClosedRange<Int64>) {
        let end = days.upperBound + 1
        // The first block that begins with the days or after, and the one that ends after them.
        let first = -(-days.lowerBound).block
        let last = end.block
        if first < last {
            head = days.lowerBound..<first * Span.Length.block.rawValue
            blocks = first..<last
            tail = last * Span.Length.block.rawValue..<end
        } else {
            (head, blocks, tail) = (days.lowerBound..<end, 0..<0, end..<end)
        }
    }

    /// The numbers of spans, by their length.
    var parts: [(length: Span.Length, numbers: Range<Int64>)] { [(.day, head), (.block, blocks), (.day, tail)] }
}

extension Int64 {
    /// The number of the block that a day lies in; rounds down before 1970 too.
    fileprivate var block: Int64 { self >> 5 }
}

/// A span of one page, of one video, or of everything.
struct ContentSpan: Sendable, Hashable, Comparable {
    let span: Span
    let content: Int64

    /// The same content's block that it lies in.
    var block: ContentSpan { ContentSpan(span: span.block, content: content) }

    static func < (left: ContentSpan, right: ContentSpan) -> Bool {
        (left.span, left.content) < (right.span, right.content)
    }
}
