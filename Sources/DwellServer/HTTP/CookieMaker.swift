import Hummingbird

/// Makes cookies by one rule: for the whole site where nothing else is said, never for other hosts, `Secure` under https.
struct CookieMaker: Sendable {
    /// Whether people reach the server by https.
    let isSecure: Bool

    /// As long as browsers keep a cookie, in seconds: 400 days.
    static let longest = 400 * 86_400

    /// A cookie.
    /// - Parameters:
    ///   - name: One of ``CookieName``
    ///   - value: Characters that a cookie may have
    ///   - maxAge: Seconds
    ///   - isReadable: Whether the page's script may read it
    ///   - sameSite: Which requests carry it
    ///   - path: Where it is sent
    func make(
        _ name: CookieName, _ value: String, maxAge: Int, isReadable: Bool = false, sameSite: Cookie.SameSite = .lax,
        path: String = "/"
    ) -> Cookie {
        Cookie(
            name: name.rawValue, value: value, maxAge: maxAge, path: path, secure: isSecure, httpOnly: !isReadable,
            sameSite: sameSite)
    }

    /// Tells the browser to forget a cookie.
    func clear(_ name: CookieName) -> Cookie {
        make(name, "", maxAge: 0)
    }
}

/// Every cookie that Dwell knows.
struct CookieName {
    let rawValue: String

    /// Names the gate session whose record beats move.
    static let sessionRecord = CookieName(rawValue: "session_record_id")
    /// Opens the pages behind a gate.
    static func access(to gate: GateRules) -> CookieName {
        CookieName(rawValue: "dwell_access\(gate.name == GateRules.standardName ? "" : "_\(gate.name)")")
    }
    /// Proves that this browser asked for the code that opens a gate.
    static let gate = CookieName(rawValue: "dwell_gate")
    /// Proves that this browser asked for the code that opens another password.
    static let reset = CookieName(rawValue: "dwell_reset")
    /// Proves that this browser asked for the code that confirms an email.
    static let verification = CookieName(rawValue: "dwell_verification")
    /// The login.
    static let token = CookieName(rawValue: "token")
    /// What the browser is recognised by at its next login.
    static let browser = CookieName(rawValue: "dwell_browser")
    /// The watch-time session's number.
    static let watchSession = CookieName(rawValue: "sessionId")
    /// Where an operator is signed in.
    static let signIn = CookieName(rawValue: "dwell_operator")
    /// When the watch-time session began, in milliseconds.
    static let watchStart = CookieName(rawValue: "initTime")
}

extension Request {
    /// The value of a cookie; an empty one counts as none.
    func cookie(_ name: CookieName) -> String? {
        cookies[name.rawValue].flatMap { $0.value.isEmpty ? nil : $0.value }
    }
}
