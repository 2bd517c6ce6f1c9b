package import DwellAPI
package import Foundation

/// A session as an old service kept it: a start, and the last sign of life.
package struct OldSession: Sendable, Equatable {
    /// Whose it is.
    package enum Person: Sendable, Equatable {
        /// A visitor of the gate, by the email in its normal form.
        case guest(String)
        /// An account's viewer; `nil` in a dry run, for an account that would be made.
        case account(Int64?)
    }

    /// Names it in Dwell. Like every name of the server's own it begins with a colon, so its time counts as unproven.
    package let tab: String
    package let person: Person
    package let start: Timestamp
    package let end: Timestamp
    package var video: String?
    package var device: UUID?
}

/// What an old session's times must be like.
package struct OldSessionRules: Sendable {
    /// The longest time that one session can stand for, in milliseconds: cookies of the old gate lived a day.
    package static let longest: Int64 = 86_400_000
    /// How much later than its last sign of life a session may have ended, in milliseconds: both old services were asked
    /// to beat every three minutes.
    package static let unsure: Int64 = 180_000

    private let reader: OldTimeReader
    private let now: Timestamp

    /// - Parameters:
    ///   - reader: Reads the times
    ///   - now: Nothing can be later
    package init(reader: OldTimeReader, now: Timestamp) {
        self.reader = reader
        self.now = now
    }

    /// Times that can be stored, and what had to be changed.
    package struct Times: Sendable, Equatable {
        package let start: Timestamp
        package let end: Timestamp
        package let remark: String?
    }

    /// Why a row is skipped.
    package struct Refusal: Error, Equatable {
        package let reason: String
    }

    /// The times of a session.
    /// - Parameters:
    ///   - start: As it stands in the row
    ///   - end: As it stands in the row; without one the session has no length
    package func times(from start: String?, to end: String?) throws(Refusal) -> Times {
        guard let start = start?.nonEmpty else { throw Refusal(reason: "no start") }
        guard let first = reader.time(start) else { throw Refusal(reason: "the start is no time") }
        guard first <= now else { throw Refusal(reason: "the start is in the future") }
        guard let end = end?.nonEmpty else {
            return Times(start: first, end: first, remark: "no end, imported as a visit without length")
        }
        guard let last = reader.time(end) else { throw Refusal(reason: "the end is no time") }
        guard first <= last else { throw Refusal(reason: "the end is before the start") }
        if last - first > Self.longest {
            return Times(start: first, end: min(first + Self.longest, now), remark: "longer than 24 h, credited 24 h")
        }
        if last > now { return Times(start: first, end: now, remark: "the end is in the future, credited up to now") }
        return Times(start: first, end: last, remark: nil)
    }
}

extension String {
    /// Without the spaces around it; `nil` when nothing is left.
    var nonEmpty: String? {
        let text = trimmingCharacters(in: .whitespacesAndNewlines)
        return text.isEmpty ? nil : text
    }
}
