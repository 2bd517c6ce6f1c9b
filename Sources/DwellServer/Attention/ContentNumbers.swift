import Synchronization

/// The numbers of pages and videos, remembered so that a beat need not look them up.
package final class ContentNumbers: Sendable {
    /// What a number stands for.
    struct Content: Hashable, Sendable {
        enum Kind: String { case page, video }
        let kind: Kind
        let name: String
    }

    private static let capacity = 10_000

    private struct State {
        var known = BoundedCache<Content, Int64>(capacity: ContentNumbers.capacity)
        /// Counts how often everything was forgotten.
        var changes = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// A number that was remembered.
    func number(of content: Content) -> Int64? {
        state.withLock { $0.known[content] }
    }

    /// To be taken before the database is asked.
    var moment: Int { state.withLock { $0.changes } }

    /// Remembers numbers whose rows are committed, unless names were taken away since the database was asked.
    func remember(_ numbers: [Content: Int64], since moment: Int) {
        guard !numbers.isEmpty else { return }
        state.withLock { state in
            guard state.changes == moment else { return }
            for (content, number) in numbers { state.known.insert(number, for: content) }
        }
    }

    /// Forgets everything: names that were taken away mean somebody else's pages from now on.
    func forget() {
        state.withLock { $0 = State(changes: $0.changes + 1) }
    }
}

/// The content table inside one transaction.
struct ContentQueries {
    let connection: any DatabaseConnection
    let known: ContentNumbers
    /// When the database was asked first.
    let moment: Int
    /// Numbers met in this transaction; to be remembered when it is committed.
    private(set) var fresh: [ContentNumbers.Content: Int64] = [:]

    init(connection: any DatabaseConnection, known: ContentNumbers) {
        self.connection = connection
        self.known = known
        moment = known.moment
    }

    /// The number of a page or video; its row is made when there is none.
    mutating func number(of name: String, kind: ContentNumbers.Content.Kind) throws -> Int64 {
        let content = ContentNumbers.Content(kind: kind, name: name)
        if let number = known.number(of: content) ?? fresh[content] { return number }
        let number: Int64
        let row = try connection.row(
            "SELECT id FROM content WHERE kind = $1 AND name = $2", [kind.rawValue, name])
        if let row {
            number = try row["id"]
        } else {
            number = try connection.nextNumber(of: .content)
            try connection.execute(
                "INSERT INTO content (id, kind, name) VALUES ($1, $2, $3)", [number, kind.rawValue, name])
        }
        fresh[content] = number
        return number
    }
}
