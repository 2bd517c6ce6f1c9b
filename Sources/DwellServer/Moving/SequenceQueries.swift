/// What is asked of, and told to, the sequences that give viewers, sessions and contents their numbers.
package struct SequenceQueries {
    let connection: any DatabaseConnection

    package init(connection: any DatabaseConnection) {
        self.connection = connection
    }

    /// The number that was given last; 0 when none was.
    func last(of sequence: SQLSequence) throws -> Int64 {
        let row: Row?
        switch connection.dialect {
        case .sqlite:
            row = try connection.row("SELECT value FROM sequence WHERE name = $1", [sequence.rawValue])
        case .postgres:
            row = try connection.row(
                """
                SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END AS value
                FROM \(sequence.postgresName)
                """)
        }
        guard let row else { throw DatabaseError.failure("no sequence \(sequence)") }
        return try row["value"]
    }

    /// Makes the next number the one after `number`.
    package func set(_ sequence: SQLSequence, to number: Int64) throws {
        switch connection.dialect {
        case .sqlite:
            try connection.execute("UPDATE sequence SET value = $2 WHERE name = $1", [sequence.rawValue, number])
        case .postgres:
            // A sequence can't stand before its first number; it can say that it has not given it yet.
            _ = try connection.row(
                "SELECT setval($1::text::regclass, $2::bigint, $3::bigint <> 0) AS value",
                [sequence.postgresName, max(number, 1), number > 0 ? 1 : 0])
        }
    }
}
