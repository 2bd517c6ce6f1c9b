import DwellAPI
import Foundation
import Hummingbird

/// Register, log in, also in the place of another device, log out.
struct AccountRoutes {
    let accounts: Accounts
    let devices: Devices
    let logins: Logins
    let rules: UserAgentRules
    let cookies: CookieMaker
    let metrics: Metrics

    var endpoints: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .post("/auth/register", use: register)
            .post("/auth/login", use: login)
            .get("/auth/logout", use: logout)
            .post("/auth/logout", use: logout)
            .post("/devices/replace", use: replace)
    }

    private func register(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let (user, browser) = try await accounts.register(
            try await request.json(RegisterBody.self), from: context.address)
        var response = try Response.json(user)
        if let browser { response.setCookie(cookies.code(.verification, browser)) }
        return response
    }

    private func login(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let body = try await request.json(LoginBody.self)
        let origin = try await LoginOrigin(request, context: context, rules: rules, logins: logins)
        do {
            return try await reply(to: try await counted { try await accounts.login(body, from: origin) })
        } catch let error as DeviceError {
            guard case .limitReached(_, let ticket?) = error else { throw error }
            // The ticket is good in this browser alone: it has to be recognised.
            var shown = PublicError(error)
            shown.headers[.setCookie] = cookies.browser(ticket.browser).description
            throw shown
        }
    }

    private func replace(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let body = try await request.json(ReplaceBody.self)
        let origin = try await LoginOrigin(request, context: context, rules: rules, logins: logins)
        return try await reply(to: try await counted { try await accounts.login(body, from: origin) })
    }

    private func counted(_ login: () async throws -> Admission) async throws -> Admission {
        do {
            let admission = try await login()
            metrics.logins.add(to: .admitted)
            return admission
        } catch {
            metrics.logins.add(to: Metrics.LoginOutcome(PublicError(error)))
            throw error
        }
    }

    private func reply(to admission: Admission) async throws -> Response {
        var response = try Response.json(
            LoginReply(user: LoggedInUser(admission.user), thisDevice: admission.device.record))
        let token = try await logins.token(for: admission.device)
        response.setCookie(cookies.make(.token, token, maxAge: logins.lifetime))
        response.setCookie(cookies.browser(admission.browser))
        response.setCookie(cookies.clear(.sessionRecord))
        return response
    }

    private func logout(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let login = try await logins.login(token: request.cookie(.token))
        try await devices.logOut(login, from: context.address)
        var response = try Response.json(MessageReply("Logout Successful"))
        for name in [CookieName.token, .watchSession, .watchStart] { response.setCookie(cookies.clear(name)) }
        return response
    }
}

extension CookieMaker {
    /// What a browser is recognised by, through every logout.
    fileprivate func browser(_ secret: RandomSecret) -> Cookie {
        make(.browser, secret.text, maxAge: Self.longest)
    }
}
