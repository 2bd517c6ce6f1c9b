import Hummingbird

extension LoginOrigin {
    /// Where a request that logs in comes from.
    /// - Parameters:
    ///   - rules: The rules to understand the User-Agent by
    ///   - logins: Know whose token comes with it
    init(
        _ request: Request, context: DwellRequestContext, rules: UserAgentRules, logins: Logins
    ) async throws {
        self.init(
            description: DeviceDescription(headers: request.headers, rules: rules),
            address: context.address,
            browser: request.cookie(.browser).flatMap(RandomSecret.init),
            presented: try await Self.presented(request, logins))
    }

    /// The login that the browser holds already. A dead one is no reason to refuse the next: it just frees no place.
    private static func presented(_ request: Request, _ logins: Logins) async throws -> Login? {
        do {
            return try await logins.login(token: request.cookie(.token))
        } catch is LoginError {
            return nil
        }
    }
}
