package import DwellAPI
package import Foundation

/// A value bound to a parameter, or read from a column.
package enum SQLValue: Sendable, Hashable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob(Data)
    /// Arrays, for statements that work on many rows at once; only PostgreSQL has them.
    case integers([Int64?])
    case reals([Double?])
    case texts([String?])
}

/// A Swift type that a column can hold.
package protocol SQLConvertible {
    var sqlValue: SQLValue { get }
    init?(sqlValue: SQLValue)
}

/// A value that is given as it is.
extension SQLValue: SQLConvertible {
    package var sqlValue: SQLValue { self }
    package init?(sqlValue: SQLValue) { self = sqlValue }
}

extension Int64: SQLConvertible {
    package var sqlValue: SQLValue { .integer(self) }
    package init?(sqlValue: SQLValue) {
        guard case .integer(let value) = sqlValue else { return nil }
        self = value
    }
}

extension Int: SQLConvertible {
    package var sqlValue: SQLValue { .integer(Int64(self)) }
    package init?(sqlValue: SQLValue) {
        guard case .integer(let value) = sqlValue else { return nil }
        self.init(exactly: value)
    }
}

extension Double: SQLConvertible {
    package var sqlValue: SQLValue { .real(self) }
    package init?(sqlValue: SQLValue) {
        guard case .real(let value) = sqlValue else { return nil }
        self = value
    }
}

extension Bool: SQLConvertible {
    package var sqlValue: SQLValue { .integer(self ? 1 : 0) }
    package init?(sqlValue: SQLValue) {
        guard case .integer(let value) = sqlValue else { return nil }
        self = value != 0
    }
}

extension String: SQLConvertible {
    /// No database keeps the character 0: what holds one must be found to be nothing, not cut off there.
    package var sqlValue: SQLValue {
        .text(utf8.contains(0) ? replacing("\0", with: "\u{FFFD}") : self)
    }
    package init?(sqlValue: SQLValue) {
        guard case .text(let value) = sqlValue else { return nil }
        self = value
    }
}

extension Data: SQLConvertible {
    package var sqlValue: SQLValue { .blob(self) }
    package init?(sqlValue: SQLValue) {
        guard case .blob(let value) = sqlValue else { return nil }
        self = value
    }
}

/// A UUID is kept as lower-case text, so that a person can read it in either database.
extension UUID: SQLConvertible {
    package var sqlValue: SQLValue { .text(lowercase) }
    package init?(sqlValue: SQLValue) {
        guard case .text(let value) = sqlValue else { return nil }
        self.init(uuidString: value)
    }

    /// The form used in JSON, SQL and tokens.
    package var lowercase: String { uuidString.lowercased() }
}

extension Timestamp: SQLConvertible {
    package var sqlValue: SQLValue { .integer(milliseconds) }
    package init?(sqlValue: SQLValue) {
        guard case .integer(let value) = sqlValue else { return nil }
        self.init(milliseconds: value)
    }
}

extension Optional: SQLConvertible where Wrapped: SQLConvertible {
    package var sqlValue: SQLValue { self?.sqlValue ?? .null }
    package init?(sqlValue: SQLValue) {
        if case .null = sqlValue {
            self = .none
        } else if let value = Wrapped(sqlValue: sqlValue) {
            self = .some(value)
        } else {
            return nil
        }
    }
}

extension SQLConvertible where Self: RawRepresentable, RawValue == String {
    package var sqlValue: SQLValue { .text(rawValue) }
    package init?(sqlValue: SQLValue) {
        guard case .text(let value) = sqlValue else { return nil }
        self.init(rawValue: value)
    }
}

extension Attention: SQLConvertible {}
extension SegmentEnd: SQLConvertible {}
extension ViewerKind: SQLConvertible {}
extension VisitorIdentity: SQLConvertible {}
extension WebhookDeliveryState: SQLConvertible {}
extension WebhookEventType: SQLConvertible {}
