import Foundation
import WebAssets

/// What a new password must be like: long enough, and not among those that are guessed first. What it is made of is left
/// to its owner.
package enum PasswordRules {
    private static let common = Set(WebAsset.commonPasswords.text.split(separator: "\n"))

    /// Checks a new password.
    /// - Parameters:
    ///   - password: What the person typed
    ///   - field: What the request calls it
    /// - Throws: ``InvalidField`` of that name
    package static func check(_ password: String, as field: String) throws(InvalidField) {
        guard (8...1024).contains(password.count) else {
            throw InvalidField(field, expected: "8 to 1024 characters")
        }
        guard !common.contains(password.lowercased()[...]) else {
            throw InvalidField(field, expected: "none of the 3,000 that are guessed first")
        }
    }
}
