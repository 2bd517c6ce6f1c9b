package import DwellAPI
import Foundation

/// What a gate guards, and whom it lets in for how long.
package struct GateRules: Sendable, Equatable {
    /// What a visitor has to show.
    package enum Level: String, Sendable, CaseIterable {
        /// An address, whosever it is.
        case open
        /// A code that was mailed to the address.
        case verified

        /// How sure the address of a visitor is.
        var identity: VisitorIdentity { self == .open ? .claimed : .verified }
    }

    /// The name of the gate that is always there.
    package static let standardName = "default"
    /// The gate that is there when no file says otherwise.
    package static let standard = GateRules(name: standardName, paths: ["/\(Site.confidentialFolder)/"])

    package let name: String
    /// Folders of the site, such as `/confidential/`.
    package let paths: [String]
    package var level = Level.open
    /// Who may enter; everybody when empty.
    package var allow = AddressList()
    /// Who may not.
    package var deny = AddressList()
    /// How long a pass is good, in milliseconds.
    package var passLifetime: Int64 = 86_400_000
    /// When nobody enters any more, and passes open nothing.
    package var closesAt: Timestamp?
    /// Where else the gate's page is shown, such as `https://wiki.example`: sites whose proxy asks whether it is open.
    package var sites: [String] = []
    private let folders: [[String]]

    package init(name: String, paths: [String] = []) {
        self.name = name
        self.paths = paths
        folders = paths.map { Site.parts(of: $0) }
    }

    /// Where a visitor goes who did not say.
    var target: String { paths.first ?? "/" }

    /// Whether the lists let an address in.
    func admits(_ email: String) -> Bool {
        (allow.isEmpty || allow.contains(email)) && !deny.contains(email)
    }

    /// - Throws: ``GateError/closed(at:)``
    func checkOpen(at time: Timestamp) throws(GateError) {
        if let closesAt, closesAt <= time { throw .closed(at: closesAt) }
    }

    /// How closely a folder of the gate fits a place in the site; `nil` when it lies in none.
    func depth(over place: [String]) -> Int? {
        folders.filter { place.starts(with: $0) }.map(\.count).max()
    }

    /// One of ``sites``, by the host that it is asked under.
    func site(ofHost host: String?) -> String? {
        sites.first { URL(string: $0)?.authority == host?.lowercased() }
    }

    /// The gate's page, for a visitor who wants to go somewhere.
    /// - Parameter target: A path, maybe with a query
    func page(for target: String) -> String {
        let allowed = CharacterSet.urlPathAllowed.subtracting(CharacterSet(charactersIn: "&+=;"))
        let next = target.addingPercentEncoding(withAllowedCharacters: allowed) ?? "/"
        return "/gate?\(name == Self.standardName ? "" : "gate=\(name)&")next=\(next)"
    }
}

/// Why somebody is not let in.
package enum GateError: Error, Equatable {
    /// The lists, or the operator, keep this address out.
    case addressRefused
    /// The gate's time is over.
    case closed(at: Timestamp)
    /// The operator ended what this visitor had.
    case revoked(at: Timestamp)
    /// The gate needs a code, which a page of another origin can't be trusted with.
    case needsOwnPage
}
