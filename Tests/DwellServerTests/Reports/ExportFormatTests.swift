import Testing

@testable import DwellServer

@Suite struct ExportFormatTests {
    @Test(arguments: [
        ("text/csv", ExportFormat.csv), ("application/x-ndjson", .ndjson), ("*/*", .ndjson), ("text/*", .csv),
        ("application/x-ndjson;q=0.5, text/csv", .csv), ("text/csv;q=0.1, */*;q=0.5", .ndjson),
        ("text/html, application/xml;q=0.9, */*;q=0.8", .ndjson), ("TEXT/CSV", .csv), ("text/csv, */*", .ndjson),
    ])
    func `the format that is liked best is taken`(_ accept: String, _ format: ExportFormat) {
        #expect(ExportFormat(accept: accept) == format)
    }

    @Test(arguments: ["text/html", "text/csv;q=0", "", "image/*", "application/x-ndjson;q=0, text/csv;q=0"])
    func `a client that takes neither is told`(_ accept: String) {
        #expect(ExportFormat(accept: accept) == nil)
    }

    @Test func `cells are quoted and defanged`() {
        struct Row: ReportRow {
            static let columns = ["a", "=b"].map { ReportColumn(name: $0, title: $0) }
            let cells: [ReportCell]

            func encode(to encoder: any Encoder) throws {}
        }
        let texts = ["=1", "+1", "-1", "@x", "\tx", "\rx", "\r\nx", "a,b", "a\"b", "é", ""]
        let lines = CSVText.lines(of: texts.map { Row(cells: [.text($0), .number(7)]) })
        #expect(CSVText.head(of: Row.self) == "a,'=b\r\n")
        #expect(
            lines == """
                '=1,7\r\n'+1,7\r\n'-1,7\r\n'@x,7\r\n'\tx,7\r\n"'\rx",7\r\n"'\r\nx",7\r\n"a,b",7\r\n"a""b",7\r\né,7\r\n,7\r\n
                """)
    }
}
