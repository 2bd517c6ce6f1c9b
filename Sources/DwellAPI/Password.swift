/// The body of `POST /auth/password`.
public struct PasswordChangeBody: Sendable, Codable {
    /// The password that the account has.
    public var current: String
    /// Another one: 8 to 1,024 characters of any script, and none of the 3,000 that are guessed first.
    public var new: String
    /// Whether all other devices are signed out; `false` when it is absent.
    public var signOutOthers: Bool?
}

/// The body of `POST /auth/password/forgot`, which mails a code.
public struct ForgottenPasswordBody: Sendable, Codable {
    /// The email of the account.
    public var email: String
}

/// The body of `POST /auth/password/reset`, sent by the browser that asked for the code.
public struct PasswordResetBody: Sendable, Codable {
    /// The code that was mailed: 8 digits.
    public var code: String
    /// The new password, as for `POST /auth/register`.
    public var password: String
}
