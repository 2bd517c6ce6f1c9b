import DwellAPI
import Foundation

/// Puts accounts and devices of the Express service into the store, each once.
struct OldAccounts {
    let database: any Database
    /// Whether nothing is stored.
    let isDryRun: Bool

    /// What became of an account.
    struct Outcome: Sendable {
        let fate: ImportFate
        /// By which sessions know the person; `nil` when it was skipped, and in a dry run.
        let viewer: Int64?
    }

    /// A device as the old service knew it.
    struct OldDevice: Sendable {
        let device: Device
        let removedAt: Timestamp
    }

    /// Stores accounts in one transaction.
    func store(_ accounts: [Account]) async throws -> [Outcome] {
        try await transaction { [isDryRun] connection in
            let queries = AccountQueries(connection: connection)
            return try accounts.map { account in
                if let known = try queries.account(id: account.id) {
                    return Outcome(fate: .known, viewer: known.viewer)
                }
                guard try queries.account(username: account.username) == nil else {
                    return Outcome(fate: .skipped("another account of Dwell has the username"), viewer: nil)
                }
                guard try !queries.hasEmail(account.email) else {
                    return Outcome(fate: .skipped("another account of Dwell has the email"), viewer: nil)
                }
                guard !isDryRun else { return Outcome(fate: .imported, viewer: nil) }
                let viewer = try connection.nextNumber(of: .viewer)
                try queries.insert(account.numbered(viewer))
                return Outcome(fate: .imported, viewer: viewer)
            }
        }
    }

    /// Stores devices in one transaction. None is in use: their tokens are of the old service.
    func store(_ devices: [OldDevice]) async throws -> [ImportFate] {
        try await transaction { [isDryRun] connection in
            try devices.map { old in
                let id = old.device.id
                guard try connection.row("SELECT 1 AS one FROM device WHERE id = $1", [id]) == nil else {
                    return .known
                }
                guard !isDryRun else { return .imported }
                try connection.execute(
                    """
                    INSERT INTO device (id, account_id, name, os, last_logged_in_at, last_seen_at, removed_at, removal)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                    """,
                    [
                        id, old.device.account, old.device.name, old.device.os, old.device.lastLoggedInAt,
                        old.device.lastSeenAt, old.removedAt, Device.Removal.removed,
                    ])
                return .imported
            }
        }
    }

    private func transaction<Value: Sendable>(
        _ body: @Sendable @escaping (any DatabaseConnection) throws -> Value
    ) async throws -> Value {
        isDryRun ? try await database.read(body) : try await database.write(body)
    }
}

extension Account {
    /// The same account with its viewer's number.
    fileprivate func numbered(_ viewer: Int64) -> Account {
        Account(
            id: id, viewer: viewer, username: username, firstName: firstName, lastName: lastName, email: email,
            passwordHash: passwordHash, phoneNumber: phoneNumber, gender: gender, countryCode: countryCode,
            profilePictureURL: profilePictureURL, isVerified: isVerified, createdAt: createdAt, updatedAt: updatedAt,
            lastLoggedInAt: lastLoggedInAt)
    }
}
