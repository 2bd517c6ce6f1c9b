import Foundation
import Synchronization
import Yams

/// uap-core's rules: reads `regexes.yaml` and says what a User-Agent stands for, as uap-core's `docs/specification.md`
/// demands of a parser. One instance serves all threads: the rules do not change, the cache is behind a lock.
package final class UserAgentRules: Sendable {
    /// How many bytes of a User-Agent are looked at. Some patterns take time that grows faster than the text.
    package static let lengthLimit = 1024
    /// How many User-Agents the cache remembers: a few megabytes at most, given the length limit.
    static let cacheLimit = 1000

    private let browserRules: [UserAgentRule]
    private let systemRules: [UserAgentRule]
    private let deviceRules: [UserAgentRule]
    private let cache = Mutex(BoundedCache<String, UserAgentMatch>(capacity: cacheLimit))

    /// Reads rules. Patterns are compiled when they are first needed; see ``compileAll()``.
    /// - Parameter yaml: The text of `regexes.yaml`
    /// - Throws: ``UserAgentRulesError`` when the rules are not as uap-core's specification describes them
    package init(yaml: String) throws(UserAgentRulesError) {
        let lists: [String: [[String: String?]]]
        do {
            lists = try YAMLDecoder().decode([String: [[String: String?]]].self, from: yaml)
        } catch {
            throw .invalidFile(String(describing: error))
        }
        browserRules = try Self.rules(.browsers, from: lists)
        systemRules = try Self.rules(.systems, from: lists)
        deviceRules = try Self.rules(.devices, from: lists)
    }

    /// Compiles every pattern now, so that no request has to wait for it and a faulty one is noticed.
    /// - Throws: ``UserAgentRulesError/invalidPattern(_:)`` for the first pattern that is not a regular expression
    package func compileAll() throws(UserAgentRulesError) {
        for rule in browserRules { _ = try rule.expression() }
        for rule in systemRules { _ = try rule.expression() }
        for rule in deviceRules { _ = try rule.expression() }
    }

    /// What a User-Agent stands for, from the cache when it was asked for before. Two threads that ask for the same new
    /// User-Agent at once both work it out: that costs less than a lock held while the rules are tried.
    /// - Parameter userAgent: The header's value; only its first ``lengthLimit`` bytes count
    package func match(_ userAgent: String) -> UserAgentMatch {
        let userAgent = userAgent.cut(toBytes: Self.lengthLimit)
        if let known = cache.withLock({ $0[userAgent] }) { return known }
        let match = UserAgentMatch(
            browser: browser(in: userAgent), system: system(in: userAgent), device: device(in: userAgent))
        cache.withLock { $0.insert(match, for: userAgent) }
        return match
    }

    /// The browser of a User-Agent, past the cache.
    /// - Parameter userAgent: The header's value, whole
    package func browser(in userAgent: String) -> UserAgentMatch.Product {
        product(in: userAgent, browserRules)
    }

    /// The operating system of a User-Agent, past the cache.
    /// - Parameter userAgent: The header's value, whole
    package func system(in userAgent: String) -> UserAgentMatch.Product {
        product(in: userAgent, systemRules)
    }

    /// The device of a User-Agent, past the cache.
    /// - Parameter userAgent: The header's value, whole
    package func device(in userAgent: String) -> UserAgentMatch.Device {
        guard let values = firstMatch(in: userAgent, deviceRules), let family = values[0].text else {
            return UserAgentMatch.Device(family: UserAgentMatch.unknownFamily, brand: nil, model: nil)
        }
        return UserAgentMatch.Device(family: family, brand: values[1].text, model: values[2].text)
    }

    private func product(in userAgent: String, _ rules: [UserAgentRule]) -> UserAgentMatch.Product {
        guard let values = firstMatch(in: userAgent, rules), let family = values[0].text else {
            return UserAgentMatch.Product(family: UserAgentMatch.unknownFamily, parts: [], version: nil)
        }
        let parts = values.dropFirst().map(\.text)
        let version = Self.version(parts, spelledAt: values[1].start, in: userAgent)
        return UserAgentMatch.Product(family: family, parts: parts, version: version)
    }

    private func firstMatch(in userAgent: String, _ rules: [UserAgentRule]) -> [UserAgentRule.Value]? {
        let range = NSRange(location: 0, length: userAgent.utf16.count)
        for rule in rules {
            if let values = rule.values(in: userAgent, range) { return values }
        }
        return nil
    }

    /// The whole version. uap-core's rules know three parts, a User-Agent may have more (`112.0.0.0`): where a rule
    /// took the major version from the User-Agent itself, the dotted number that begins there is read to its end. That
    /// text counts only when it continues the rule's own parts; a rule may as well have replaced them.
    private static func version(_ parts: [String?], spelledAt start: String.Index?, in userAgent: String) -> String? {
        let known = parts.prefix { $0 != nil }.compactMap(\.self).joined(separator: ".")
        guard !known.isEmpty else { return nil }
        guard let start else { return known }
        let spelled = userAgent[start...].prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let numbers = spelled.split(separator: ".").joined(separator: ".")
        return spelled.hasPrefix(numbers) && numbers.hasPrefix(known + ".") ? numbers : known
    }

    private static func rules(
        _ list: UserAgentRuleList, from lists: [String: [[String: String?]]]
    ) throws(UserAgentRulesError) -> [UserAgentRule] {
        guard let entries = lists[list.rawValue] else { throw .missingList(list.rawValue) }
        var rules: [UserAgentRule] = []
        rules.reserveCapacity(entries.count)
        for entry in entries {
            guard case let pattern?? = entry["regex"] else { throw .missingPattern(list: list.rawValue) }
            let fields = list.fields.map { field in
                UserAgentRule.Field(replacement: entry[field.replacementKey] ?? nil, group: field.group)
            }
            let ignoresCase = entry["regex_flag"] == "i"
            rules.append(UserAgentRule(pattern: pattern, ignoresCase: ignoresCase, fields: fields))
        }
        return rules
    }
}

extension String {
    /// The text's first bytes. A scalar that the cut would go through is left out: slicing a string rounds down.
    /// - Parameter limit: How many bytes of UTF-8 may remain
    fileprivate func cut(toBytes limit: Int) -> String {
        guard let end = utf8.index(startIndex, offsetBy: limit, limitedBy: endIndex) else { return self }
        return String(self[..<end])
    }
}
