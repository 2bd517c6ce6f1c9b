package import DwellAPI
package import Foundation
import JWTKit
import Synchronization

/// A person who is logged in on a device.
package struct Login: Sendable, Equatable {
    /// The account's id.
    package let account: UUID
    package let device: UUID
    /// The number by which sessions and statistics know the person.
    package let viewer: Int64
}

/// Why a login token does not let anybody in.
package enum LoginError: Error, Equatable {
    /// There is none.
    case missing
    /// It is past its end.
    case expired
    /// It is not one of this server's.
    case invalid
    /// Its device was ended.
    case deviceRemoved(Device.Removal, at: Timestamp)
}

/// Makes and checks login tokens: JSON Web Tokens that name an account and a device. The device's row has the last
/// word on each request.
package struct Logins: Sendable {
    /// How long a token lasts, in seconds: 365 days.
    package static let lifetime = 31_536_000

    private let keys: JWTKeyCollection
    private let statuses: DeviceStatuses
    private let verified = VerifiedTokens()
    private let clock: WallClock

    /// - Parameters:
    ///   - secret: Signs the tokens
    ///   - database: Where the devices are
    ///   - announcements: Tells of devices removed on other nodes; without them each request asks the database
    ///   - clock: Decides what is expired
    package init(
        secret: SecretKey, database: any Database, announcements: Announcements? = nil, clock: WallClock
    ) async {
        keys = JWTKeyCollection()
        await keys.add(hmac: HMACKey(key: secret.derived(for: .login)), digestAlgorithm: .sha256, kid: "1")
        statuses = DeviceStatuses(database: database, announcements: announcements)
        self.clock = clock
    }

    /// A token for a device.
    package func token(for device: Device) async throws -> String {
        let now = clock.now().milliseconds / 1000
        return try await keys.sign(
            Payload(
                userId: device.account.lowercase, deviceId: device.id.lowercase, iat: now,
                exp: now + Int64(Self.lifetime), aud: Payload.audience), kid: "1")
    }

    /// Who a token lets in.
    /// - Throws: ``LoginError``
    package func login(token: String?) async throws -> Login {
        guard let token, !token.isEmpty else { throw LoginError.missing }
        let claims = try await claims(of: token)
        guard isCurrent(claims) else { throw LoginError.expired }
        guard let status = try await statuses.status(of: claims.device, account: claims.account) else {
            throw LoginError.invalid
        }
        if let (removal, time) = status.removal { throw LoginError.deviceRemoved(removal, at: time) }
        return Login(account: claims.account, device: claims.device, viewer: status.viewer)
    }

    /// Who a token lets in, as far as that can be told at once.
    /// - Returns: `nil` when ``login(token:)`` has to be asked
    func rememberedLogin(token: String) -> Login? {
        guard let claims = verified[token], isCurrent(claims),
            let viewer = statuses.rememberedViewer(of: claims.device, account: claims.account)
        else { return nil }
        return Login(account: claims.account, device: claims.device, viewer: viewer)
    }

    private func isCurrent(_ claims: VerifiedTokens.Claims) -> Bool {
        clock.now().milliseconds / 1000 < claims.end
    }

    private func claims(of token: String) async throws -> VerifiedTokens.Claims {
        if let claims = verified[token] { return claims }
        guard let payload = try? await keys.verify(token, as: Payload.self), payload.aud == Payload.audience,
            let account = UUID(uuidString: payload.userId), let device = UUID(uuidString: payload.deviceId)
        else { throw LoginError.invalid }
        let claims = VerifiedTokens.Claims(account: account, device: device, end: payload.exp)
        verified.remember(claims, of: token)
        return claims
    }

    private struct Payload: JWTPayload {
        static let audience = "login"

        let userId: String
        let deviceId: String
        /// Seconds since 1970.
        let iat: Int64
        /// Seconds since 1970.
        let exp: Int64
        let aud: String

        /// The signature is all that is checked here; the end is compared with the server's own clock.
        func verify(using algorithm: some JWTAlgorithm) {}
    }
}

/// What login tokens say whose signature was checked: that stays true. Whether they have ended, and their device, must
/// be asked each time.
private final class VerifiedTokens: Sendable {
    struct Claims {
        let account: UUID
        let device: UUID
        /// Seconds since 1970.
        let end: Int64
    }

    private let known = Mutex(BoundedCache<String, Claims>(capacity: 20_000))

    subscript(token: String) -> Claims? {
        known.withLock { $0[token] }
    }

    func remember(_ claims: Claims, of token: String) {
        known.withLock { $0.insert(claims, for: token) }
    }
}
