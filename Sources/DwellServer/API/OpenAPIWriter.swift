import Foundation
import NIOCore

/// Says what an OpenAPI document says, for people.
struct OpenAPIWriter {
    let document: OpenAPIDocument
    /// How people reach the server.
    let address: String

    func operation(_ operation: OpenAPIDocument.Operation) -> OpenAPIPage.Operation {
        let value = operation.value
        let parameters = (value["parameters"]?.parts ?? []).map { document.resolve($0).value }
        return OpenAPIPage.Operation(
            id: value["operationId"]?.text ?? "", method: operation.method.uppercased(), path: operation.path,
            summary: value["summary"]?.text ?? "", about: TextPiece.paragraphs(value["description"]?.text),
            needs: needs(value), parameters: parameters.map(parameter),
            body: contents(value["requestBody"].map { document.resolve($0).value }),
            answers: (value["responses"]?.members ?? []).sorted { $0.name < $1.name }.map { member in
                let answer = document.resolve(member.value).value
                return OpenAPIPage.Answer(
                    status: member.name, about: TextPiece.pieces(of: answer["description"]?.text),
                    contents: contents(answer))
            }, example: example(operation))
    }

    func schema(_ member: DocumentValue.Member) -> OpenAPIPage.Schema {
        let required = Set((member.value["required"]?.parts ?? []).compactMap(\.text))
        return OpenAPIPage.Schema(
            name: member.name, about: TextPiece.paragraphs(member.value["description"]?.text),
            type: type(of: member.value),
            fields: (member.value["properties"]?.members ?? []).map { field in
                OpenAPIPage.Field(
                    name: field.name, place: required.contains(field.name) ? "" : "may be absent",
                    type: type(of: field.value), about: TextPiece.pieces(of: field.value["description"]?.text))
            })
    }

    private func parameter(_ value: DocumentValue) -> OpenAPIPage.Field {
        OpenAPIPage.Field(
            name: value["name"]?.text ?? "", place: value["in"]?.text ?? "",
            type: value["schema"].map { type(of: $0) } ?? [],
            about: TextPiece.pieces(of: value["description"]?.text))
    }

    private func contents(_ value: DocumentValue?) -> [OpenAPIPage.Content] {
        (value?["content"]?.members ?? []).map { content in
            OpenAPIPage.Content(
                type: content.name, schema: content.value["schema"].map { type(of: $0) } ?? [])
        }
    }

    /// What has to come along.
    private func needs(_ value: DocumentValue) -> String? {
        let ways = (value["security"]?.parts ?? []).compactMap(\.members.first).map { way in
            let scopes = way.value.parts.compactMap(\.text)
            return way.name == "key"
                ? "A key with the scope \(scopes.joined(separator: ", "))" : "The cookie \(way.name)"
        }
        return ways.isEmpty ? nil : ways.joined(separator: ", or ")
    }

    /// What a value may be, in words.
    private func type(of value: DocumentValue) -> [TypePiece] {
        if let name = document.resolve(value).name { return [TypePiece(name, link: name)] }
        if let choices = value["oneOf"]?.parts ?? value["anyOf"]?.parts {
            return Array(choices.map { type(of: $0) }.joined(separator: [TypePiece(" or ")]))
        }
        if let constant = value["const"]?.shown { return [TypePiece(constant)] }
        if let choices = value["enum"]?.parts {
            return [TypePiece(choices.compactMap(\.shown).joined(separator: ", "))]
        }
        let names = value["type"].map { $0.text.map { [$0] } ?? $0.parts.compactMap(\.text) } ?? []
        let words = names.joined(separator: " or ")
        if let items = value["items"] { return [TypePiece("\(words) of ")] + type(of: items) }
        return [TypePiece(([words] + limits(of: value)).filter { !$0.isEmpty }.joined(separator: ", "))]
    }

    private func limits(of value: DocumentValue) -> [String] {
        let words = [
            ("minimum", "at least "), ("exclusiveMinimum", "above "), ("maximum", "at most "),
            ("minLength", "at least this many characters: "), ("maxLength", "at most this many characters: "),
            ("pattern", "like "), ("format", ""), ("default", "default "),
        ]
        return words.compactMap { name, word in value[name]?.shown.map { word + $0 } }
    }

    private func example(_ operation: OpenAPIDocument.Operation) -> String {
        var parts = ["curl"]
        if operation.method != "get" { parts.append("-X \(operation.method.uppercased())") }
        if operation.value["security"]?.parts.first?["key"] != nil {
            parts.append("-H \"Authorization: Bearer $KEY\"")
        }
        let body = operation.value["requestBody"].map { document.resolve($0).value }
        if let example = body?["content"]?["application/json"]?["example"],
            let data = try? JSONBody.encode(example)
        {
            parts.append("--json '\(String(buffer: data))'")
        }
        return (parts + ["\(address)\(operation.path)"]).joined(separator: " ")
    }
}

extension DocumentValue {
    /// A single value, as it is shown.
    fileprivate var shown: String? {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .text(let value): value
        case .list, .object: nil
        }
    }
}
