import DwellAPI
import Hummingbird

/// The ways to another password: with the old one, or with a code that is mailed.
struct PasswordRoutes {
    let passwords: Passwords
    let codes: MailedCodes
    let logins: Logins
    let pages: Pages
    let cookies: CookieMaker

    /// What may be asked for from anywhere, such as by a link in a mail. It changes nothing.
    var shown: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/auth/password/forgot") { _, _ in try page(.forgotten) }
            .get("/auth/password/reset") { _, _ in try page(.reset) }
    }

    var endpoints: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .post("/auth/password", use: change)
            .post("/auth/password/forgot", use: forgot)
            .post("/auth/password/reset", use: reset)
    }

    private func page(_ page: AccountPage) throws -> Response {
        guard codes.isSetUp else { throw MailError.notSetUp }
        return pages.account(page)
    }

    private func change(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let login = try await logins.login(token: request.cookie(.token))
        try await passwords.change(
            try await request.json(PasswordChangeBody.self), by: login, from: context.address)
        return try .json(MessageReply("Password changed"))
    }

    private func forgot(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await AccountForm(pages: pages).answer(request, on: .forgotten) { (body: ForgottenPasswordBody) in
            let email = try EmailAddress.normalize(body.email)
            let browser = try await codes.ask(for: .reset, email: email, from: context.address)
            return AccountForm.Answer(
                message: "If an account has this email, a code is on its way", page: .reset,
                cookie: cookies.code(.reset, browser))
        }
    }

    private func reset(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await AccountForm(pages: pages).answer(request, on: .reset) { (body: PasswordResetBody) in
            let username = try await passwords.reset(
                body, browser: request.cookie(.reset), from: context.address)
            let message = "Password changed. Log in as \(username)"
            return AccountForm.Answer(
                message: message, page: .done("Password changed", "Log in as \(username), on every device."),
                cookie: cookies.clear(.reset))
        }
    }
}

extension CookieMaker {
    /// The cookie by which the browser is known that asked for a code.
    func code(_ purpose: MailedCode.Purpose, _ browser: String) -> Cookie {
        make(.code(purpose), browser, maxAge: Int(MailedCode.lifetime / 1000), sameSite: .strict)
    }
}

extension CookieName {
    fileprivate static func code(_ purpose: MailedCode.Purpose) -> CookieName {
        switch purpose {
        case .reset: .reset
        case .verification: .verification
        case .gate: .gate
        }
    }
}
