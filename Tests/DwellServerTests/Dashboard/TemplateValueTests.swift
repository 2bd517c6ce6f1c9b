import DwellAPI
import Foundation
import Mustache
import Testing

@testable import DwellServer

/// A template writes of what a struct is taken apart into what it writes of the struct.
@Suite struct TemplateValueTests {
    private struct Outer {
        let title = "<out>"
        let number = 7
        let none: String? = nil
        let some: Inner? = Inner(name: "in", isShown: true)
        let rows = [Inner(name: "a", isShown: true), Inner(name: "b", isShown: false)]
        let empty: [Inner] = []
        let counts: [Int64] = [3, 4]
        let time = Timestamp(milliseconds: 1_000_000)
        let id = UUID(uuidString: "00000000-0000-0000-0000-000000000001")
        let known = ["isThere": true]
    }

    private struct Inner {
        let name: String
        let isShown: Bool
        var note: Int?
    }

    @Test func `nothing is lost and nothing is added`() throws {
        let template = try MustacheTemplate(
            string: """
                {{title}} {{number}} {{#none}}never{{/none}}{{^none}}none{{/none}} {{#some}}{{name}}{{title}}{{/some}} {{some.name}}
                {{#rows}}[{{name}}{{#isShown}}!{{/isShown}}{{^isShown}}?{{/isShown}}{{^note}}-{{/note}}{{number}}]{{/rows}}
                {{#empty}}never{{/empty}}{{^empty}}empty{{/empty}} {{#counts}}{{.}},{{/counts}} {{time}} {{id}}
                {{#known}}{{#isThere}}there{{/isThere}}{{/known}}
                """)
        let written = template.render(try #require(TemplateValue.of(Outer())))
        #expect(written == template.render(Outer()))
        #expect(written.hasPrefix("&lt;out&gt; 7 none in&lt;out&gt; in\n[a!-7][b?-7]\nempty 3,4, 1970-01-01T00:16:40"))
    }
}
