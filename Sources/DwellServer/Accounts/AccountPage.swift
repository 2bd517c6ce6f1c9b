/// One of the pages about an account: a form of a few fields, or a message.
struct AccountPage: Sendable {
    let title: String
    let text: String
    /// Where the form goes; `nil` when there is none.
    var action: String?
    var asksEmail = false
    var asksCode = false
    var asksPassword = false
    var button: String?
    /// Why the form was refused before.
    var message: String?

    static let forgotten = AccountPage(
        title: "Another password", text: "A code comes to the email of your account.", action: "/auth/password/forgot",
        asksEmail: true, button: "Send the code")
    static let reset = AccountPage(
        title: "Choose a password",
        text: "If an account has this email, a code is on its way. Enter it in the browser that asked for it.",
        action: "/auth/password/reset", asksCode: true, asksPassword: true, button: "Change the password")
    static let verification = AccountPage(
        title: "Is this your email?", text: "Enter the code that was mailed to you in the browser that asked for it.",
        action: "/auth/email/verify", asksCode: true, button: "Confirm")
    static let gateCode = AccountPage(
        title: "Is this your email?",
        text: """
            If this email may enter, a code is on its way to it. Enter it here, in the browser that asked for it, within \
            ten minutes.
            """, action: "/api/verify-temp-access/code", asksCode: true, button: "Continue")

    static func done(_ title: String, _ text: String) -> AccountPage {
        AccountPage(title: title, text: text)
    }

    /// The same form, and why it was refused.
    func refused(_ message: String) -> AccountPage {
        var page = self
        page.message = message
        return page
    }
}
