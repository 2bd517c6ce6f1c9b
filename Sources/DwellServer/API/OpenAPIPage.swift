import Foundation

/// The description of every route, for people.
struct OpenAPIPage {
    let title: String
    let version: String
    let about: [[TextPiece]]
    let groups: [Group]
    let schemas: [Schema]

    struct Group {
        let name: String
        let about: [TextPiece]
        let operations: [Operation]
    }

    struct Operation {
        let id: String
        let method: String
        let path: String
        let summary: String
        let about: [[TextPiece]]
        /// What has to come along.
        let needs: String?
        let parameters: [Field]
        let body: [Content]
        let answers: [Answer]
        let example: String
    }

    struct Field {
        let name: String
        /// Where it stands, or whether it has to be there.
        let place: String
        let type: [TypePiece]
        let about: [TextPiece]
    }

    struct Content {
        let type: String
        let schema: [TypePiece]
    }

    struct Answer {
        let status: String
        let about: [TextPiece]
        let contents: [Content]
    }

    struct Schema {
        let name: String
        let about: [[TextPiece]]
        let type: [TypePiece]
        let fields: [Field]
    }

    init(_ document: OpenAPIDocument, address: String) {
        let writer = OpenAPIWriter(document: document, address: address)
        let root = document.root
        title = root["info"]?["title"]?.text ?? ""
        version = root["openapi"]?.text ?? ""
        about = TextPiece.paragraphs(root["info"]?["description"]?.text)
        let operations = document.operations
        groups = (root["tags"]?.parts ?? []).map { tag in
            let name = tag["name"]?.text ?? ""
            return Group(
                name: name, about: TextPiece.pieces(of: tag["description"]?.text),
                operations: operations.filter { $0.value["tags"]?.parts.first?.text == name }.map(writer.operation))
        }
        schemas = (root["components"]?["schemas"]?.members ?? []).map(writer.schema)
    }
}

/// A part of a text, which is code or not.
struct TextPiece {
    let text: String
    let isCode: Bool

    /// The parts of a text in which code stands between backticks.
    static func pieces(of text: String?) -> [TextPiece] {
        (text ?? "").split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .map { TextPiece(text: String($0.element), isCode: $0.offset % 2 == 1) }
    }

    static func paragraphs(_ text: String?) -> [[TextPiece]] {
        (text ?? "").split(separator: "\n\n").map { pieces(of: $0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }
}

/// A part of what a value may be: words, or the name of a schema that is described elsewhere on the page.
struct TypePiece {
    let text: String
    let link: String?

    init(_ text: String, link: String? = nil) {
        self.text = text
        self.link = link
    }
}
