import Hummingbird

extension APIKeys {
    /// Lets in who has a key. It is looked at first: nobody can guess one, and who has one is not to wait for those who try.
    /// - Parameters:
    ///   - attempts: Limits the others
    ///   - scope: What the key has to be for
    /// - Returns: Who it is
    /// - Throws: ``KeyError``, ``ScopeError``, ``QuotaError`` or ``TooManyTries``
    @discardableResult
    func authenticate(
        _ request: Request, _ context: DwellRequestContext, _ attempts: Attempts, scope: APIScope = .read
    ) async throws -> APIKey {
        var found: APIKey?
        if let secret = request.bearerToken { found = try await key(secret) }
        if let found { try count(found, context) }
        if let found, found.scopes.contains(scope) { return found }
        let known = found
        return try await attempts.run(
            Attempt(.apiKey, subject: known?.name, address: context.address),
            [.address(.key, context.address?.connection)]
        ) {
            guard known == nil else { throw ScopeError(needed: scope) }
            throw KeyError()
        }
    }

    /// Takes the request of the key's quota, and has the answer say what is left.
    private func count(_ key: APIKey, _ context: DwellRequestContext) throws {
        guard let limits else { return }
        let state = limits.take(key.id)
        context.answerFields.add(limits.fields(state))
        if !state.isAllowed { throw QuotaError(seconds: state.next) }
    }
}
