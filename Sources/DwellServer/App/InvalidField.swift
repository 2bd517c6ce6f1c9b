/// One field of a request, or one setting, that is not as it must be.
package struct InvalidField: Error, Equatable, CustomStringConvertible {
    /// The field's path, such as `email` or `segments[3].to`.
    package let field: String
    /// What was expected, as the end of the sentence "… must be".
    package let expected: String

    /// A refusal.
    /// - Parameters:
    ///   - field: The field's path
    ///   - expected: What was expected
    package init(_ field: String, expected: String) {
        self.field = field
        self.expected = expected
    }

    /// The sentence for people.
    package var description: String { "\(field) must be \(expected)" }
}
