package import Foundation

/// Which parts of a video were watched, and how many times each: a number of plays at every moment of media time.
///
/// It is a sum of ranges: neither their order nor how they are put together changes anything.
package struct Coverage: Sendable, Equatable {
    /// A stretch of media time that was played equally often from end to end.
    package struct Part: Sendable, Equatable {
        /// In milliseconds of media time; never empty.
        package let range: Range<Int64>
        /// 1 or more.
        package let plays: Int64
    }

    /// Disjoint and ascending; parts that touch were not played equally often.
    package private(set) var parts: [Part] = []

    /// What ranges add up to.
    /// - Parameter ranges: In milliseconds of media time, in any order; they may overlap
    package init(_ ranges: some Sequence<Range<Int64>> = []) {
        self.init(summing: ranges.map { Part(range: $0, plays: 1) })
    }

    private init(summing parts: some Sequence<Part>) {
        var changes: [(at: Int64, by: Int64)] = []
        for part in parts {
            changes.append((part.range.lowerBound, part.plays))
            changes.append((part.range.upperBound, -part.plays))
        }
        changes.sort { $0.at < $1.at }
        var plays: Int64 = 0
        var reached: Int64 = 0
        for change in changes {
            append(reached..<max(reached, change.at), plays: plays)
            plays += change.by
            reached = change.at
        }
    }

    private mutating func append(_ range: Range<Int64>, plays: Int64) {
        guard !range.isEmpty, plays > 0 else { return }
        if let last = parts.last, last.plays == plays, last.range.upperBound == range.lowerBound {
            parts[parts.count - 1] = Part(range: last.range.lowerBound..<range.upperBound, plays: plays)
        } else {
            parts.append(Part(range: range, plays: plays))
        }
    }

    /// One coverage and another.
    package static func + (left: Coverage, right: Coverage) -> Coverage {
        if left.parts.isEmpty { return right }
        return right.parts.isEmpty ? left : Coverage(summing: left.parts + right.parts)
    }

    package var isEmpty: Bool { parts.isEmpty }

    /// How much of the video was watched, each moment counted once, in milliseconds.
    package var covered: Int64 { parts.reduce(0) { $0 + $1.range.length } }

    /// The same with each moment counted as often as it was played.
    package var watched: Int64 { parts.reduce(0) { $0 + $1.range.length * $1.plays } }

    /// What was played so many times or more, in order; ranges that touch are one.
    package func ranges(playedAtLeast plays: Int64 = 1) -> [Range<Int64>] {
        parts.reduce(into: []) { ranges, part in
            guard part.plays >= plays else { return }
            if let last = ranges.last, last.upperBound == part.range.lowerBound {
                ranges[ranges.count - 1] = last.lowerBound..<part.range.upperBound
            } else {
                ranges.append(part.range)
            }
        }
    }

    /// What of it lies within a video that is so long; all of it when nobody knows.
    package func clipped(to duration: Int64?) -> Coverage {
        guard let duration, let last = parts.last, last.range.upperBound > duration else { return self }
        var clipped = Coverage()
        for part in parts { clipped.append(part.range.clamped(to: 0..<duration), plays: part.plays) }
        return clipped
    }
}

extension Range<Int64> {
    /// In milliseconds.
    fileprivate var length: Int64 { upperBound - lowerBound }
}

// MARK: In the store

extension Coverage {
    /// The form in the store: how many parts, and of each the gap before it, its length and its plays.
    package var data: Data {
        var data = Data()
        data.append(varint: Int64(parts.count))
        var reached: Int64 = 0
        for part in parts {
            data.append(varint: part.range.lowerBound - reached)
            data.append(varint: part.range.length)
            data.append(varint: part.plays)
            reached = part.range.upperBound
        }
        return data
    }

    /// - Parameter data: As ``data`` gave it
    /// - Throws: ``DatabaseError/failure(_:)`` for anything else
    package init(data: Data) throws {
        var reader = VarintReader(data)
        var reached: Int64 = 0
        for _ in 0..<(try reader.next()) {
            let start = reached + (try reader.next())
            let length = try reader.next()
            append(start..<start + length, plays: try reader.next())
            reached = start + length
        }
    }
}

extension Data {
    /// Appends a number that is not negative, seven bits a byte, the least first.
    mutating func append(varint number: Int64) {
        var rest = UInt64(number)
        while rest > 0x7F {
            append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }
}

/// Reads numbers that ``Foundation/Data/append(varint:)`` wrote.
struct VarintReader {
    private let bytes: [UInt8]
    private var index = 0

    init(_ data: Data) {
        bytes = Array(data)
    }

    /// - Throws: ``DatabaseError/failure(_:)`` when there is none
    mutating func next() throws -> Int64 {
        var number: UInt64 = 0
        for shift in stride(from: 0, to: 63, by: 7) {
            guard index < bytes.count else { break }
            let byte = bytes[index]
            index += 1
            number |= UInt64(byte & 0x7F) << UInt64(shift)
            if byte < 0x80 { return Int64(number) }
        }
        throw DatabaseError.failure("a list of numbers that ends early")
    }
}
