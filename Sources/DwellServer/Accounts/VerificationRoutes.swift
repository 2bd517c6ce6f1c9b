import DwellAPI
import Hummingbird

/// The way to a confirmed email.
struct VerificationRoutes {
    let verification: Verification
    let logins: Logins
    let pages: Pages
    let cookies: CookieMaker

    /// What may be asked for from anywhere, such as by a link in a mail. It changes nothing.
    var shown: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/auth/email/verify") { _, _ in
                guard verification.codes.isSetUp else { throw MailError.notSetUp }
                return pages.account(.verification)
            }
    }

    var endpoints: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .post("/auth/email/send", use: send)
            .post("/auth/email/verify", use: verify)
    }

    private func send(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let login = try await logins.login(token: request.cookie(.token))
        guard let browser = try await verification.ask(by: login, from: context.address) else {
            return try .json(MessageReply("Email confirmed already"))
        }
        var response = try Response.json(MessageReply("A code is on its way"))
        response.setCookie(cookies.code(.verification, browser))
        return response
    }

    private func verify(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await AccountForm(pages: pages).answer(request, on: .verification) { (body: EmailVerificationBody) in
            try await verification.confirm(
                body.code, browser: request.cookie(.verification), from: context.address)
            return AccountForm.Answer(
                message: "Email confirmed", page: .done("Email confirmed", "Thank you."),
                cookie: cookies.clear(.verification))
        }
    }
}
