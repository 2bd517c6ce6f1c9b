import DwellAPI
import Foundation
import Hummingbird

/// Register, log in, log out.
struct AccountRoutes {
    let accounts: Accounts
    let devices: Devices
    let logins: Logins
    let rules: UserAgentRules
    let cookies: CookieMaker

    var endpoints: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .post("/auth/register", use: register)
            .post("/auth/login", use: login)
            .get("/auth/logout", use: logout)
            .post("/auth/logout", use: logout)
    }

    private func register(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let (user, browser) = try await accounts.register(try await request.json(RegisterBody.self))
        var response = try Response.json(user)
        if let browser { response.setCookie(cookies.code(.verification, browser)) }
        return response
    }

    private func login(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let body = try await request.json(LoginBody.self)
        let presented = try await presentedLogin(request)
        let (user, device) = try await accounts.login(
            body, on: DeviceDescription(headers: request.headers, rules: rules), presented: presented)
        var response = try Response.json(
            LoginReply(user: LoggedInUser(user), thisDevice: device.record))
        response.setCookie(cookies.make(.token, try await logins.token(for: device), maxAge: Logins.lifetime))
        response.setCookie(cookies.clear(.sessionRecord))
        return response
    }

    /// The login that the browser holds already. A dead one is no reason to refuse the next: it just frees no place.
    private func presentedLogin(_ request: Request) async throws -> Login? {
        do {
            return try await logins.login(token: request.cookie(.token))
        } catch is LoginError {
            return nil
        }
    }

    private func logout(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await devices.logOut(try await logins.login(token: request.cookie(.token)))
        var response = try Response.json(MessageReply("Logout Successful"))
        for name in [CookieName.token, .watchSession, .watchStart] { response.setCookie(cookies.clear(name)) }
        return response
    }
}
