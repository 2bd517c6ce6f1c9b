import Foundation
import Synchronization

/// One entry of a list in uap-core's `regexes.yaml`: a pattern, and how a match of it becomes values.
final class UserAgentRule: Sendable {
    /// How one value is made from a match.
    struct Field: Sendable {
        /// A text with `$1` to `$9` for the captured groups; nil to take ``group`` as it is.
        let replacement: String?
        /// The group that holds the value when there is no replacement, counted from 1; nil when there is no such
        /// group.
        let group: Int?
    }

    /// One value of a match.
    struct Value {
        /// The value without white space around it; nil when it is empty.
        let text: String?
        /// Where the value begins in the User-Agent; nil when it was made from a replacement.
        let start: String.Index?
    }

    private let pattern: String
    private let ignoresCase: Bool
    private let fields: [Field]
    private let compiled = Mutex<NSRegularExpression?>(nil)

    /// A rule that is compiled when first asked for.
    /// - Parameters:
    ///   - pattern: The entry's `regex`
    ///   - ignoresCase: Whether the entry's `regex_flag` is `i`
    ///   - fields: The values that a match gives, in the order in which they are wanted
    init(pattern: String, ignoresCase: Bool, fields: [Field]) {
        self.pattern = pattern
        self.ignoresCase = ignoresCase
        self.fields = fields
    }

    /// The values of the first match.
    /// - Parameters:
    ///   - userAgent: The text to search
    ///   - range: All of that text, in UTF-16 units: counted once for the many rules that are tried
    /// - Returns: One value for each field, or nil when the rule does not match
    func values(in userAgent: String, _ range: NSRange) -> [Value]? {
        // A pattern that does not compile matches nothing. UserAgentRules.compileAll() is there to report it.
        guard let match = try? expression().firstMatch(in: userAgent, range: range) else { return nil }
        let groups = (0..<match.numberOfRanges).map { Range(match.range(at: $0), in: userAgent) }
        return fields.map { Self.value(of: $0, groups, in: userAgent) }
    }

    /// The compiled pattern: compiled at the first call, kept for the next ones.
    /// - Throws: ``UserAgentRulesError`` when the pattern is not a regular expression
    func expression() throws(UserAgentRulesError) -> NSRegularExpression {
        try compiled.withLock { compiled throws(UserAgentRulesError) in
            if let compiled { return compiled }
            do {
                let options: NSRegularExpression.Options = ignoresCase ? [.caseInsensitive] : []
                let expression = try NSRegularExpression(pattern: pattern, options: options)
                compiled = expression
                return expression
            } catch {
                throw .invalidPattern(pattern)
            }
        }
    }

    private static func value(of field: Field, _ groups: [Range<String.Index>?], in text: String) -> Value {
        guard let replacement = field.replacement else {
            guard let group = field.group, group < groups.count, let range = groups[group] else {
                return Value(text: nil, start: nil)
            }
            return Value(text: trimmed(text[range]), start: range.lowerBound)
        }
        let filled = replacement.replacing(/\$([1-9])/) { placeholder in
            guard let group = Int(placeholder.1), group < groups.count, let range = groups[group] else { return "" }
            return String(text[range])
        }
        return Value(text: trimmed(filled), start: nil)
    }

    private static func trimmed(_ text: some StringProtocol) -> String? {
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        return trimmed.isEmpty ? nil : trimmed
    }
}
