import Synchronization

/// The numbers of pages and videos, remembered so that a beat need not look them up.
package final class ContentNumbers: Sendable {
    /// What a number stands for.
    struct Content: Hashable, Sendable {
        enum Kind: String { case page, video }
        let kind: Kind
        let name: String
    }

    private let known = Mutex(BoundedCache<Content, Int64>(capacity: 10_000))

    package init() {}

    /// A number that was remembered.
    func number(of content: Content) -> Int64? {
        known.withLock { $0[content] }
    }

    /// Remembers numbers whose rows are committed.
    func remember(_ numbers: [Content: Int64]) {
        guard !numbers.isEmpty else { return }
        known.withLock { known in
            for (content, number) in numbers { known.insert(number, for: content) }
        }
    }
}

/// The content table inside one transaction.
struct ContentQueries {
    let connection: any DatabaseConnection
    let known: ContentNumbers
    /// Numbers met in this transaction; to be remembered when it is committed.
    private(set) var fresh: [ContentNumbers.Content: Int64] = [:]

    init(connection: any DatabaseConnection, known: ContentNumbers) {
        self.connection = connection
        self.known = known
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
