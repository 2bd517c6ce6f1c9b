public import Foundation

/// A point in time: whole milliseconds since 1970-01-01T00:00:00Z.
///
/// On the wire it is ISO 8601 in UTC with milliseconds, such as `2026-11-21T07:30:00.000Z`.
public struct Timestamp: Sendable, Hashable, Comparable {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    public let milliseconds: Int64

    /// A point in time.
    /// - Parameter milliseconds: Milliseconds since 1970-01-01T00:00:00Z
    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// The millisecond that a date falls in.
    /// - Parameter date: Any date
    public init(_ date: Date) {
        self.milliseconds = Int64((date.timeIntervalSince1970 * 1000).rounded(.down))
    }

    /// The same point as a Foundation date.
    public var date: Date { Date(timeIntervalSince1970: Double(milliseconds) / 1000) }

    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.milliseconds < right.milliseconds
    }

    /// The point `milliseconds` later; negative values go back.
    public static func + (time: Timestamp, milliseconds: Int64) -> Timestamp {
        Timestamp(milliseconds: time.milliseconds + milliseconds)
    }

    /// The point `milliseconds` earlier.
    public static func - (time: Timestamp, milliseconds: Int64) -> Timestamp {
        Timestamp(milliseconds: time.milliseconds - milliseconds)
    }

    /// The milliseconds from `right` to `left`.
    public static func - (left: Timestamp, right: Timestamp) -> Int64 {
        left.milliseconds - right.milliseconds
    }
}

extension Timestamp: Codable, CustomStringConvertible {
    private static let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    /// ISO 8601 in UTC with milliseconds.
    public var description: String {
        // Half a millisecond up: a binary fraction just below the millisecond must not print as the one before.
        (date + 0.0005).formatted(Timestamp.format)
    }

    /// A point in time from ISO 8601 text, with or without a fraction of a second.
    /// - Parameter text: Such as `2026-11-21T07:30:00Z`; `nil` comes back for anything else
    public init?(_ text: String) {
        guard Self.isOnTheCalendar(text),
            let date = (try? Timestamp.format.parse(text)) ?? (try? Date.ISO8601FormatStyle().parse(text))
        else { return nil }
        self.init(milliseconds: Int64((date.timeIntervalSince1970 * 1000).rounded()))
    }

    /// Foundation's parser takes the 30th of February for a day in March, and 25 o'clock for the next day.
    private static func isOnTheCalendar(_ text: String) -> Bool {
        let date = text.prefix(10)
        let clock = text.dropFirst(11).prefix(8).split(separator: ":").compactMap { Int($0) }
        guard clock.count == 3, clock[0] < 24, clock[1] < 60, clock[2] < 60,
            let midnight = try? Date.ISO8601FormatStyle().parse("\(date)T00:00:00Z")
        else { return false }
        return midnight.formatted(.iso8601).hasPrefix(date)
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let time = Timestamp(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "an ISO 8601 time")
        }
        self = time
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
