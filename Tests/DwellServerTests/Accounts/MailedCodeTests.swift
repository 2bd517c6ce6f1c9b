import Testing

@testable import DwellServer

@Suite struct MailedCodeTests {
    @Test(arguments: [(MailedCode.Purpose.reset, 8), (.verification, 6)])
    func `codes are so many digits, and differ`(purpose: MailedCode.Purpose, digits: Int) {
        let codes = (0..<200).map { _ in MailedCode(for: purpose) }
        #expect(codes.allSatisfy { $0.code.wholeMatch(of: /\d+/) != nil && $0.code.count == digits })
        #expect(codes.allSatisfy { $0.browser.count == 64 })
        #expect(Set(codes.map(\.browser)).count == 200)
        #expect(Set(codes.map(\.code)).count > 190)
        #expect(codes.contains { $0.code.hasPrefix("0") }, "small numbers are written out")
    }

    @Test func `a code's hash is of the browser too`() {
        let code = MailedCode(for: .reset)
        let hash = MailedCode.hash(of: code.code, browser: code.browser)
        #expect(hash == MailedCode.hash(of: " \(code.code)\n", browser: code.browser))
        #expect(hash != MailedCode.hash(of: code.code, browser: MailedCode(for: .reset).browser))
        #expect(hash != MailedCode.hash(ofBrowser: code.browser))
    }
}
