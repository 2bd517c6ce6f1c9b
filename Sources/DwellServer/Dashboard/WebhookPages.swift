import DwellAPI

/// Where events go, how it has gone lately, and the latest deliveries.
struct WebhooksPage {
    let endpoints: [Endpoint]
    let hasNone: Bool
    let rows: [Row]
    let isEmpty: Bool
    /// Where the next page is.
    let next: String?

    struct Endpoint {
        let url: String
        let events: String
        let health: String
        let isBad: Bool
        let waiting: Int
        let failed: Int
        let delivered: ShownTime?
    }

    struct Row {
        let id: String
        let made: ShownTime
        let type: String
        let url: String
        let state: String
        let isBad: Bool
        let attempts: Int
        let answer: String
        let nextTry: ShownTime?
        /// Whether it can be sent again.
        let canReplay: Bool
    }

    init(_ webhooks: [WebhookRecord], _ page: WebhookDeliveryPage, days: LocalDays) {
        endpoints = webhooks.map { Endpoint($0, days) }
        hasNone = webhooks.isEmpty
        let known = Dictionary(uniqueKeysWithValues: webhooks.map { ($0.id, $0) })
        rows = page.deliveries.map { Row($0, to: known[$0.webhookId], days) }
        isEmpty = page.deliveries.isEmpty
        next = page.nextCursor.map { "/dashboard/webhooks?cursor=\($0)" }
    }
}

extension WebhooksPage.Endpoint {
    fileprivate init(_ webhook: WebhookRecord, _ days: LocalDays) {
        let refused = webhook.refusedTime.map { refused in webhook.deliveredTime.map { $0 < refused } ?? true } ?? false
        let health =
            if webhook.disabledTime != nil { "out of use: it answered 410" } else if refused {
                "refused last: \(webhook.refusal ?? "")"
            } else if webhook.deliveredTime != nil { "takes what comes" } else { "nothing sent yet" }
        self.init(
            url: webhook.url, events: webhook.events.map(\.rawValue).joined(separator: ", "), health: health,
            isBad: refused || webhook.disabledTime != nil, waiting: webhook.waiting, failed: webhook.failed,
            delivered: webhook.deliveredTime.map { ShownTime($0, days) })
    }
}

extension WebhooksPage.Row {
    fileprivate init(_ delivery: WebhookDelivery, to webhook: WebhookRecord?, _ days: LocalDays) {
        self.init(
            id: delivery.id, made: ShownTime(delivery.madeTime, days), type: delivery.type.rawValue,
            url: webhook?.url ?? "", state: delivery.state.rawValue,
            isBad: delivery.state == .failed, attempts: delivery.attempts,
            answer: delivery.error ?? delivery.status.map { "answered \($0)" } ?? "",
            nextTry: delivery.nextTime.map { ShownTime($0, days) },
            canReplay: webhook.map { $0.disabledTime == nil } ?? false)
    }
}
