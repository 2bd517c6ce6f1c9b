import Foundation
import JWTKit

/// The keys that sign login tokens: one signs, and what the one before it signed stays good.
struct LoginKeys: Sendable {
    private static let algorithm = "HS256"
    private static let type = "JWT"
    /// What a header may say. Nothing else is heard, least of all where to find a key.
    private static let fields: Set = ["alg", "typ", "kid"]
    /// What every key was called before they were told apart.
    private static let oldName = "1"

    private let keys = JWTKeyCollection()
    /// The keys' names, the one that signs first.
    private let names: [String]

    init(_ secret: SecretKey) async {
        let named = secret.named(for: .login)
        names = named.map { $0.name }
        for (name, key) in named {
            await keys.add(hmac: HMACKey(key: key), digestAlgorithm: .sha256, kid: JWKIdentifier(string: name))
        }
    }

    func sign(_ payload: LoginPayload) async throws -> String {
        try await keys.sign(payload, kid: JWKIdentifier(string: names[0]))
    }

    /// What a token says that was signed by one of the keys; `nil` for every other text.
    func payload(of token: String) async -> LoginPayload? {
        guard let header = try? DefaultJWTParser().parse(Array(token.utf8), as: LoginPayload.self).header,
            Self.fields.isSuperset(of: header.fields.keys), header.alg == Self.algorithm, header.typ == Self.type
        else { return nil }
        guard let kid = header.fields["kid"] else { return await payload(of: token, triesAll: true) }
        guard let name = kid.asString, name == Self.oldName || names.contains(name) else { return nil }
        return await payload(of: token, triesAll: name == Self.oldName)
    }

    private func payload(of token: String, triesAll: Bool) async -> LoginPayload? {
        try? await keys.verify(token, as: LoginPayload.self, iteratingKeys: triesAll)
    }
}

/// What a login token says.
struct LoginPayload: JWTPayload {
    static let audience = "login"

    let userId: String
    let deviceId: String
    /// Which of the device's logins; tokens of before they were counted do not say.
    let login: Int64?
    /// Seconds since 1970.
    let iat: Int64
    /// Seconds since 1970.
    let exp: Int64
    let aud: String

    /// The signature is all that is checked here; the end is compared with the server's own clock.
    func verify(using algorithm: some JWTAlgorithm) {}
}
