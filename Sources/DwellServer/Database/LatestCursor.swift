import DwellAPI

/// A place in a list that goes from the latest to the earliest, and where two are as late, by their ids.
package struct LatestCursor: Sendable, Equatable {
    let at: Timestamp
    let id: String

    init(at: Timestamp, id: String) {
        self.at = at
        self.id = id
    }

    /// Before everything there is.
    package static let start = LatestCursor(at: Timestamp(milliseconds: .max), id: "")

    /// The cursor that a page ended with.
    /// - Parameter text: As ``text`` gave it; `nil` comes back for anything else
    package init?(_ text: String) {
        let parts = text.split(separator: "_", maxSplits: 1)
        guard parts.count == 2, let at = Int64(parts[0]) else { return nil }
        self.init(at: Timestamp(milliseconds: at), id: String(parts[1]))
    }

    /// The form for URLs; what it holds is nobody's business.
    package var text: String { "\(at.milliseconds)_\(id)" }
}
