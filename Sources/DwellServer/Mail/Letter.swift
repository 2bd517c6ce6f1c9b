import DwellAPI

/// What a mail says.
struct Letter: Sendable {
    /// Tells the letters apart in the log.
    enum Kind: String, Sendable, SQLConvertible {
        case reset, verification, gate
        case newDevice = "new_device"
        case changedPassword = "changed_password"
        case test
    }

    let kind: Kind
    let subject: String
    /// Sentences, before the code.
    let opening: String
    /// What the reader types.
    var code: String?
    /// The address of a page.
    var link: String?
    /// What the page is for.
    var linkTitle: String?
    /// Sentences at the end.
    let closing: String
}

extension Letter {
    /// The letter with a code.
    /// - Parameter publicURL: How people reach the server. The code is behind the `#` of the link: browsers keep that to
    ///   themselves, so it is in no log
    static func code(_ code: MailedCode, publicURL: String) -> Letter {
        switch code.purpose {
        case .reset:
            Letter(
                kind: .reset, subject: "Your code for another password",
                opening:
                    "Somebody asked for another password for the account with this address. This is the code for it:",
                code: code.code, link: "\(publicURL)/auth/password/reset#\(code.code)", linkTitle: "Choose a password",
                closing: """
                    It works once, for ten minutes, in the browser in which it was asked for. If that was not you, there \
                    is nothing to do: without the code nothing changes.
                    """)
        case .verification:
            Letter(
                kind: .verification, subject: "Is this your address?",
                opening: "Somebody gave this address for an account. If that was you, this is the code that says so:",
                code: code.code, link: "\(publicURL)/auth/email/verify#\(code.code)", linkTitle: "Confirm the address",
                closing: """
                    It works once, for ten minutes, in the browser in which it was asked for. If that was not you, there \
                    is nothing to do.
                    """)
        case .gate:
            Letter(
                kind: .gate, subject: "Your code for confidential pages",
                opening: "Somebody gave this address to open confidential pages. If that was you, this is the code:",
                code: code.code, link: "\(publicURL)/gate/code#\(code.code)", linkTitle: "Open the pages",
                closing: """
                    It works once, for ten minutes, in the browser in which it was asked for. If that was not you, there \
                    is nothing to do.
                    """)
        }
    }

    /// The letter that tells of nothing but that it came.
    /// - Parameter publicURL: How people reach the server
    static func test(publicURL: String) -> Letter {
        Letter(
            kind: .test, subject: "Mail from Dwell arrives", opening: "This is a test that the operator asked for.",
            link: publicURL, linkTitle: "The server", closing: "There is nothing to do.")
    }

    /// The letter that tells of another password.
    /// - Parameter publicURL: How people reach the server
    static func changedPassword(at time: Timestamp, publicURL: String) -> Letter {
        Letter(
            kind: .changedPassword, subject: "Your account has another password",
            opening: "The password of your account was changed at \(time).",
            link: "\(publicURL)/auth/password/forgot", linkTitle: "Choose another password",
            closing: """
                If that was you, there is nothing to do. If it was not, choose another password: that signs out every \
                device.
                """)
    }

    /// The letter that tells of a login on a device that its account has not had before.
    /// - Parameter publicURL: How people reach the server
    static func newDevice(_ device: Device, publicURL: String) -> Letter {
        Letter(
            kind: .newDevice, subject: "A login on a new device",
            opening: "Somebody logged in to your account on \(device.name), at \(device.lastLoggedInAt).",
            link: "\(publicURL)/auth/password/forgot", linkTitle: "Choose another password",
            closing: """
                If that was you, there is nothing to do. If it was not, choose another password: that signs out every \
                device.
                """)
    }
}
