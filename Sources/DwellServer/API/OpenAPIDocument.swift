import Foundation
import WebAssets

/// The description of every route, for programs: OpenAPI 3.1, put together of one file a concept.
struct OpenAPIDocument: Sendable {
    let root: DocumentValue

    /// What is written about a route's method.
    struct Operation {
        let path: String
        /// In lower case.
        let method: String
        let value: DocumentValue
    }

    /// Puts the parts together.
    /// - Parameter yaml: Documents, each with some of the members of an OpenAPI document
    /// - Throws: ``DocumentError``, or what the parser throws
    init(yaml: String) throws {
        var root = DocumentValue.object([])
        for value in try DocumentValue.documents(yaml: yaml) {
            // What begins with `x-` is there to be taken over within its file.
            try root.merge(.object(value.members.filter { !$0.name.hasPrefix("x-") }))
        }
        self.root = root
    }

    /// The one that is part of the program.
    static let own = Result { try OpenAPIDocument(yaml: WebAsset.openAPI.text) }

    private static let methods: Set = ["get", "post", "put", "patch", "delete"]

    /// Every operation, in the order in which they were written.
    var operations: [Operation] {
        (root["paths"]?.members ?? []).flatMap { path in
            path.value.members.filter { Self.methods.contains($0.name) }
                .map { Operation(path: path.name, method: $0.name, value: $0.value) }
        }
    }

    /// What is written where a reference leads, and the last part of its path; a value that is no reference is itself.
    func resolve(_ value: DocumentValue) -> (value: DocumentValue, name: String?) {
        guard let reference = value["$ref"]?.text, reference.hasPrefix("#/") else { return (value, nil) }
        let names = reference.dropFirst(2).split(separator: "/").map(String.init)
        let found = names.reduce(root as DocumentValue?) { $0?[$1] }
        return (found ?? value, names.last)
    }
}
