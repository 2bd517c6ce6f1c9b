/// The body of `POST /auth/password`.
public struct PasswordChangeBody: Sendable, Codable {
    /// The password that the account has.
    public var current: String
    /// Another one: 8 to 1,024 characters of any script, and none of the 3,000 that are guessed first.
    public var new: String
    /// Whether all other devices are signed out; `false` when it is absent.
    public var signOutOthers: Bool?
}
