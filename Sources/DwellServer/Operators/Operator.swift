package import DwellAPI
package import Foundation

/// Somebody who may look at the dashboard.
package struct Operator: Sendable, Equatable {
    package let id: UUID
    package let name: String
    package let role: Role
    let passwordHash: String
    package let createdAt: Timestamp

    /// What an operator may see.
    package enum Role: String, Sendable, CaseIterable, SQLConvertible {
        /// Everything.
        case owner
        /// Everything but webhooks, the audit log and the settings.
        case viewer

        package static let expectation = "owner or viewer"
    }

    /// Checks the name of a new operator.
    /// - Returns: The same without surrounding spaces
    /// - Throws: ``InvalidField`` named `name`
    static func checkName(_ text: String) throws(InvalidField) -> String {
        let name = text.trimmingCharacters(in: .whitespacesAndNewlines)
        let isPlain = !name.unicodeScalars.contains { $0.properties.generalCategory == .control }
        guard (1...64).contains(name.count), !name.contains(where: \.isWhitespace), isPlain else {
            throw InvalidField("name", expected: "1 to 64 characters without spaces")
        }
        return name
    }
}

/// Why somebody is not let in to the dashboard.
package enum OperatorError: Error, Equatable {
    /// The code is not the one that the server printed.
    case wrongCode
    /// There is an operator already.
    case alreadySetUp
}
