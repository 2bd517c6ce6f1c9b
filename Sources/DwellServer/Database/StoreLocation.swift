/// Where the data is.
package enum StoreLocation: Sendable, Equatable {
    /// A file of the embedded database, by its path.
    case sqlite(String)
    case postgres(PostgresURL)

    /// - Parameter url: `sqlite:` and a path, or `postgres://…`; `nil` comes back for anything else
    package init?(_ url: String) {
        if let postgres = PostgresURL(url) {
            self = .postgres(postgres)
        } else if url.hasPrefix("sqlite:") {
            let path = url.dropFirst("sqlite:".count)
            // sqlite:///var/lib/dwell.sqlite is the same as sqlite:/var/lib/dwell.sqlite.
            let plain = path.hasPrefix("//") ? path.dropFirst(2) : path
            guard !plain.isEmpty else { return nil }
            self = .sqlite(String(plain))
        } else {
            return nil
        }
    }

    /// The file, when it is one.
    package var file: String? {
        guard case .sqlite(let path) = self else { return nil }
        return path
    }

    /// For people: never a password.
    package var description: String {
        switch self {
        case .sqlite(let path): path
        case .postgres(let url): url.description
        }
    }
}
