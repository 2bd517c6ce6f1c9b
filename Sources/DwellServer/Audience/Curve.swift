package import Foundation

/// How a video is cut into buckets: whole seconds each, at most 1,000 of them.
package struct Buckets: Sendable, Equatable {
    /// The most buckets of a video.
    package static let limit: Int64 = 1000

    /// How long the video is, in milliseconds.
    package let duration: Int64
    /// How long a bucket is, in milliseconds; the last may be shorter.
    package let length: Int64

    /// - Parameter duration: How long the video is, in milliseconds; above 0
    package init(duration: Int64) {
        self.duration = duration
        length = (duration + Self.limit * 1000 - 1) / (Self.limit * 1000) * 1000
    }

    package var count: Int { Int((duration + length - 1) / length) }

    /// Where a bucket lies, in milliseconds of media time.
    package func range(of bucket: Int) -> Range<Int64> {
        Int64(bucket) * length..<min(Int64(bucket + 1) * length, duration)
    }

    /// The buckets of which ranges hold at least half.
    /// - Parameter ranges: Disjoint and ascending
    package func seen(in ranges: [Range<Int64>]) -> [Int] {
        var held: [(bucket: Int, time: Int64)] = []
        for range in ranges {
            let range = range.clamped(to: 0..<duration)
            guard !range.isEmpty else { continue }
            for bucket in Int(range.lowerBound / length)...Int((range.upperBound - 1) / length) {
                let part = range.clamped(to: self.range(of: bucket))
                let time = part.upperBound - part.lowerBound
                if let last = held.last, last.bucket == bucket {
                    held[held.count - 1].time += time
                } else {
                    held.append((bucket, time))
                }
            }
        }
        return held.compactMap { bucket, time in
            let range = range(of: bucket)
            return 2 * time >= range.upperBound - range.lowerBound ? bucket : nil
        }
    }
}

/// How many people saw each bucket of a video, and how many saw it again.
package struct Curve: Sendable, Equatable {
    /// People by bucket; empty while nobody knows how long the video is.
    package private(set) var viewers: [Int64]
    package private(set) var again: [Int64]

    package init(_ buckets: Buckets?) {
        viewers = Array(repeating: 0, count: buckets?.count ?? 0)
        again = viewers
    }

    /// Counts what one person watched.
    /// - Parameter person: 1, or -1 to take it back
    package mutating func count(_ coverage: Coverage, _ buckets: Buckets, by person: Int64) {
        for bucket in buckets.seen(in: coverage.ranges()) { viewers[bucket] += person }
        for bucket in buckets.seen(in: coverage.ranges(playedAtLeast: 2)) { again[bucket] += person }
    }

    /// The places after which the most people were gone, the worst first: buckets with fewer viewers than the one before.
    package func drops(atMost limit: Int) -> [(bucket: Int, viewers: Int64)] {
        let drops = viewers.indices.dropFirst().map { (bucket: $0, viewers: viewers[$0 - 1] - viewers[$0]) }
        return Array(
            drops.filter { $0.viewers > 0 }.sorted { ($1.viewers, $0.bucket) < ($0.viewers, $1.bucket) }.prefix(limit))
    }

    /// The places that the most people saw again, the best first: buckets before and after which fewer did. Of equal
    /// neighbours the first is meant.
    package func peaks(atMost limit: Int) -> [(bucket: Int, viewers: Int64)] {
        var peaks: [(bucket: Int, viewers: Int64)] = []
        var rise = 0
        for bucket in again.indices {
            if bucket > 0, again[bucket] > again[bucket - 1] { rise = bucket }
            let next = bucket + 1 < again.count ? again[bucket + 1] : 0
            if again[bucket] > next, again[rise] == again[bucket] { peaks.append((rise, again[rise])) }
        }
        return Array(peaks.sorted { ($1.viewers, $0.bucket) < ($0.viewers, $1.bucket) }.prefix(limit))
    }
}

// MARK: In the store

extension Curve {
    /// The form in the store: how many buckets, the viewers of each, and those who saw each again.
    package var data: Data {
        var data = Data()
        data.append(varint: Int64(viewers.count))
        for number in viewers + again { data.append(varint: max(0, number)) }
        return data
    }

    /// - Parameter data: As ``data`` gave it
    /// - Throws: ``DatabaseError/failure(_:)`` for anything else
    package init(data: Data) throws {
        var reader = VarintReader(data)
        let count = Int(try reader.next())
        viewers = try (0..<count).map { _ in try reader.next() }
        again = try (0..<count).map { _ in try reader.next() }
    }
}
