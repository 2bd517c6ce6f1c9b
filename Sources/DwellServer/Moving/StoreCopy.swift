import DwellAPI

/// Carries everything from one store to another, in batches of one transaction each.
///
/// Rows go in the order of their keys, so the last key in the target says where to go on after an interruption. In the
/// end both stores are read again and compared. Until they are the same, the target is noted to be unfinished and no server
/// opens it.
package struct StoreCopy: Sendable {
    /// How many rows one transaction carries.
    private static let batchSize = 1000

    private let source: any Database
    private let target: any Database
    private let clock: WallClock

    package init(from source: any Database, to target: any Database, clock: WallClock) {
        self.source = source
        self.target = target
        self.clock = clock
    }

    /// How far a copy has come.
    package enum Phase: Sendable {
        case copying, comparing
    }

    /// What became of it.
    package enum Outcome: Sendable {
        /// The target holds what the source holds, or it does not: see the report.
        case copied(CopyReport)
        /// The target held everything before.
        case wasWhole(CopyReport)

        /// What the two stores hold.
        package var report: CopyReport {
            switch self {
            case .copied(let report), .wasWhole(let report): report
            }
        }
    }

    /// Copies, or goes on copying, and compares.
    /// - Parameters:
    ///   - isAfresh: Whether an unfinished copy in the target is thrown away first
    ///   - progress: Called with how many rows are done, and how many there are
    /// - Throws: ``CopyError``, before anything is changed
    package func run(
        afresh isAfresh: Bool = false, progress: @Sendable (Phase, _ done: Int, _ of: Int) -> Void = { _, _, _ in }
    ) async throws -> Outcome {
        let lineage = try await checkSource()
        let total = try await rowCount(of: source)
        switch try await checkTarget(lineage: lineage, isAfresh: isAfresh) {
        case .other:
            guard try await rowCount(of: target) == total else { throw CopyError.targetHoldsOtherData }
            let report = try await compare(total: total, progress)
            guard report.isSame else { throw CopyError.targetHoldsOtherData }
            return .wasWhole(report)
        case .mine:
            try await copyRows(total: total, progress)
            try await copySequences()
            let report = try await compare(total: total, progress)
            if report.isSame { try await target.write { try NoteQueries(connection: $0).remove(.unfinishedCopy) } }
            return .copied(report)
        }
    }

    // MARK: Who may be copied, and where to

    private enum Target {
        /// Empty, or an unfinished copy of this source; marked as such.
        case mine
        /// It holds something else, or a finished copy.
        case other
    }

    private func checkSource() async throws -> String {
        try await source.read { connection in
            let schema = SchemaQueries(connection: connection)
            let number = try schema.migration()
            guard number == Migrator.latest else { throw CopyError.sourceAtMigration(number) }
            guard try NoteQueries(connection: connection).text(of: .unfinishedCopy) == nil else {
                throw CopyError.sourceIsUnfinished
            }
            return try schema.lineage()
        }
    }

    private func checkTarget(lineage: String, isAfresh: Bool) async throws -> Target {
        let number = try await target.read { try SchemaQueries(connection: $0).migration() }
        guard [0, Migrator.latest].contains(number) else { throw CopyError.targetAtMigration(number) }
        if number == 0 { _ = try await Migrator.migrate(target, now: clock.now()) }
        return try await target.write { connection in
            let notes = NoteQueries(connection: connection)
            switch try notes.text(of: .unfinishedCopy) {
            case lineage? where !isAfresh: return .mine
            case .some where isAfresh: break
            case .some: throw CopyError.targetIsCopyOfAnother
            case nil: guard try Self.isEmpty(connection) else { return .other }
            }
            try TableQueries.empty(StoreTable.all, connection)
            try notes.set(.unfinishedCopy, to: lineage)
            return .mine
        }
    }

    /// Whether nobody was ever counted here. A server that ran for a moment has noted its time zone, no more.
    private static func isEmpty(_ connection: any DatabaseConnection) throws -> Bool {
        for table in StoreTable.all where table.name != "setting" {
            let rows = try TableQueries(connection: connection, table: table).page(after: nil, limit: 2)
            // The content that stands for everything comes with the schema.
            guard rows.count <= (table.name == "content" ? 1 : 0) else { return false }
        }
        return true
    }

    // MARK: Copying

    private func rowCount(of database: any Database) async throws -> Int {
        var count = 0
        for table in StoreTable.all {
            count += try await database.read { try TableQueries(connection: $0, table: table).count() }
        }
        return count
    }

    private func copyRows(total: Int, _ progress: (Phase, Int, Int) -> Void) async throws {
        var done = try await rowCount(of: target)
        for table in StoreTable.all {
            var key = try await target.read { try TableQueries(connection: $0, table: table).lastKey() }
            while true {
                let rows = try await page(of: table, after: key, in: source)
                if !rows.isEmpty {
                    try await target.write { try TableQueries(connection: $0, table: table).insert(rows) }
                    done += rows.count
                    progress(.copying, min(done, total), total)
                }
                guard rows.count == Self.batchSize, let last = rows.last else { break }
                key = try table.key.map { try last[$0.name] }
            }
        }
    }

    private func page(of table: StoreTable, after key: [SQLValue]?, in database: any Database) async throws -> [Row] {
        try await database.read { connection in
            try TableQueries(connection: connection, table: table).page(after: key, limit: Self.batchSize)
        }
    }

    private func copySequences() async throws {
        for sequence in SQLSequence.allCases {
            let number = try await source.read { try SequenceQueries(connection: $0).last(of: sequence) }
            try await target.write { try SequenceQueries(connection: $0).set(sequence, to: number) }
        }
    }

    // MARK: Comparing

    private func compare(total: Int, _ progress: @Sendable (Phase, Int, Int) -> Void) async throws -> CopyReport {
        var done = 0
        var report = CopyReport()
        for table in StoreTable.all {
            let before = done
            async let there = sum(of: table, in: target) { _ in }
            let here = try await sum(of: table, in: source) { progress(.comparing, min(before + $0, total), total) }
            report.tables.append(.init(name: table.name, source: here, target: try await there))
            done += here.rows
        }
        for sequence in SQLSequence.allCases {
            let numbers = try await (
                source.read { try SequenceQueries(connection: $0).last(of: sequence) },
                target.read { try SequenceQueries(connection: $0).last(of: sequence) }
            )
            report.sequences.append(.init(name: sequence.rawValue, source: numbers.0, target: numbers.1))
        }
        return report
    }

    private func sum(
        of table: StoreTable, in database: any Database, _ progress: @Sendable (Int) -> Void
    ) async throws -> CopyReport.Sum {
        var checksum = RowChecksum()
        var key: [SQLValue]?
        while true {
            let rows = try await page(of: table, after: key, in: database)
            for row in rows { checksum.add(row) }
            progress(checksum.count)
            guard rows.count == Self.batchSize, let last = rows.last else { break }
            key = try table.key.map { try last[$0.name] }
        }
        return CopyReport.Sum(rows: checksum.count, digest: checksum.digest)
    }
}
