import DwellAPI

/// What is asked of, and told to, the table of mailed codes.
struct MailedCodeQueries {
    private static let hour: Int64 = 3_600_000

    let connection: any DatabaseConnection

    /// How many codes of a kind were asked for an address in the last hour, by whomever.
    func recentCount(of purpose: MailedCode.Purpose, for email: String, at time: Timestamp) throws -> Int {
        try connection.row(
            "SELECT count(*) AS number FROM mailed_code WHERE email = $1 AND asked_at > $2 AND purpose = $3",
            [email, time - Self.hour, purpose])?["number"] ?? 0
    }

    func insert(_ code: MailedCode, for email: String, at time: Timestamp) throws {
        try connection.execute(
            """
            INSERT INTO mailed_code (
                browser_hash, purpose, email, code_hash, tries_left, asked_at, expires_at, gate, target
            ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            """,
            [
                MailedCode.hash(ofBrowser: code.browser), code.purpose, email,
                MailedCode.hash(of: code.code, browser: code.browser), MailedCode.tries, time,
                time + MailedCode.lifetime, code.entrance?.gate, code.entrance?.target,
            ])
    }

    /// Whether a browser may try a code now.
    func isOpen(_ purpose: MailedCode.Purpose, browser: String, at time: Timestamp) throws -> Bool {
        try connection.row(
            """
            SELECT 1 AS one FROM mailed_code
            WHERE browser_hash = $1 AND purpose = $2 AND expires_at > $3 AND tries_left > 0
            """, [MailedCode.hash(ofBrowser: browser), purpose, time]) != nil
    }

    /// Tries a code, which costs one of its tries. The right one is used up.
    /// - Returns: The address it was mailed to, and what it lets in to; `nil` when it is wrong, was used, or is too old
    func redeem(
        _ code: String, for purpose: MailedCode.Purpose, browser: String, at time: Timestamp
    ) throws -> (email: String, entrance: MailedCode.Entrance?)? {
        let key = MailedCode.hash(ofBrowser: browser)
        // One statement, so that tries at the same moment are counted one by one.
        let row = try connection.row(
            """
            UPDATE mailed_code SET tries_left = tries_left - 1
            WHERE browser_hash = $1 AND purpose = $2 AND expires_at > $3 AND tries_left > 0
            RETURNING email, code_hash, gate, target
            """, [key, purpose, time])
        // Both are hashes of a secret that only this browser has: the time of the comparison tells nothing.
        guard let row, try row["code_hash"] == MailedCode.hash(of: code, browser: browser) else { return nil }
        try connection.execute("UPDATE mailed_code SET tries_left = 0 WHERE browser_hash = $1", [key])
        let gate: String? = try row["gate"]
        return (try row["email"], try gate.map { MailedCode.Entrance(gate: $0, target: try row["target"]) })
    }

    /// Makes what was mailed to an address for a purpose worth nothing.
    func cancel(_ purpose: MailedCode.Purpose, of email: String) throws {
        try connection.execute(
            "UPDATE mailed_code SET tries_left = 0 WHERE email = $1 AND purpose = $2", [email, purpose])
    }

    /// Forgets codes that count no more.
    func removeOld(at time: Timestamp) throws {
        try connection.execute("DELETE FROM mailed_code WHERE asked_at <= $1", [time - Self.hour])
    }
}
