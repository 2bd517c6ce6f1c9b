/// Makes a text that came from outside fit to be shown.
enum DisplayText {
    /// The text without angle brackets and without characters that can't be seen (control and format characters, among
    /// them those that turn the direction of writing), each run of white space made one space.
    /// - Parameter text: Any text
    /// - Returns: What remains, or nil when nothing does
    static func clean(_ text: String?) -> String? {
        guard let text else { return nil }
        let words = text.unicodeScalars.split { $0.properties.isWhitespace }
            .map { word in String(String.UnicodeScalarView(word.filter(isVisible))) }
            .filter { !$0.isEmpty }
        return words.isEmpty ? nil : words.joined(separator: " ")
    }

    /// The text's beginning. It is cut by Unicode scalars, not by characters, of which one can be arbitrarily long.
    /// - Parameters:
    ///   - text: Any text
    ///   - limit: How many scalars may remain
    static func cut(_ text: String, to limit: Int) -> String {
        String(text.unicodeScalars.prefix(limit))
    }

    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        default: scalar != "<" && scalar != ">"
        }
    }
}
