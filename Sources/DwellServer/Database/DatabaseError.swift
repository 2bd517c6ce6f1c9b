/// What a store can answer instead of a result, whichever database it is.
package enum DatabaseError: Error, Sendable, Equatable {
    /// The store can't be reached or can't write now (busy, disk full, read-only, I/O error). Nothing was stored; a
    /// later try may succeed.
    case unavailable(String)
    /// The schema refused a row.
    case constraint(String)
    /// The file is no database, or a damaged one.
    case corrupt(String)
    /// A mistake in the program: SQL that does not compile, a column that is not there.
    case failure(String)
}

extension DatabaseError: CustomStringConvertible {
    /// The cause, for the log; never shown to a client.
    package var description: String {
        switch self {
        case .unavailable(let cause): "store unavailable: \(cause)"
        case .constraint(let cause): "constraint failed: \(cause)"
        case .corrupt(let cause): "not a sound database: \(cause)"
        case .failure(let cause): "database failure: \(cause)"
        }
    }
}
