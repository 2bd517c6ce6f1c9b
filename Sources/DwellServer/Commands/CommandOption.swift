/// Options that set something, or with the word `default` leave it to what holds otherwise.
enum CommandOption {
    private static let standard = "default"

    /// - Parameters:
    ///   - expected: The beginning of the sentence "…, or default"
    ///   - parse: `nil` refuses the text
    /// - Returns: `nil` when the option was not given, and in it `nil` for the default
    static func value<Value>(
        _ text: String?, _ option: String, expected: String, _ parse: (String) -> Value?
    ) throws -> Value?? {
        guard let text else { return nil }
        guard text != standard else { return .some(nil) }
        guard let value = parse(text) else {
            throw InvalidField(option, expected: "\(expected), or \(standard), not \(text)")
        }
        return value
    }
}
