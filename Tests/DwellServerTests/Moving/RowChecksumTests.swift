import Foundation
import Testing

@testable import DwellServer

@Suite struct RowChecksumTests {
    @Test func `the order of columns does not matter, that of rows does`() {
        let first = Row(columns: ["a", "b"], values: [.integer(1), .text("x")])
        let turned = Row(columns: ["b", "a"], values: [.text("x"), .integer(1)])
        let other = Row(columns: ["a", "b"], values: [.integer(2), .text("y")])
        #expect(digest([first, other]) == digest([turned, other]))
        #expect(digest([first, other]) != digest([other, first]))
    }

    @Test(arguments: [
        (SQLValue.null, SQLValue.text("null")), (.integer(1), .text("1")), (.integer(1), .real(1)),
        (.real(0.1 + 0.2), .real(0.3)), (.real(0), .real(-0.0)), (.text("\u{EB}"), .text("e\u{308}")),
        (.text("b;c=t1:d"), .text("b")), (.blob(Data([1])), .blob(Data([1, 0]))), (.text("1"), .blob(Data("1".utf8))),
    ])
    func `values that differ give other checksums`(left: SQLValue, right: SQLValue) {
        #expect(digest([row(left)]) != digest([row(right)]))
        #expect(digest([row(left)]) == digest([row(left)]))
    }

    @Test func `text does not run into the next column`() {
        let left = Row(columns: ["a", "b"], values: [.text("x;b=t1:y"), .text("")])
        let right = Row(columns: ["a", "b"], values: [.text("x"), .text("y;b=t0:")])
        #expect(digest([left]) != digest([right]))
    }

    private func row(_ value: SQLValue) -> Row { Row(columns: ["a"], values: [value]) }

    private func digest(_ rows: [Row]) -> String {
        var checksum = RowChecksum()
        for row in rows { checksum.add(row) }
        #expect(checksum.count == rows.count)
        return checksum.digest
    }
}
