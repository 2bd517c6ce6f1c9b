package import DwellAPI
package import Foundation

/// What a key lets a program do. A word never changes its meaning.
package enum APIScope: String, Sendable, CaseIterable {
    /// Read all figures.
    case read
    /// Read the audit log, the settings, and who the operators and the keys are.
    case audit
    /// Change things.
    case manage

    package static let expectation = "read, audit or manage"
}

/// A key that lets a program in, without the key itself.
package struct APIKey: Sendable, Equatable {
    package let id: UUID
    /// Tells it from the others, also in the audit log.
    package let name: String
    package let scopes: Set<APIScope>
    package let createdAt: Timestamp
    /// When it was used last, to a minute; `nil` when it never was.
    package let lastUsedAt: Timestamp?

    /// The scopes, in their order.
    package var scopeNames: [String] { Self.names(of: scopes) }

    /// The scopes as the store keeps them.
    static func text(of scopes: Set<APIScope>) -> String { names(of: scopes).joined(separator: " ") }

    static func scopes(in text: String) -> Set<APIScope> {
        Set(text.split(separator: " ").compactMap { APIScope(rawValue: String($0)) })
    }

    private static func names(of scopes: Set<APIScope>) -> [String] {
        APIScope.allCases.filter(scopes.contains).map(\.rawValue)
    }

    /// Checks the name of a new key.
    /// - Returns: The same without surrounding spaces
    /// - Throws: ``InvalidField`` named `name`
    static func checkName(_ text: String) throws(InvalidField) -> String {
        let name = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard (1...100).contains(name.count) else { throw InvalidField("name", expected: "1 to 100 characters") }
        return name
    }
}

/// A key that lets programs in is none.
struct KeyError: Error {}

/// A key is good, and not for this.
struct ScopeError: Error {
    /// The scope that it lacks.
    let needed: APIScope
}

/// A key has made as many requests as it may.
struct QuotaError: Error {
    /// When to come back, in seconds.
    let seconds: Int64
}
