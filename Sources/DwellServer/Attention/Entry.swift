package import DwellAPI
package import Foundation

/// How a viewer came in: through the gate, by `/session/init`, or with a login's first beat. Cookies and tokens name it.
///
/// It is the viewer's session of that moment; after 30 minutes of silence the next one begins, of the same entry.
package struct Entry: Sendable, Equatable {
    package let viewer: Int64
    /// The number of its first session.
    package let id: Int64
    /// Nothing that happened before is credited.
    package let startedAt: Timestamp
    package let device: UUID?
    /// The number of the login on the device.
    package let login: Int64
    /// The number of the video that it was made for.
    package let videoID: Int64?
    /// When the next one took its place by name.
    package let closedAt: Timestamp?

    /// How a guest came in.
    package struct Gateway: Sendable, Equatable {
        /// The gate's name.
        package let gate: String
        package let identity: VisitorIdentity

        /// What nobody noted: the one gate that there always was, where an email is typed.
        static let standard = Gateway(gate: GateRules.standardName, identity: .claimed)

        package init(gate: String, identity: VisitorIdentity) {
            self.gate = gate
            self.identity = identity
        }
    }
}

/// The tokens that name entries: the gate's cookie, and what beats carry that come without cookies.
package struct EntryTokens: Sendable {
    /// How long a page may keep what it could not tell, in milliseconds: 30 days.
    package static let lifetime: Int64 = 30 * 86_400_000

    private let tokens: SignedToken
    private let clock: WallClock

    package init(secret: SecretKey, clock: WallClock) {
        tokens = SignedToken(keys: secret.derived(for: .session))
        self.clock = clock
    }

    /// A token for an entry.
    /// - Parameter lifetime: How long it is good, in milliseconds
    package func token(viewer: Int64, entry: Int64, lifetime: Int64 = EntryTokens.lifetime) -> String {
        tokens.value(of: SignedToken.Content(viewer: viewer, entry: entry, expiresAt: clock.now() + lifetime))
    }

    /// The viewer and entry that a token names; `nil` when it is forged or past its end.
    package func entry(of token: some StringProtocol) -> SignedToken.Content? {
        tokens.content(of: token, now: clock.now())
    }
}
