import DwellAPI

/// Every gate, and whom it lets in.
struct GatesPage {
    let rows: [Row]

    struct Row {
        let name: String
        let path: String
        let level: String
        let paths: [String]
        let sites: [String]
        let allow: String
        let deny: String
        let visitors: String
        let closes: ShownTime?
    }

    init(_ gates: [GateRules], counts: [String: VisitorCount], days: LocalDays) {
        rows = gates.map { gate in
            let count = counts[gate.name]
            return Row(
                name: gate.name, path: "/dashboard/gate?name=\(ShownPerson.coded(gate.name))",
                level: gate.level.rawValue, paths: gate.paths, sites: gate.sites,
                allow: gate.allow.isEmpty ? "everybody" : gate.allow.texts.joined(separator: ", "),
                deny: gate.deny.isEmpty ? "nobody" : gate.deny.texts.joined(separator: ", "),
                visitors: count.map { "\($0.isAtLeast ? "more than " : "")\($0.count)" } ?? "0",
                closes: gate.closesAt.map { ShownTime($0, days) })
        }
    }
}

/// A gate's visitors.
struct GatePage {
    let gate: String
    let level: String
    let paths: String
    let closes: ShownTime?
    let rows: [Row]
    let isEmpty: Bool
    /// Whether whoever looks may keep visitors out.
    let canChange: Bool
    /// What the buttons send back, to show this page again.
    let cursor: String?
    /// Where the next page is.
    let next: String?

    struct Row {
        let person: ShownPerson
        let email: String
        let lastEntry: ShownTime
        let entries: Int
        let identity: String
        let state: String
        let isRevoked: Bool
        let isRevokedEverywhere: Bool
    }

    init(
        _ gate: GateRules, _ visitors: [ListedVisitor], from cursor: LatestCursor, next: LatestCursor?,
        canChange: Bool, days: LocalDays
    ) {
        self.gate = gate.name
        level = gate.level.rawValue
        paths = (gate.paths + gate.sites).joined(separator: ", ")
        closes = gate.closesAt.map { ShownTime($0, days) }
        isEmpty = visitors.isEmpty
        self.canChange = canChange
        self.cursor = cursor == .start ? nil : cursor.text
        self.next = next.map { "/dashboard/gate?name=\(ShownPerson.coded(gate.name))&cursor=\($0.text)" }
        rows = visitors.map { visitor in
            Row(
                person: ShownPerson(visitor.viewer), email: visitor.viewer.email,
                lastEntry: ShownTime(visitor.lastEntryTime, days), entries: visitor.entries,
                identity: visitor.identity.rawValue,
                state: visitor.isRevokedEverywhere
                    ? "kept out of every gate"
                    : visitor.isRevoked
                        ? "kept out" : gate.admits(visitor.viewer.email) ? "may enter" : "kept out by the lists",
                isRevoked: visitor.isRevoked, isRevokedEverywhere: visitor.isRevokedEverywhere)
        }
    }
}
