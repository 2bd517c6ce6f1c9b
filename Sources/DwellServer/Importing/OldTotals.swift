package import DwellAPI
package import Foundation

/// What follows from the old service's sessions, by person and day, for a comparison with the totals that it kept.
package struct OldTotals: Sendable {
    /// A unit in which an old service counted.
    package enum Unit: String, Sendable, CaseIterable {
        case milliseconds, seconds, minutes

        var length: Int64 {
            switch self {
            case .milliseconds: 1
            case .seconds: 1000
            case .minutes: 60_000
            }
        }
    }

    /// Time with a video, and without.
    package struct Total: Sendable, Equatable {
        package let watched: Int64
        package let active: Int64
    }

    private struct Key: Hashable {
        let person: UUID
        let day: Int64
    }

    private struct Sets {
        var watched = IntervalSet()
        var active = IntervalSet()
    }

    private let days: LocalDays
    private var sets: [Key: Sets] = [:]

    /// - Parameter days: Cuts the days as the old service did
    package init(days: LocalDays) {
        self.days = days
    }

    /// Adds a session. Two at once count once.
    package mutating func add(_ interval: Range<Timestamp>, of person: UUID, isVideo: Bool) {
        guard !interval.isEmpty else { return }
        for day in days.days(touching: interval) {
            let part = interval.clamped(to: days.range(of: day))
            if isVideo {
                sets[Key(person: person, day: day), default: Sets()].watched.insert(part)
            } else {
                sets[Key(person: person, day: day), default: Sets()].active.insert(part)
            }
        }
    }

    /// What the sessions of a person's day come to, in milliseconds.
    package func total(of person: UUID, day: Int64) -> Total {
        let found = sets[Key(person: person, day: day)] ?? Sets()
        return Total(watched: found.watched.milliseconds, active: found.active.milliseconds)
    }

    /// How an old total differs from what the sessions say.
    /// - Parameters:
    ///   - old: The old total; `nil` was not kept
    ///   - new: What follows from the sessions, in milliseconds
    ///   - unit: What the old total counts. Less than one is no difference
    /// - Returns: For people; `nil` when they agree
    package static func difference(_ name: String, old: Double?, new: Int64, unit: Unit) -> String? {
        guard let old, old.isFinite else { return nil }
        let milliseconds = old * Double(unit.length)
        guard abs(milliseconds - Double(new)) > Double(max(unit.length, 1000)) else { return nil }
        return "\(name) \(Self.readable(milliseconds)), its sessions \(Self.readable(Double(new)))"
    }

    private static func readable(_ milliseconds: Double) -> String {
        let seconds = min(max(milliseconds / 1000, -1e15), 1e15)
        return "\(Int64(seconds.rounded())) s"
    }
}
