import Foundation
import Testing

@testable import DwellAPI
@testable import DwellServer

@Suite struct OpenAPITests {
    private let document: OpenAPIDocument

    init() throws {
        document = try OpenAPIDocument.own.get()
    }

    @Test func `every route is described, and every description is of a route`() async throws {
        let store = try await TestStore()
        let secret = SecretKey(Data(repeating: 7, count: 32))
        let configuration = ServerConfiguration(store: StoreConfiguration(location: .sqlite("none")), secretKey: secret)
        var routes: Set<String> = []
        _ = try await buildApplication(
            configuration, database: store.database, clock: store.clock.clock, logger: TestStore.silent,
            onRoutes: { found in
                routes = Set(found.filter { $0.method != "HEAD" }.map { "\($0.method) \($0.path)" })
            })
        #expect(routes.count > 60)
        // The dashboard's pages and the files that are part of the program are for browsers.
        let described = routes.filter { route in
            let path = route.split(separator: " ")[1]
            return !path.hasPrefix("/dashboard") && !path.hasPrefix("/dwell")
        }
        #expect(Set(document.operations.map { "\($0.method.uppercased()) \($0.path)" }) == described)
    }

    @Test func `every reference leads somewhere`() {
        func check(_ value: DocumentValue) {
            if let reference = value["$ref"]?.text {
                #expect(document.resolve(value).value["$ref"] == nil, "\(reference)")
            }
            for part in value.parts { check(part) }
            for member in value.members { check(member.value) }
        }
        check(document.root)
    }

    @Test func `every operation says what it is, who may, and what it answers`() {
        let operations = document.operations
        #expect(Set(operations.compactMap { $0.value["operationId"]?.text }).count == operations.count)
        let tags = Set((document.root["tags"]?.parts ?? []).compactMap { $0["name"]?.text })
        for operation in operations {
            let name = "\(operation.method) \(operation.path)"
            #expect(operation.value["summary"]?.text?.isEmpty == false, "\(name)")
            #expect(operation.value["tags"]?.parts.allSatisfy { tags.contains($0.text ?? "") } == true, "\(name)")
            #expect(operation.value["security"] != nil, "\(name)")
            let parameters = (operation.value["parameters"]?.parts ?? []).map { document.resolve($0).value }
            #expect(parameters.allSatisfy { $0["description"]?.text?.isEmpty == false }, "\(name)")
            let answers = Set((operation.value["responses"]?.members ?? []).map(\.name))
            #expect(answers.contains("405"), "\(name)")
            guard operation.value["security"]?.parts.first?["key"] != nil else { continue }
            #expect(answers.isSuperset(of: ["400", "401", "403", "429", "503"]), "\(name)")
        }
    }

    @Test func `every scope is one that a key can have`() {
        for operation in document.operations {
            for scope in operation.value["security"]?.parts.first?["key"]?.parts ?? [] {
                #expect(scope.text.flatMap(APIScope.init(rawValue:)) != nil, "\(operation.path)")
            }
        }
    }

    @Test func `the codes are those that there are`() {
        let codes = document.root["components"]?["schemas"]?["Code"]?["enum"]?.parts.compactMap(\.text)
        #expect(codes == ErrorCode.allCases.map(\.rawValue))
    }

    @Test func `parts are put together, and what is said twice is noticed`() throws {
        let parts = """
            ---
            x-shared: &shared {"403": a}
            tags: [{name: A}]
            paths: {/a: {get: {responses: {<<: *shared, "200": yes}}}}
            ---
            tags: [{name: B}]
            paths: {/b: {get: {x: "1", y: 1, z: 2026-11-21, t: true}}}
            """
        let whole = try OpenAPIDocument(yaml: parts)
        #expect(whole.operations.map(\.path) == ["/a", "/b"])
        #expect(whole.root["x-shared"] == nil)
        let json = String(decoding: try JSONEncoder.plain.encode(whole.root["paths"]), as: UTF8.self)
        #expect(
            json == """
                {"/a":{"get":{"responses":{"200":"yes","403":"a"}}},\
                "/b":{"get":{"t":true,"x":"1","y":1,"z":"2026-11-21"}}}
                """)
        #expect(throws: DocumentError.self) {
            try OpenAPIDocument(yaml: "---\npaths: {/a: {get: {x: 1}}}\n---\npaths: {/a: {get: {x: 2}}}")
        }
    }

    @Test func `the page shows every operation and every schema`() throws {
        let page = OpenAPIPage(document, address: "https://dwell.example")
        #expect(page.groups.flatMap(\.operations).count == document.operations.count)
        let names = Set(page.schemas.map(\.name))
        let links = page.groups.flatMap(\.operations).flatMap(\.answers).flatMap(\.contents).flatMap(\.schema)
            .compactMap(\.link)
        #expect(names.isSuperset(of: links))
        let sessions = try #require(page.groups.first?.operations.first)
        #expect(sessions.needs == "A key with the scope read")
        #expect(
            sessions.example == #"curl -H "Authorization: Bearer $KEY" https://dwell.example/api/v1/sessions"#)
        let limit = try #require(sessions.parameters.first { $0.name == "limit" })
        #expect(limit.type.map(\.text) == ["integer, at least 1, at most 200, default 50"])
    }
}

extension JSONEncoder {
    fileprivate static var plain: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}
