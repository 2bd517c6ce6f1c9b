package import DwellAPI

/// What one person watched of one video, made from segments. The same segments give the same whatever their order.
///
/// The wall clock decides what counts. A moment in which the person watched the video belongs to one segment, the one
/// that began first; and of its run through the video each segment counts, from its start on, as much as the moments that
/// belong to it allow at the credit rate. So however a client seeks, speeds, or opens players, nobody watches more of a
/// video than the credit rate times the time that went by.
package struct Watched: Sendable, Equatable {
    /// A run through the video: a segment, as far as this goes.
    package struct Run: Sendable {
        /// Tells it from the person's other segments.
        package let entry: Int64
        package let tab: String
        package let n: Int64
        package let session: Int64
        /// When it was played.
        package let interval: Range<Timestamp>
        /// What of the video went by meanwhile, in milliseconds.
        package let media: Range<Int64>
        /// How long the player said that the video is, in milliseconds.
        package let duration: Int64?
        /// Whether it was played to the end.
        package let isEnd: Bool

        /// Which of two runs began first, for everybody the same.
        fileprivate var byStart: (Timestamp, Int64, String, Int64) { (interval.lowerBound, entry, tab, n) }
    }

    /// What the video asks for.
    package struct Terms: Sendable, Equatable {
        /// How long the video is, in milliseconds; `nil` when nobody knows.
        package var duration: Int64?
        /// The part of it that must have been watched to have completed it, above 0 and at most 1.
        package var completeAt: Double
        /// How much of it counts for a moment of the wall clock at most.
        package var creditRate: Double

        /// How much of the video must have been watched, in milliseconds.
        fileprivate var needed: Int64? { duration.map { Int64((Double($0) * completeAt).rounded(.up)) } }
    }

    /// What stands for segments that are folded.
    package struct Folded: Sendable, Equatable {
        package var coverage = Coverage()
        /// Moments that belong to folded segments and may overlap with others yet.
        package var taken = IntervalSet()
        package var resume: Int64 = 0
        package var watchedAt: Timestamp
        package var duration: Int64?
        /// When the video was completed, if that was before the end of what is folded.
        package var completedAt: Timestamp?
    }

    /// What counts.
    package private(set) var coverage = Coverage()
    /// Where to go on, in milliseconds of media time: 0 after the end.
    package private(set) var resume: Int64 = 0
    /// When it was watched last; `nil` when it never was.
    package private(set) var watchedAt: Timestamp?
    /// How long the person's player said that the video is, in milliseconds: at most, if it said several.
    package private(set) var duration: Int64?
    /// The first moment at which enough of it was watched.
    package private(set) var completedAt: Timestamp?

    /// - Parameters:
    ///   - runs: Every run that is not folded, in any order
    ///   - folded: What stands for the others
    ///   - terms: What the video asks for
    package init(_ runs: [Run], folded: Folded? = nil, terms: Terms) {
        let shares = Share.all(of: runs, beside: folded?.taken, terms.creditRate)
        let before = folded?.coverage ?? Coverage()
        coverage = before + Coverage(shares.map(\.media))
        // Of places that were reached at the same moment the furthest.
        let places = runs.map { ($0.interval.upperBound, $0.resume(terms.duration)) }
        if let last = (places + (folded.map { [($0.watchedAt, $0.resume)] } ?? [])).max(by: <) {
            (watchedAt, resume) = last
        }
        duration = (runs.map(\.duration) + [folded?.duration]).compactMap(\.self).max()
        completedAt = folded?.completedAt ?? Self.completion(of: shares, after: before, folded?.watchedAt, terms)
    }

    /// When what was watched by then was enough.
    private static func completion(
        of shares: [Share], after before: Coverage, _ time: Timestamp?, _ terms: Terms
    ) -> Timestamp? {
        guard let needed = terms.needed else { return nil }
        func isEnough(_ coverage: Coverage) -> Bool { coverage.clipped(to: terms.duration).covered >= needed }
        if let time, isEnough(before) { return time }
        let shares = shares.sorted { $0.run.interval.upperBound < $1.run.interval.upperBound }
        guard isEnough(before + Coverage(shares.map(\.media))) else { return nil }
        // How many of them are enough: no more of them are ever less.
        var (few, enough) = (0, shares.count)
        while few + 1 < enough {
            let middle = (few + enough) / 2
            if isEnough(before + Coverage(shares[..<middle].map(\.media))) { enough = middle } else { few = middle }
        }
        return shares[enough - 1].run.interval.upperBound
    }

    /// What counts of a run.
    private struct Share {
        let run: Run
        let media: Range<Int64>
        /// The moments that belong to it.
        let own: [Range<Timestamp>]

        static func all(of runs: [Run], beside taken: IntervalSet?, _ rate: Double) -> [Share] {
            var reached: Timestamp?
            return runs.sorted { $0.byStart < $1.byStart }.map { run in
                // All that began before ended by then, or holds every moment until then.
                let start = max(run.interval.lowerBound, reached ?? run.interval.lowerBound)
                let free = start..<max(start, run.interval.upperBound)
                reached = max(reached ?? run.interval.upperBound, run.interval.upperBound)
                let own = taken?.gaps(in: free) ?? (free.isEmpty ? [] : [free])
                let time = own.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) }
                let most = Int64(Double(time) * rate)
                return Share(
                    run: run, media: run.media.lowerBound..<min(run.media.upperBound, run.media.lowerBound + most),
                    own: own)
            }
        }
    }
}

extension Watched.Run {
    /// Where to go on after it: clocks and players are exact to a second.
    fileprivate func resume(_ duration: Int64?) -> Int64 {
        let isOver = isEnd || duration.map { media.upperBound > $0 - DayFold.resolution } ?? false
        return isOver ? 0 : media.upperBound
    }
}

extension Watched {
    /// What stands for the runs of a session from now on: with it and the other runs, everything stays as it is.
    /// - Parameters:
    ///   - session: Whose runs go
    ///   - runs: Every run that is not folded, these included
    ///   - folded: What stands for those that went before
    ///   - limit: Nothing that happened before is credited any more
    ///   - terms: What the video asks for
    /// - Returns: `nil` when the session has none
    package static func fold(
        _ session: Int64, of runs: [Run], onto folded: Folded?, before limit: Timestamp, terms: Terms
    ) -> Folded? {
        let going = runs.filter { $0.session == session }
        guard !going.isEmpty else { return nil }
        let whole = Watched(runs, folded: folded, terms: terms)
        let shares = Share.all(of: runs, beside: folded?.taken, terms.creditRate).filter {
            $0.run.session == session
        }
        let part = Watched(going, folded: folded, terms: terms)
        guard let watchedAt = part.watchedAt else { return nil }
        // What may come yet, or is still there, begins then.
        let earliest = runs.filter { $0.session != session }.map(\.interval.lowerBound).min() ?? limit
        let taken = ((folded?.taken.intervals ?? []) + shares.flatMap(\.own)).filter {
            $0.upperBound > min(earliest, limit)
        }
        return Folded(
            coverage: (folded?.coverage ?? Coverage()) + Coverage(shares.map(\.media)),
            taken: IntervalSet(taken.sorted { $0.lowerBound < $1.lowerBound }), resume: part.resume,
            watchedAt: watchedAt, duration: part.duration,
            completedAt: whole.completedAt.flatMap { $0 < limit ? $0 : nil })
    }
}
