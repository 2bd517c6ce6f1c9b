package import DwellAPI
package import Foundation
import Synchronization

/// A person who is logged in on a device.
package struct Login: Sendable, Equatable {
    /// The account's id.
    package let account: UUID
    package let device: UUID
    /// Which of the device's logins it is.
    package let number: Int64
    /// The number by which sessions and statistics know the person.
    package let viewer: Int64
}

/// What a token says of a login.
struct LoginKey: Sendable, Hashable {
    let account: UUID
    let device: UUID
    let number: Int64
}

/// Why a login token does not let anybody in.
package enum LoginError: Error, Equatable {
    /// There is none.
    case missing
    /// It is past its end.
    case expired
    /// It is not one of this server's.
    case invalid
    /// It is, and its account is no more.
    case accountDeleted
    /// Its device was ended, or logged in anew.
    case deviceRemoved(Device.Removal, at: Timestamp)
}

/// Makes and checks login tokens: JSON Web Tokens that name an account, a device, and which of the device's logins it
/// is. The device's row has the last word on each request.
package struct Logins: Sendable {
    private let keys: LoginKeys
    private let statuses: DeviceStatuses
    private let verified = VerifiedTokens()
    private let clock: WallClock
    private let settings: DeviceSettings

    /// - Parameters:
    ///   - secret: Signs the tokens
    ///   - database: Where the devices are
    ///   - announcements: Tells of devices removed on other nodes; without them each request asks the database
    ///   - clock: Decides what is expired
    ///   - settings: How long logins last
    package init(
        secret: SecretKey, database: any Database, announcements: Announcements? = nil, clock: WallClock,
        settings: DeviceSettings = DeviceSettings()
    ) async {
        keys = await LoginKeys(secret)
        statuses = DeviceStatuses(database: database, announcements: announcements, settings: settings)
        self.clock = clock
        self.settings = settings
    }

    /// How long a token lasts, in seconds.
    package var lifetime: Int { Int(settings.lifetime / 1000) }

    /// A token for a device.
    package func token(for device: Device) async throws -> String {
        let now = clock.now().milliseconds / 1000
        return try await keys.sign(
            LoginPayload(
                userId: device.account.lowercase, deviceId: device.id.lowercase, login: device.login, iat: now,
                exp: now + Int64(lifetime), aud: LoginPayload.audience))
    }

    /// Who a token lets in.
    /// - Throws: ``LoginError``
    package func login(token: String?) async throws -> Login {
        guard let token, !token.isEmpty else { throw LoginError.missing }
        let claims = try await claims(of: token)
        let now = clock.now()
        guard claims.isCurrent(at: now) else { throw LoginError.expired }
        return claims.login(viewer: try await statuses.viewer(of: claims.login, at: now))
    }

    /// Who a token lets in, as far as that can be told at once.
    /// - Returns: `nil` when ``login(token:)`` has to be asked
    func rememberedLogin(token: String) -> Login? {
        let now = clock.now()
        guard let claims = verified[token], claims.isCurrent(at: now),
            let viewer = statuses.rememberedViewer(of: claims.login, at: now)
        else { return nil }
        return claims.login(viewer: viewer)
    }

    private func claims(of token: String) async throws -> LoginClaims {
        if let claims = verified[token] { return claims }
        guard let payload = await keys.payload(of: token), payload.aud == LoginPayload.audience,
            let account = UUID(uuidString: payload.userId), let device = UUID(uuidString: payload.deviceId)
        else { throw LoginError.invalid }
        let claims = LoginClaims(
            login: LoginKey(account: account, device: device, number: payload.login ?? 0), end: payload.exp)
        verified.remember(claims, of: token)
        return claims
    }
}

/// What a token says whose signature was checked.
private struct LoginClaims {
    let login: LoginKey
    /// Seconds since 1970.
    let end: Int64

    func isCurrent(at time: Timestamp) -> Bool { time.milliseconds / 1000 < end }

    func login(viewer: Int64) -> Login {
        Login(account: login.account, device: login.device, number: login.number, viewer: viewer)
    }
}

/// What login tokens say whose signature was checked: that stays true. Whether they have ended, and their device, must
/// be asked each time.
private final class VerifiedTokens: Sendable {
    private let known = Mutex(BoundedCache<String, LoginClaims>(capacity: 20_000))

    subscript(token: String) -> LoginClaims? {
        known.withLock { $0[token] }
    }

    func remember(_ claims: LoginClaims, of token: String) {
        known.withLock { $0.insert(claims, for: token) }
    }
}
