import Crypto
import DwellAPI
import Foundation
package import Hummingbird
package import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import WebAssets

/// Builds the server: the same for `dwell serve` and for the tests.
/// - Parameters:
///   - configuration: Checked settings
///   - database: A migrated database
///   - clock: Tells the time; without one the database's clock does, or the machine's where that has none
///   - logger: For everything
///   - onReady: Called with the port when the server accepts connections
///   - onRoutes: Called with every route there is
package func buildApplication(
    _ configuration: ServerConfiguration, database: any Database, clock: WallClock? = nil, logger: Logger,
    onReady: @escaping @Sendable (Int) async -> Void = { _ in },
    onRoutes: ([(method: String, path: String)]) -> Void = { _ in }
) async throws -> Application<RouterResponder<DwellRequestContext>> {
    let metrics = Metrics()
    let database = MeteredDatabase(base: database, metrics: metrics)
    let shared = clock == nil ? try await SharedClock(database, logger: logger) : nil
    let clock = clock ?? shared?.clock ?? .system
    let announcements = Announcements(database: database, clock: clock, logger: logger)
    let days = LocalDays(timeZone: configuration.store.timeZone)
    let settings = BeatSettings(
        interval: configuration.heartbeatInterval, days: days, viewingLimit: configuration.viewingLimit)
    announcements.onNews { news, _ in
        if news == .content { settings.contents.forget() }
    }
    let writer = BeatWriter(database: database, settings: settings, metrics: metrics, logger: logger)
    let statistics = Statistics(
        database: database, days: days, rightOfWay: writer.rightOfWay, logger: logger)
    do {
        try await statistics.adoptTimeZone()
    } catch let folded as Statistics.FoldedInAnotherZone {
        throw Setting.timeZone.refusal(
            expected: "\(folded.zone): days were cut in it whose segments are folded, and can't be cut anew")
    }
    let erasures = Erasures(database: database, statistics: statistics, days: days, clock: clock, logger: logger)
    let audience = Audience(database: database, creditRate: configuration.maxCreditRate, logger: logger)
    try await audience.adoptCreditRate()
    let retention = configuration.keepSegments.map { keptDays in
        logger.info("old segments are folded", metadata: ["kept": "\(keptDays)d"])
        return Retention(
            database: database, statistics: statistics, audience: audience, days: days, keptDays: keptDays,
            clock: clock, logger: logger)
    }
    let audit = AuditLog(database: database, clock: clock, kept: configuration.keepAudit, logger: logger)
    logger.info("lines of the audit log go", metadata: ["kept": "\(configuration.keepAudit / 86_400_000)d"])
    let attempts = Attempts(clock: clock, audit: audit)
    let devices = Devices(
        database: database, announcements: announcements, clock: clock, settings: configuration.devices)
    let viewings = configuration.viewingLimit.map { limit in
        Viewings(database: database, settings: settings, clock: clock, limit: limit)
    }
    let outbox = try configuration.mail.map { mail in
        try Outbox(
            mail, publicURL: configuration.address, gates: configuration.gates, database: database, clock: clock,
            logger: logger)
    }
    let codes = MailedCodes(database: database, outbox: outbox, clock: clock, attempts: attempts)
    // Half the cores at most: hashing must leave room for beats.
    let hashing = NIOThreadPool(numberOfThreads: max(1, System.coreCount / 2))
    let hasher = try PasswordHasher(pool: hashing)
    let webhooks = Webhooks(database: database, clock: clock)
    let delivering = NIOThreadPool(numberOfThreads: WebhookRules.limit)
    let parts = Parts(
        configuration: configuration, database: database, announcements: announcements, clock: clock,
        settings: settings, writer: writer,
        heartbeats: Heartbeats(
            tokens: EntryTokens(secret: configuration.secretKey, clock: clock), settings: settings, clock: clock,
            publicHost: configuration.publicURL?.host()),
        statistics: statistics,
        hasher: hasher,
        logins: await Logins(
            secret: configuration.secretKey, database: database, announcements: announcements, clock: clock,
            settings: configuration.devices),
        devices: devices, viewings: viewings, rules: try deviceRules(), pages: try Pages(), codes: codes,
        attempts: attempts, metrics: metrics,
        operators: Operators(database: database, hasher: hasher, clock: clock, attempts: attempts),
        webhooks: webhooks, erasures: erasures)
    let lane = buildLane(parts, logger: logger)
    let metricsServer = configuration.metrics.map { address in
        let reports = Reports(database: database, days: days, clock: clock)
        return MetricsServer(address, logger: logger) {
            // While the store can't tell who is here, everything else is all the more worth knowing.
            let viewers = try? await reports.liveViewers(interval: configuration.heartbeatInterval)
            return metrics.text(waiting: writer.waiting, viewers: viewers, process: ProcessUsage())
        }
    }
    let router = try buildRouter(parts)
    onRoutes(router.routes.map { ($0.method.rawValue, $0.path.description) })
    let sometimes: [(any Service)?] = [shared, outbox, metricsServer]
    return Application(
        router: router,
        server: .http1(lane: lane),
        configuration: ApplicationConfiguration(
            address: .hostname(configuration.host, port: configuration.port)),
        services: [
            ThreadPoolService(pool: hashing), writer, announcements, audit,
            ThreadPoolService(
                pool: delivering,
                user: WebhookCourier(
                    database: database, clock: clock, metrics: metrics, logger: logger,
                    send: WebhookClient(pool: delivering).post)),
            BackgroundJobs(
                jobs: BackgroundJob.all(
                    statistics: statistics, audience: audience, retention: retention,
                    announcements: announcements, devices: devices, viewings: viewings, codes: codes, audit: audit,
                    webhooks: webhooks, endedSessions: EndedSessions(database: database, clock: clock),
                    erasures: erasures),
                database: database, clock: clock, logger: logger),
        ] + sometimes.compactMap(\.self),
        onServerRunning: { channel in await onReady(channel.localAddress?.port ?? configuration.port) },
        logger: logger)
}

/// The rules for device names, every pattern compiled, so that no login waits for it.
private func deviceRules() throws -> UserAgentRules {
    let rules = try UserAgentRules(yaml: WebAsset.deviceRules.text)
    try rules.compileAll()
    return rules
}

/// What routes are made of.
struct Parts {
    let configuration: ServerConfiguration
    let database: any Database
    let announcements: Announcements
    let clock: WallClock
    let settings: BeatSettings
    let writer: BeatWriter
    let heartbeats: Heartbeats
    let statistics: Statistics
    let hasher: PasswordHasher
    let logins: Logins
    let devices: Devices
    let viewings: Viewings?
    let rules: UserAgentRules
    let pages: Pages
    let codes: MailedCodes
    let attempts: Attempts
    let metrics: Metrics
    let operators: Operators
    let webhooks: Webhooks
    let erasures: Erasures
}

/// Keeps a thread pool for as long as the server runs.
private struct ThreadPoolService: Service {
    let pool: NIOThreadPool
    /// What needs the threads from its first moment on.
    var user: (any Service)?

    func run() async throws {
        pool.start()
        // Also when another service failed: then the wait ends with a cancellation.
        if let user { try? await user.run() } else { try? await gracefulShutdown() }
        try await pool.shutdownGracefully()
    }
}
