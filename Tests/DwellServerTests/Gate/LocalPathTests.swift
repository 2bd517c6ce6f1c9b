import Testing

@testable import DwellServer

@Suite struct LocalPathTests {
    @Test(arguments: ["/", "/confidential/", "/a/b.html?c=d&e=//f#g", "/a//b", "/@evil.example"])
    func `a path on this site is taken as it is`(path: String) throws {
        #expect(try LocalPath.check(path) == path)
    }

    @Test(arguments: [
        "", "x", "//evil.example", "/\\evil.example", "\\/evil", "https://evil.example", "https:/evil", "javascript:x",
        "/\t/evil.example", "/a\r\nSet-Cookie: b=c", " /a", "/a b", "/é", "/\u{0}",
    ])
    func `what a browser could take for another site is refused`(path: String) {
        #expect(throws: InvalidField.self) { try LocalPath.check(path) }
    }
}
