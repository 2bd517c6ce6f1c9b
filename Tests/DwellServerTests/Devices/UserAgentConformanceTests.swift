import Foundation
import Testing
import Yams

@testable import DwellServer

/// uap-core's own test cases, as Debian's package uap-core installs them: the engine must answer as each one says.
@Suite struct UserAgentConformanceTests {
    private let rules: UserAgentRules

    init() throws {
        rules = try SharedRules.embedded.get()
    }

    @Test func everyPatternCompiles() throws {
        try rules.compileAll()
    }

    @Test(arguments: [
        "tests/test_ua.yaml", "test_resources/firefox_user_agent_strings.yaml",
        "test_resources/opera_mini_user_agent_strings.yaml", "test_resources/podcasting_user_agent_strings.yaml",
        "test_resources/pgts_browser_list.yaml",
    ])
    func browsers(_ file: String) throws {
        for example in try Self.examples(file) {
            let browser = rules.browser(in: example.userAgent)
            let expected = example.values(["family", "major", "minor", "patch"])
            #expect(Self.values(browser, parts: 3) == expected, "\(example.userAgent)")
        }
    }

    @Test(arguments: ["tests/test_os.yaml", "test_resources/additional_os_tests.yaml"])
    func systems(_ file: String) throws {
        for example in try Self.examples(file) {
            let system = rules.system(in: example.userAgent)
            let expected = example.values(["family", "major", "minor", "patch", "patch_minor"])
            #expect(Self.values(system, parts: 4) == expected, "\(example.userAgent)")
        }
    }

    @Test func devices() throws {
        for example in try Self.examples("tests/test_device.yaml") {
            let device = rules.device(in: example.userAgent)
            let expected = example.values(["family", "brand", "model"])
            #expect([device.family, device.brand, device.model] == expected, "\(example.userAgent)")
        }
    }

    /// A product's family and a number of its version's parts, nil where there is none.
    private static func values(_ product: UserAgentMatch.Product, parts: Int) -> [String?] {
        [product.family] + (0..<parts).map { $0 < product.parts.count ? product.parts[$0] : nil }
    }

    /// One case of a file: the User-Agent and the values that are expected.
    private struct Example {
        let userAgent: String
        let fields: [String: String?]

        /// The expected values. An empty text stands for none, as in uap-core's own runner (`tests/test.js`).
        func values(_ keys: [String]) -> [String?] {
            keys.map { key in (fields[key] ?? nil).flatMap { $0.isEmpty ? nil : $0 } }
        }
    }

    private static func examples(_ file: String) throws -> [Example] {
        let data = try Data(contentsOf: URL(filePath: "/usr/share/uap-core/\(file)"))
        let cases = try YAMLDecoder().decode([String: [[String: String?]]].self, from: data)
        let examples = try #require(cases["test_cases"])
        try #require(!examples.isEmpty)
        return try examples.map { fields in
            Example(userAgent: try #require(fields["user_agent_string"] ?? nil), fields: fields)
        }
    }
}
