import DwellAPI
import Foundation

/// What is asked of, and told to, the tables of receipts and of what is left to do.
struct ErasureQueries {
    let connection: any DatabaseConnection

    /// A viewer that is being erased.
    struct Erasing {
        let viewer: Int64
        let erasure: String
        let names: Names
    }

    /// What finds what still comes in, and who is asked for again.
    struct Names: Codable {
        /// Emails that nobody else has.
        let emails: [String]
        /// What usernames are compared by.
        let username: String?
    }

    // MARK: Receipts

    func insert(_ receipt: ErasureReceipt) throws {
        try connection.execute(
            "INSERT INTO erasure (id, asked_at, asked_by, removed) VALUES ($1, $2, $3, '{}')",
            [receipt.id, receipt.askedTime, receipt.askedBy])
    }

    func receipt(_ id: String) throws -> ErasureReceipt? {
        try connection.row("SELECT * FROM erasure WHERE id = $1", [id]).map(ErasureReceipt.init(row:))
    }

    func required(_ id: String) throws -> ErasureReceipt {
        guard let receipt = try receipt(id) else { throw DatabaseError.failure("an erasure without a receipt") }
        return receipt
    }

    /// Receipts after one, the latest first.
    func page(after last: LatestCursor, limit: Int) throws -> [ErasureReceipt] {
        try connection.rows(
            """
            SELECT * FROM erasure WHERE asked_at <= $2 AND (asked_at < $2 OR id > $3)
            ORDER BY asked_at DESC, id LIMIT $1
            """, [limit, last.at, last.id]
        ).map(ErasureReceipt.init(row:))
    }

    /// Adds rows that are gone to a receipt.
    func count(_ removed: [String: Int], in erasure: String) throws {
        let removed = removed.filter { $0.value > 0 }
        guard !removed.isEmpty else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let sums = try required(erasure).removed.merging(removed, uniquingKeysWith: +)
        try connection.execute(
            "UPDATE erasure SET removed = $2 WHERE id = $1",
            [erasure, String(decoding: try encoder.encode(sums), as: UTF8.self)])
    }

    /// - Returns: Whether it was not completed before
    func complete(_ erasure: String, at time: Timestamp) throws -> Bool {
        try connection.execute("DELETE FROM erasing_content WHERE erasure_id = $1", [erasure])
        return try connection.execute(
            "UPDATE erasure SET completed_at = $2 WHERE id = $1 AND completed_at IS NULL", [erasure, time]) == 1
    }

    // MARK: What is left to do

    func begin(_ viewer: Int64, _ names: Names, in erasure: String) throws {
        try connection.execute(
            "INSERT INTO erasing (viewer_id, erasure_id, names) VALUES ($1, $2, $3)",
            [viewer, erasure, String(decoding: try JSONEncoder().encode(names), as: UTF8.self)])
    }

    /// A viewer that is being erased.
    func erasing(_ viewer: Int64) throws -> Erasing? {
        try connection.row("SELECT * FROM erasing WHERE viewer_id = $1", [viewer]).map(Erasing.init(row:))
    }

    /// The erasure of a person that was begun and not completed.
    func begun(_ person: PersonName) throws -> String? {
        switch person {
        case .viewer(let id): try erasing(id)?.erasure
        case .named(let email, let username):
            try connection.rows("SELECT * FROM erasing").map(Erasing.init(row:)).first { erasing in
                email.map { erasing.names.emails.contains($0) } ?? true
                    && username.map { erasing.names.username == AccountRules.key(of: $0) } ?? true
            }?.erasure
        }
    }

    /// What to go on with: a viewer, or, when none of an erasure is left, what only they have seen.
    func next() throws -> (erasure: String, askedAt: Timestamp, viewer: Int64?)? {
        try connection.row(
            """
            SELECT erasure.id, erasure.asked_at, erasing.viewer_id
            FROM erasure LEFT JOIN erasing ON erasing.erasure_id = erasure.id
            WHERE erasure.completed_at IS NULL ORDER BY erasure.asked_at, erasing.viewer_id LIMIT 1
            """
        ).map { (try $0["id"], try $0["asked_at"], try $0["viewer_id"]) }
    }
}

extension ErasureQueries.Erasing {
    fileprivate init(row: Row) throws {
        viewer = try row["viewer_id"]
        erasure = try row["erasure_id"]
        names = try JSONDecoder().decode(ErasureQueries.Names.self, from: Data((try row["names"] as String).utf8))
    }
}

extension ErasureReceipt {
    fileprivate init(row: Row) throws {
        self.init(
            id: try row["id"], askedTime: try row["asked_at"], askedBy: try row["asked_by"],
            removed: try JSONDecoder().decode([String: Int].self, from: Data((try row["removed"] as String).utf8)),
            completedTime: try row["completed_at"])
    }
}
