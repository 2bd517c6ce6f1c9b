import DwellAPI

/// The part of a person's page that is about what they may ask for.
struct PersonRights {
    let name: String
    let id: Int64?
    let email: String?
    let username: String?
    let excluded: Excluded?
    /// Whether the reader may do something about it.
    let isOwner: Bool

    struct Excluded {
        let reason: String
        let since: ShownTime
    }

    /// - Parameters:
    ///   - person: As the page was asked for
    ///   - name: What has to be typed before they are erased
    init(_ person: AskedPerson, name: String, excluded: [ExcludedViewer], for reader: Operator, _ days: LocalDays) {
        self.name = name
        id = person.id
        email = person.email
        username = person.username
        self.excluded = excluded.first.map {
            Excluded(reason: $0.reason, since: ShownTime($0.excludedTime, days))
        }
        isOwner = reader.role == .owner
    }
}

/// The part of the settings that lists who is excluded, and what was erased.
struct RightsLists {
    let excluded: [Excluded]
    let hasExcluded: Bool
    let erasures: [Erasure]
    let hasErasures: Bool

    struct Excluded {
        let person: ShownPerson
        let reason: String
        let since: ShownTime
    }

    struct Erasure {
        let id: String
        let asked: ShownTime
        let by: String
        let rows: String
        let completed: ShownTime?
    }

    init(_ excluded: [ExcludedViewer], _ erasures: [ErasureReceipt], _ days: LocalDays) {
        self.excluded = excluded.map {
            Excluded(person: ShownPerson($0.viewer), reason: $0.reason, since: ShownTime($0.excludedTime, days))
        }
        hasExcluded = !excluded.isEmpty
        self.erasures = erasures.map { receipt in
            Erasure(
                id: receipt.id, asked: ShownTime(receipt.askedTime, days), by: receipt.askedBy, rows: receipt.rows,
                completed: receipt.completedTime.map { ShownTime($0, days) })
        }
        hasErasures = !erasures.isEmpty
    }
}
