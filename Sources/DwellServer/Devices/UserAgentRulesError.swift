/// Why uap-core's rules can't be used.
package enum UserAgentRulesError: Error, Sendable, Equatable {
    /// The file is not YAML, or not lists of entries.
    case invalidFile(String)
    /// The file lacks a list.
    case missingList(String)
    /// An entry of a list has no `regex`.
    case missingPattern(list: String)
    /// An entry's `regex` is not a regular expression.
    case invalidPattern(String)
}

extension UserAgentRulesError: CustomStringConvertible {
    /// The cause, for the log.
    package var description: String {
        switch self {
        case .invalidFile(let cause): "uap-core's regexes.yaml can't be read: \(cause)"
        case .missingList(let list): "uap-core's regexes.yaml has no list \(list)"
        case .missingPattern(let list): "uap-core's regexes.yaml has an entry without a regex in \(list)"
        case .invalidPattern(let pattern): "uap-core's regexes.yaml has an invalid regex: \(pattern)"
        }
    }
}
