package import DwellAPI
package import Foundation

/// Reads times as other programs wrote them: ISO 8601 or PostgreSQL's form, with a zone or without.
package struct OldTimeReader: Sendable {
    /// The zone of times that name none.
    private let zone: TimeZone

    /// - Parameter zone: The zone of times that name none
    package init(zone: TimeZone) {
        self.zone = zone
    }

    /// A point in time.
    /// - Parameter text: Such as `2024-05-01T10:00:00Z`, `2024-05-01 10:00:00.123+00` or `2024-05-01 10:00`; `nil`
    ///   comes back for anything else, and for days and hours that there are not
    package func time(_ text: String) -> Timestamp? {
        var scanner = Scanner(text)
        guard let date = scanner.date(), scanner.skip(" ") || scanner.skip("T"), let clock = scanner.clock() else {
            return nil
        }
        _ = scanner.skip(" ")
        let offset = scanner.offset()
        guard scanner.isAtEnd, let local = Self.milliseconds(date, clock) else { return nil }
        return Timestamp(milliseconds: local - (offset ?? self.offset(local: local)) * 1000)
    }

    /// A day, of which anything may follow.
    /// - Parameter text: Such as `2024-05-01` or `2024-05-01 00:00:00`
    package static func day(_ text: String) -> Int64? {
        LocalDays.day(ofDate: String(text.prefix(10)))
    }

    /// The zone's distance from UTC, in seconds, at a local time. Of a time that comes twice the first is meant; one
    /// that is skipped is as long after the skip as it would have been.
    private func offset(local: Int64) -> Int64 {
        let asIfUTC = Date(timeIntervalSince1970: Double(local) / 1000)
        let guess = zone.secondsFromGMT(for: asIfUTC - Double(zone.secondsFromGMT(for: asIfUTC)))
        let before = zone.secondsFromGMT(for: asIfUTC - Double(guess) - 7200)
        let isFirst = zone.secondsFromGMT(for: asIfUTC - Double(before)) == before
        return Int64(isFirst ? before : guess)
    }

    private static func milliseconds(
        _ date: (year: Int64, month: Int64, day: Int64), _ clock: (hour: Int64, minute: Int64, millisecond: Int64)
    ) -> Int64? {
        guard let midnight = LocalDays.day(ofDate: Self.dateText(date)), clock.hour < 24, clock.minute < 60,
            clock.millisecond < 60_000
        else { return nil }
        return midnight * 86_400_000 + (clock.hour * 60 + clock.minute) * 60_000 + clock.millisecond
    }

    private static func dateText(_ date: (year: Int64, month: Int64, day: Int64)) -> String {
        "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

/// Reads a time's parts from left to right.
private struct Scanner {
    private let bytes: [UInt8]
    private var place = 0

    init(_ text: String) {
        bytes = Array(text.trimmingCharacters(in: .whitespacesAndNewlines).utf8)
    }

    var isAtEnd: Bool { place == bytes.count }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard place < bytes.count, bytes[place] == UInt8(ascii: character) else { return false }
        place += 1
        return true
    }

    mutating func date() -> (year: Int64, month: Int64, day: Int64)? {
        guard let year = number(digits: 4), skip("-"), let month = number(digits: 2), skip("-"),
            let day = number(digits: 2)
        else { return nil }
        return (year, month, day)
    }

    /// Seconds, and their fraction, may be missing. What is finer than a millisecond is cut off.
    mutating func clock() -> (hour: Int64, minute: Int64, millisecond: Int64)? {
        guard let hour = number(digits: 2), skip(":"), let minute = number(digits: 2) else { return nil }
        guard skip(":") else { return (hour, minute, 0) }
        guard let second = number(digits: 2) else { return nil }
        guard skip(".") || skip(",") else { return (hour, minute, second * 1000) }
        let digits = bytes[place...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard !digits.isEmpty else { return nil }
        place += digits.count
        let fraction = (Array(digits) + [UInt8](repeating: UInt8(ascii: "0"), count: 3)).prefix(3)
        return (hour, minute, second * 1000 + fraction.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) })
    }

    /// The distance from UTC in seconds: `Z`, `+02`, `+0530` or `-08:00`; `nil` when there is none.
    mutating func offset() -> Int64? {
        if skip("Z") || skip("z") { return 0 }
        let start = place
        let sign: Int64
        if skip("+") { sign = 1 } else if skip("-") { sign = -1 } else { return nil }
        guard let hours = number(digits: 2), hours < 24 else {
            place = start
            return nil
        }
        let hasColon = skip(":")
        guard let minutes = number(digits: 2) ?? (hasColon ? nil : 0), minutes < 60 else {
            place = start
            return nil
        }
        return sign * (hours * 60 + minutes) * 60
    }

    private mutating func number(digits count: Int) -> Int64? {
        guard place + count <= bytes.count else { return nil }
        var value: Int64 = 0
        for byte in bytes[place..<place + count] {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        place += count
        return value
    }
}
