import Foundation
import Yams

/// A part of a document that is written in YAML and answered as JSON. Objects keep the order in which they were written.
indirect enum DocumentValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case text(String)
    case list([DocumentValue])
    case object([Member])

    struct Member: Sendable, Equatable {
        let name: String
        var value: DocumentValue
    }

    /// Reads documents of YAML, as its core schema has them: `true`, `null` and numbers are that only where they are not
    /// quoted, a time is a text. `<<` takes over what an anchor holds.
    /// - Throws: ``DocumentError``, or what the parser throws
    static func documents(yaml: String) throws -> [DocumentValue] {
        var nodes = try Yams.compose_all(yaml: yaml)
        var values: [DocumentValue] = []
        while let node = nodes.next() { values.append(try Self(node)) }
        if let error = nodes.error { throw error }
        return values
    }

    private init(_ node: Node) throws {
        switch node {
        case .scalar(let scalar): self = scalar.style == .plain ? Self(plain: scalar.string) : .text(scalar.string)
        case .sequence(let sequence): self = .list(try sequence.map { try Self($0) })
        case .mapping(let mapping): self = .object(try Self.members(of: mapping))
        case .alias: throw DocumentError("an alias is of nothing")
        }
    }

    private init(plain text: String) {
        switch text {
        case "", "~", "null": self = .null
        case "true": self = .bool(true)
        case "false": self = .bool(false)
        default: self = Int64(text).map(Self.integer) ?? Double(text).map(Self.number) ?? .text(text)
        }
    }

    private static func members(of mapping: Node.Mapping) throws -> [Member] {
        var members: [Member] = []
        for (key, node) in mapping {
            guard let name = key.scalar?.string else { throw DocumentError("a name is no text") }
            let value = try Self(node)
            if name == "<<", case .object(let shared) = value {
                members += shared.filter { other in !members.contains { $0.name == other.name } }
            } else if let index = members.firstIndex(where: { $0.name == name }) {
                members[index].value = value
            } else {
                members.append(Member(name: name, value: value))
            }
        }
        return members
    }

    /// The members of an object; none of anything else.
    var members: [Member] {
        if case .object(let members) = self { members } else { [] }
    }

    /// The parts of a list; none of anything else.
    var parts: [DocumentValue] {
        if case .list(let parts) = self { parts } else { [] }
    }

    var text: String? {
        if case .text(let text) = self { text } else { nil }
    }

    subscript(name: String) -> DocumentValue? { members.first { $0.name == name }?.value }

    /// Takes in another one: members of objects beside each other, parts of lists behind each other.
    /// - Throws: ``DocumentError`` when both say the same thing
    mutating func merge(_ other: DocumentValue, at path: String = "") throws(DocumentError) {
        switch (self, other) {
        case (.object(var members), .object(let more)):
            for member in more {
                if let index = members.firstIndex(where: { $0.name == member.name }) {
                    try members[index].value.merge(member.value, at: "\(path)/\(member.name)")
                } else {
                    members.append(member)
                }
            }
            self = .object(members)
        case (.list(let parts), .list(let more)): self = .list(parts + more)
        default: throw DocumentError("\(path) is there twice")
        }
    }
}

extension DocumentValue: Encodable {
    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    func encode(to encoder: any Encoder) throws {
        switch self {
        case .object(let members):
            var container = encoder.container(keyedBy: Name.self)
            for member in members { try container.encode(member.value, forKey: Name(stringValue: member.name)) }
        case .list(let parts):
            var container = encoder.unkeyedContainer()
            for part in parts { try container.encode(part) }
        default:
            var container = encoder.singleValueContainer()
            switch self {
            case .bool(let value): try container.encode(value)
            case .integer(let value): try container.encode(value)
            case .number(let value): try container.encode(value)
            case .text(let value): try container.encode(value)
            case .null, .list, .object: try container.encodeNil()
            }
        }
    }
}

/// What is wrong with a document.
struct DocumentError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
