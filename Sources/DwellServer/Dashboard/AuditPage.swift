/// A page of the audit log.
struct AuditPage {
    let rows: [Row]
    let isEmpty: Bool
    /// Where the next page is.
    let next: String?

    struct Row {
        let at: ShownTime
        let event: String
        let outcome: String
        let isRefused: Bool
        let actor: String
        let subject: String
        let address: String
        let detail: String
    }

    init(_ records: [AuditRecord], next: LatestCursor?, days: LocalDays) {
        isEmpty = records.isEmpty
        self.next = next.map { "/dashboard/audit?cursor=\($0.text)" }
        rows = records.map { record in
            Row(
                at: ShownTime(record.at, days), event: record.event, outcome: record.outcome,
                isRefused: record.outcome != AuditOutcome.success.rawValue, actor: record.actor,
                subject: record.subject ?? "", address: record.address ?? "",
                detail: record.detail.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
                    .joined(separator: ", "))
        }
    }
}
