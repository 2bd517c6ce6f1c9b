import DwellAPI
import Foundation

/// What an old service's account must be like to go on in Dwell. Less is asked than of a new one: nobody is to be kept
/// out for a telephone number.
struct OldAccountRules {
    /// The dearest bcrypt hash whose check still takes about a second.
    private static let costs = 4...14

    let reader: OldTimeReader
    let now: Timestamp

    /// An account that can be stored, and what could not be kept of it.
    struct Checked: Sendable {
        let account: Account
        let remarks: [String]
    }

    /// Checks a row.
    /// - Parameter row: Values as text under the mapping's names
    /// - Throws: The reason why it is skipped
    func check(_ row: Row) throws -> Checked {
        guard let id = UUID(uuidString: try row.text("id") ?? "") else { throw refusal("the id is no UUID") }
        guard let username = try row.text("username"), username.count <= 255, AccountRules.isPlain(username) else {
            throw refusal("no username that can be typed")
        }
        guard let text = try row.text("email") else { throw refusal("no email") }
        guard let email = try? EmailAddress.normalize(text) else { throw refusal("the email is none") }
        guard let hash = try row.text("password_hash"), Self.isBcrypt(hash) else {
            throw refusal("no bcrypt hash of a password, of cost 4 to 14")
        }
        var remarks: [String] = []
        func optional(_ name: String, _ limit: Int) throws -> String? {
            guard let value = try row.text(name) else { return nil }
            if value.count <= limit, AccountRules.isPlain(value) { return value }
            remarks.append("\(name) was not kept: too long, or with control characters")
            return nil
        }
        func time(_ name: String) throws -> Timestamp? {
            guard let value = try row.text(name) else { return nil }
            if let time = reader.time(value) { return time }
            remarks.append("\(name) was not kept: it is no time")
            return nil
        }
        let created = try time("created_at") ?? now
        let verified = try row.text("is_verified")?.lowercased() ?? "false"
        let account = Account(
            id: id, viewer: 0, username: username, firstName: try optional("first_name", 100) ?? "",
            lastName: try optional("last_name", 100) ?? "", email: email, passwordHash: hash,
            phoneNumber: try optional("phone_number", 64), gender: try optional("gender", 32),
            countryCode: try optional("country_code", 8),
            profilePictureURL: try optional("profile_picture_url", 2048),
            isVerified: ["true", "t", "1"].contains(verified), createdAt: created,
            updatedAt: try time("updated_at") ?? created, lastLoggedInAt: try time("last_logged_in") ?? created)
        return Checked(account: account, remarks: remarks)
    }

    private func refusal(_ reason: String) -> OldSessionRules.Refusal {
        OldSessionRules.Refusal(reason: reason)
    }

    private static func isBcrypt(_ hash: String) -> Bool {
        guard let match = hash.wholeMatch(of: #/\$2[abxy]\$(\d\d)\$[.\/A-Za-z0-9]{53}/#), let cost = Int(match.1) else {
            return false
        }
        return costs.contains(cost)
    }
}

extension Row {
    /// A value as text, without the spaces around it; `nil` when there is none.
    func text(_ column: String) throws -> String? {
        let value: String? = try self[column]
        return value?.nonEmpty
    }
}
