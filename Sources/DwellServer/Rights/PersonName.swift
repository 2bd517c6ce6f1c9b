/// Whom an operator or a program means.
package enum PersonName: Sendable, Equatable {
    /// One viewer, by number.
    case viewer(Int64)
    /// Every viewer with this email, a guest and an account alike; the account with this username; or both in one.
    case named(email: String?, username: String?)

    /// The numbers of the viewers.
    /// - Throws: ``UnknownPerson``
    func viewers(_ connection: any DatabaseConnection) throws -> [Int64] {
        let found =
            switch self {
            case .viewer(let id):
                try connection.rows("SELECT id FROM viewer WHERE id = $1", [id]).map { try $0["id"] as Int64 }
            case .named(let email, let username):
                try ReportQueries(connection: connection).viewers(email: email, username: username) ?? []
            }
        guard !found.isEmpty else { throw UnknownPerson() }
        return found
    }
}

/// There is nobody who is meant.
package struct UnknownPerson: Error, Equatable {}

/// On whose behalf something is done to a person.
package enum Asker: Sendable, Equatable {
    case `operator`(String)
    /// A key of the API, by its name.
    case key(String)
    case commandLine

    /// As it is noted.
    package var text: String {
        switch self {
        case .operator(let name): "operator \(name)"
        case .key(let name): "key \(name)"
        case .commandLine: "command line"
        }
    }
}
