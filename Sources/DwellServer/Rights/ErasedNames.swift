import DwellAPI
import Foundation

/// Takes the names of a person away, inside one transaction: who they are, and what lets them in.
struct ErasedNames {
    let connection: any DatabaseConnection
    let time: Timestamp

    /// What a viewer is called: of the emails, those that only viewers have who are erased with it.
    func names(of viewer: Int64, among viewers: [Int64]) throws -> ErasureQueries.Names {
        let found: [String] = try connection.rows(
            """
            SELECT email FROM viewer WHERE id = $1 AND email IS NOT NULL
            UNION SELECT email FROM account WHERE viewer_id = $1
            """, [viewer]
        ).map { try $0["email"] }
        let queries = ReportQueries(connection: connection)
        let username = try connection.row("SELECT username_key FROM account WHERE viewer_id = $1", [viewer])
        return ErasureQueries.Names(
            emails: try found.filter { email in
                Set(try queries.viewers(email: email, username: nil) ?? []).isSubset(of: viewers)
            }, username: try username.map { try $0["username_key"] })
    }

    /// - Parameter emails: Those that nobody else has
    /// - Returns: How many rows of each table it was about
    func remove(_ viewer: Int64, _ emails: [String]) throws -> [String: Int] {
        var removed: [String: Int] = [:]
        if let row = try connection.row("SELECT id FROM account WHERE viewer_id = $1", [viewer]) {
            try close(try row["id"], of: viewer)
        }
        if try connection.row("SELECT 1 AS one FROM viewer WHERE id = $1 AND email IS NOT NULL", [viewer]) != nil {
            try endPasses(of: viewer)
        }
        for email in emails {
            removed["gate_revocation", default: 0] += try connection.execute(
                "DELETE FROM gate_revocation WHERE email = $1", [EmailAddress.comparable(email)])
            removed["mail", default: 0] += try connection.execute("DELETE FROM mail WHERE recipient = $1", [email])
            removed["mailed_code", default: 0] += try connection.execute(
                "DELETE FROM mailed_code WHERE email = $1", [email])
        }
        for table in ["viewing", "webhook_delivery"] {
            removed[table] = try connection.execute("DELETE FROM \(table) WHERE viewer_id = $1", [viewer])
        }
        return removed
    }

    /// No space is in an email or a username: nobody is called so.
    private func nameless(_ viewer: Int64) -> String { "erased \(viewer)" }

    /// Closes an account: every login ends on every node.
    private func close(_ account: UUID, of viewer: Int64) throws {
        // First of all, for it locks the row: whoever logs in at this moment has a device by now, or gets none.
        try connection.execute(
            """
            UPDATE account SET
                username = $2, username_key = $2, email = $2, first_name = '', last_name = '', password_hash = '',
                phone_number = NULL, gender = NULL, country_code = NULL, profile_picture_url = NULL, is_verified = 0,
                disabled_at = $3
            WHERE id = $1
            """, [account, nameless(viewer), time])
        _ = try DeviceQueries(connection: connection).removeAll(of: account, as: .operator, at: time)
        try connection.execute(
            """
            UPDATE device SET name = '', os = '', given_name = NULL, address = NULL, browser_hash = NULL
            WHERE account_id = $1
            """, [account])
        try connection.execute("DELETE FROM device_ticket WHERE account_id = $1", [account])
    }

    /// Ends a guest's entries, with the passes that they gave.
    private func endPasses(of viewer: Int64) throws {
        try connection.execute("UPDATE viewer SET email = $2 WHERE id = $1", [viewer, nameless(viewer)])
        try connection.execute(
            "UPDATE session SET revoked_at = $2 WHERE viewer_id = $1 AND entry_id = id AND revoked_at IS NULL",
            [viewer, time])
        // It need not say whose: every node asks the database about everybody then.
        try Announcements.announce(.visitor, "", at: time, connection)
    }
}
