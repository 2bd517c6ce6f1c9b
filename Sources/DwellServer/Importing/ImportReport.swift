/// What became of what an old service had, kind by kind.
package struct ImportReport: Sendable {
    /// One kind of thing: accounts, sessions, ….
    package struct Part: Sendable {
        package let things: String
        /// Whether it is only compared.
        let isCompared: Bool
        package internal(set) var read = 0
        package internal(set) var imported = 0
        package internal(set) var extended = 0
        package internal(set) var known = 0
        package internal(set) var skipped = Remarks()
        /// What was imported otherwise than it stood there, and what differs.
        package internal(set) var noted = Remarks()

        package init(of things: String, compared isCompared: Bool = false) {
            self.things = things
            self.isCompared = isCompared
        }

        mutating func count(_ fate: ImportFate, row: String) {
            switch fate {
            case .imported: imported += 1
            case .extended: extended += 1
            case .known: known += 1
            case .skipped(let reason): skipped.add(reason, row)
            }
        }
    }

    /// Reasons, how often there were, and a few rows of each.
    package struct Remarks: Sendable {
        /// How many rows are named for each reason.
        private static let exampleLimit = 3

        package struct Remark: Sendable {
            package let reason: String
            package var count = 0
            package var examples: [String] = []
        }

        package private(set) var remarks: [Remark] = []

        package var count: Int { remarks.reduce(0) { $0 + $1.count } }

        mutating func add(_ reason: String, _ row: String, times: Int = 1) {
            let index =
                remarks.firstIndex { $0.reason == reason }
                ?? {
                    remarks.append(Remark(reason: reason))
                    return remarks.count - 1
                }()
            remarks[index].count += times
            if remarks[index].examples.count < Self.exampleLimit { remarks[index].examples.append(row) }
        }
    }

    /// Whether nothing was stored.
    package let isDryRun: Bool
    package internal(set) var parts: [Part] = []

    /// For people.
    package var text: String {
        parts.map(text).joined() + (isDryRun ? "A dry run: nothing was stored.\n" : "")
    }

    private func text(_ part: Part) -> String {
        var lines = ["\(part.things): \(part.read) read"]
        if !part.isCompared { lines.append(line(part.imported, isDryRun ? "would be imported" : "imported")) }
        if part.extended > 0 {
            lines.append(
                line(part.extended, "known and longer now: \(isDryRun ? "would be brought" : "brought") up to date"))
        }
        if part.known > 0 { lines.append(line(part.known, part.isCompared ? "agree" : "known already")) }
        if part.skipped.count > 0 { lines.append(line(part.skipped.count, "skipped")) }
        lines += part.skipped.remarks.map(line)
        if part.noted.count > 0 { lines.append(line(part.noted.count, "noted")) }
        lines += part.noted.remarks.map(line)
        return lines.map { $0 + "\n" }.joined()
    }

    private func line(_ count: Int, _ what: String) -> String {
        let number = "\(count)"
        return String(repeating: " ", count: max(0, 9 - number.count)) + number + " " + what
    }

    private func line(_ remark: Remarks.Remark) -> String {
        // What stood in somebody's database must not move the cursor.
        let rows = remark.examples.map { String(ReportCell.text($0).readable.prefix(160)) }.joined(separator: ", ")
        return line(remark.count, "    \(remark.reason): \(rows)\(remark.count > remark.examples.count ? ", …" : "")")
    }
}

/// What became of one row.
package enum ImportFate: Sendable, Equatable {
    case imported
    /// It was there, shorter.
    case extended
    /// It was there.
    case known
    case skipped(String)
}
