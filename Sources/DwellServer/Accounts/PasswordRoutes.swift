import DwellAPI
import Hummingbird

/// The ways to another password.
struct PasswordRoutes {
    let passwords: Passwords
    let logins: Logins

    var endpoints: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .post("/auth/password", use: change)
    }

    private func change(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let login = try await logins.login(token: request.cookie(.token))
        try await passwords.change(try await request.json(PasswordChangeBody.self), by: login)
        return try .json(MessageReply("Password changed"))
    }
}
