import DwellAPI
import HTTPTypes

/// What this process counts about itself. Everything there is stands in ``text(waiting:viewers:process:)``.
package final class Metrics: Sendable {
    /// What became of a heartbeat.
    enum BeatOutcome: String, CaseIterable {
        /// It is on disk.
        case stored
        /// Some of its segments are, the others were refused.
        case partly
        case refused
        /// It names no session and no login that there is.
        case unknown
        /// The store was away, or too many waited.
        case unavailable
        /// A fault of the server's.
        case failed
    }

    /// What became of an attempt to log in.
    enum LoginOutcome: String, CaseIterable {
        case admitted
        case wrongCredentials = "wrong_credentials"
        /// The account is logged in on as many devices as it may be.
        case deviceLimit = "device_limit"
        /// Something else was wrong with the request.
        case refused
        case unavailable
        /// A fault of the server's.
        case failed
    }

    /// Why claimed time was not credited.
    enum RefusedReason: String, CaseIterable {
        case beforeSession = "before_session"
        case future
        case media
    }

    /// What became of a try to deliver an event.
    enum DeliveryOutcome: String, CaseIterable {
        case delivered
        /// It will be tried again.
        case postponed
        /// It was given up.
        case failed
    }

    /// What a database answered instead of a result.
    enum DatabaseFailure: String, CaseIterable {
        case unavailable, constraint, corrupt, failure
    }

    let beats = Counters<BeatOutcome>()
    let logins = Counters<LoginOutcome>()
    /// In milliseconds.
    let refused = Counters<RefusedReason>()
    let deliveries = Counters<DeliveryOutcome>()
    let databaseFailures = Counters<DatabaseFailure>()
    /// From the start of a transaction that writes until it is on disk.
    let commits = Histogram(bounds: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000].map { .milliseconds($0) })

    package init() {}

    /// All of it, as Prometheus reads it.
    /// - Parameters:
    ///   - waiting: How many segments wait to be stored
    ///   - viewers: How many people are here; `nil` while the store can't tell
    ///   - process: What the process takes; `nil` where the system does not tell
    func text(waiting: Int, viewers: Int?, process: ProcessUsage?) -> String {
        var text = PrometheusText()
        text.gauge("dwell_build_info", "Always 1; its label tells the version.", labels: ["version": Version.number], 1)
        text.counters("dwell_beats_total", "Heartbeats that were answered.", by: "outcome", beats.counts)
        text.counters(
            "dwell_refused_milliseconds_total", "Time that pages claimed and that was not credited.", by: "reason",
            refused.counts)
        text.gauge("dwell_beat_queue_segments", "Segments that wait to be stored.", Double(waiting))
        text.histogram(
            "dwell_commit_seconds", "Transactions that wrote, from their start until they were on disk.", commits)
        text.counters(
            "dwell_database_errors_total", "What the database answered instead of a result.", by: "kind",
            databaseFailures.counts)
        text.counters("dwell_logins_total", "Attempts to log in.", by: "outcome", logins.counts)
        text.counters(
            "dwell_webhook_deliveries_total", "Tries to deliver an event to an endpoint.", by: "outcome",
            deliveries.counts)
        if let viewers {
            text.gauge("dwell_live_viewers", "People who are here now, on all nodes together.", Double(viewers))
        }
        if let process { text.add(process) }
        return text.text
    }
}

extension Metrics {
    func count(_ refused: RefusedTime) {
        self.refused.add(Int(refused.beforeSession), to: .beforeSession)
        self.refused.add(Int(refused.future), to: .future)
        self.refused.add(Int(refused.media), to: .media)
    }
}

extension Metrics.BeatOutcome {
    init(_ error: PublicError) {
        self =
            switch (error.status, error.code) {
            case (.serviceUnavailable, _): .unavailable
            case (.unauthorized, _), (_, .noSession): .unknown
            case _ where error.status.kind == .serverError: .failed
            default: (error.stored ?? 0) > 0 ? .partly : .refused
            }
    }
}

extension Metrics.LoginOutcome {
    init(_ error: PublicError) {
        self =
            switch error.code {
            case .wrongCredentials: .wrongCredentials
            case .deviceLimit: .deviceLimit
            case .unavailable: .unavailable
            default: error.status.kind == .serverError ? .failed : .refused
            }
    }
}

extension Metrics.DeliveryOutcome {
    init(_ outcome: WebhookOutcome) {
        self =
            switch outcome {
            case .delivered: .delivered
            case .postponed: .postponed
            case .failed, .gone: .failed
            }
    }
}

extension Metrics.DatabaseFailure {
    init(_ error: DatabaseError) {
        self =
            switch error {
            case .unavailable: .unavailable
            case .constraint: .constraint
            case .corrupt: .corrupt
            case .failure: .failure
            }
    }
}
