import DwellAPI
import Foundation
import Yams

/// Reads the list of gates in a configuration file.
struct GateSettings {
    /// The list's name in the file.
    static let name = "gates"

    /// The list.
    let node: Node
    /// The file's path.
    let file: String

    /// What of the site has pages of Dwell's own.
    private static let ownFolders = ["api", "gate"]

    private enum Key: String, CaseIterable {
        case name, paths, level, allow, deny, pass, closes, sites
    }

    /// The rules of every gate: those of the file, and the standard one if it does not name it.
    /// - Parameter days: Tells when a day begins on which a gate closes
    /// - Throws: ``InvalidField`` that names the key
    func rules(days: LocalDays) throws -> [GateRules] {
        guard let list = node.sequence else {
            throw InvalidField("\(Self.name) in \(file)", expected: "a list of gates, each with a name")
        }
        let gates = try list.enumerated().map { try Reader(node: $1, index: $0, file: file).rules(days: days) }
        for (index, gate) in gates.enumerated() where gates[..<index].contains(where: { $0.name == gate.name }) {
            throw InvalidField(
                "gates[\(index)].name in \(file)", expected: "another name than \(gate.name): it is taken")
        }
        let hasStandard = gates.contains { $0.name == GateRules.standardName }
        return hasStandard ? gates : [.standard] + gates
    }

    /// Reads one gate.
    private struct Reader {
        let values: [Key: Node]
        let index: Int
        let file: String

        init(node: Node, index: Int, file: String) throws(InvalidField) {
            guard let mapping = node.mapping else {
                throw InvalidField("gates[\(index)] in \(file)", expected: "a gate such as `name: clients`")
            }
            var values: [Key: Node] = [:]
            for (name, value) in mapping {
                guard let key = name.string.flatMap(Key.init(rawValue:)) else {
                    let known = Key.allCases.map(\.rawValue).joined(separator: ", ")
                    throw InvalidField(
                        "gates[\(index)].\(name.string ?? "a key") in \(file)", expected: "one of \(known)")
                }
                values[key] = value
            }
            self.values = values
            self.index = index
            self.file = file
        }

        func rules(days: LocalDays) throws(InvalidField) -> GateRules {
            guard let name = try text(.name, { $0.wholeMatch(of: /[a-z0-9-]{1,32}/) != nil ? $0 : nil }, Self.nameForm)
            else { throw refusal(.name, Self.nameForm) }
            let isStandard = name == GateRules.standardName
            let paths = try texts(.paths, Self.path, "folders of the site such as /clients/, but not all of it")
            var rules = GateRules(name: name, paths: paths ?? (isStandard ? GateRules.standard.paths : []))
            rules.level =
                try text(
                    .level, GateRules.Level.init(rawValue:),
                    GateRules.Level.allCases.map(\.rawValue).joined(separator: " or ")) ?? rules.level
            rules.allow = try addresses(.allow)
            rules.deny = try addresses(.deny)
            rules.passLifetime =
                try text(.pass, Self.lifetime, "a whole number of s, m, h or d, such as 7d, up to 400d")
                ?? rules.passLifetime
            rules.closesAt = try text(
                .closes, { try? days.time($0, field: "") },
                "a date such as 2026-11-21, or a time such as 2026-11-21T18:00:00Z")
            rules.sites =
                try texts(.sites, Self.site, "origins such as https://wiki.example")
                ?? []
            return rules
        }

        private static let nameForm = "1 to 32 letters a to z, digits and hyphens"

        /// As long as browsers keep a cookie.
        private static func lifetime(_ text: String) -> Int64? {
            DeviceSettings.milliseconds(text).flatMap { $0 <= Int64(CookieMaker.longest) * 1000 ? $0 : nil }
        }

        private static func site(_ text: String) -> String? {
            ServerConfiguration.origins(text).flatMap { $0.count == 1 ? $0.first : nil }
        }

        private static func path(_ text: String) -> String? {
            let parts = Site.parts(of: text)
            guard let first = parts.first, !ownFolders.contains(first), !parts.contains(".."),
                let path = try? LocalPath.check(text), !path.contains(where: "?#%".contains)
            else { return nil }
            return path.hasSuffix("/") ? path : path + "/"
        }

        private func addresses(_ key: Key) throws(InvalidField) -> AddressList {
            let form = "email addresses, and domains such as example.com"
            let list = try texts(key, { (try? AddressList([$0])) == nil ? nil : $0 }, form) ?? []
            return try AddressList(list)
        }

        private func text<Value>(
            _ key: Key, _ parse: (String) -> Value?, _ expected: String
        ) throws(InvalidField) -> Value? {
            guard let node = values[key] else { return nil }
            guard let text = node.scalar?.string else { throw refusal(key, expected) }
            guard let value = parse(text) else { throw refusal(key, expected, not: text) }
            return value
        }

        private func texts<Value>(
            _ key: Key, _ parse: (String) -> Value?, _ expected: String
        ) throws(InvalidField) -> [Value]? {
            guard let node = values[key] else { return nil }
            guard let list = node.sequence, !list.isEmpty else { throw refusal(key, "a list of \(expected)") }
            var found: [Value] = []
            for item in list {
                guard let text = item.scalar?.string, let value = parse(text) else {
                    throw refusal(key, "a list of \(expected)", not: item.scalar?.string)
                }
                found.append(value)
            }
            return found
        }

        private func refusal(_ key: Key, _ expected: String, not text: String? = nil) -> InvalidField {
            InvalidField(
                "gates[\(index)].\(key.rawValue) in \(file)", expected: expected + (text.map { ", not \($0)" } ?? ""))
        }
    }
}
