import ArgumentParser
import DwellAPI
import Foundation
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import UnixSignals

/// `dwell serve`
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run the server.",
        discussion: """
            Every setting can also be an environment variable (DWELL_ and the name in capitals) or a line of a YAML \
            file given by --config; flags win over variables, variables over the file. DWELL_SECRET_KEY, \
            DWELL_CRON_ACCESS_KEY, DWELL_SMTP_URL and DWELL_MAIL_FROM have no flag, because others can read the flags \
            of a process. Gates are set in the file alone.
            """)

    @OptionGroup var store: StoreOptions

    @Option(help: "The address to listen on. (default: 127.0.0.1)")
    var host: String?

    @Option(help: "The port to listen on; 0 takes any free one. (default: 8080)")
    var port: String?

    @Option(help: "How people reach the server. (default: http://localhost:<port>)")
    var publicUrl: String?

    @Option(help: "Other origins whose pages may send beats, with commas between them.")
    var allowedOrigins: String?

    @Option(help: "A folder of static pages; those under confidential/ need the gate.")
    var site: String?

    @Option(help: "Networks whose X-Forwarded-For is believed, with commas between. (default: 127.0.0.0/8,::1)")
    var trustedProxies: String?

    @Option(help: "Where midnight is taken from, an IANA name. (default: UTC)")
    var timeZone: String?

    @Option(help: "How many devices one account may be logged in on. (default: 4)")
    var deviceLimit: String?

    @Option(help: "What happens to one device more: deny, ask or evict-oldest. (default: deny)")
    var devicePolicy: String?

    @Option(help: "How long a login lasts, such as 30d. (default: 365d)")
    var loginLifetime: String?

    @Option(help: "How long a login lasts that is not used. (default: 365d)")
    var loginIdle: String?

    @Option(help: "How many videos one account may play at once. (default: any number)")
    var viewingLimit: String?

    @Option(help: "How often pages send a heartbeat, in seconds. (default: 180)")
    var heartbeatInterval: String?

    @Option(help: "How many days segments are kept before only totals are, such as 400d. (default: for ever)")
    var keepSegments: String?

    @Option(help: "How many days lines of the audit log are kept. (default: 400d)")
    var keepAudit: String?
    @Option(help: "How fast a video may be watched to count, 1 to 16. (default: 2)")
    var maxCreditRate: String?
    @Option(help: "Where metrics are shown to Prometheus, such as 127.0.0.1:9464. (default: nowhere)")
    var metricsAddress: String?
    @Option(help: "How many requests a minute each key of the API may make. (default: 600)")
    var apiRate: String?

    @Option(help: "What is logged: trace, debug, info, notice, warning, error or critical.")
    var logLevel: String = "info"

    func run() async throws {
        let configuration = try ServerConfiguration(
            try store.settings([
                .host: host, .port: port, .publicURL: publicUrl,
                .allowedOrigins: allowedOrigins, .site: site, .trustedProxies: trustedProxies,
                .timeZone: timeZone,
                .deviceLimit: deviceLimit, .devicePolicy: devicePolicy,
                .loginLifetime: loginLifetime, .loginIdle: loginIdle,
                .viewingLimit: viewingLimit,
                .heartbeatInterval: heartbeatInterval, .keepSegments: keepSegments,
                .keepAudit: keepAudit,
                .maxCreditRate: maxCreditRate,
                .metricsAddress: metricsAddress, .apiRate: apiRate,
            ]))
        let logger = try makeLogger()
        let (database, migrations) = try await Store.open(configuration.store.location)
        for migration in migrations { logger.info("migration applied", metadata: ["migration": "\(migration)"]) }
        let application = try await buildApplication(configuration, database: database, logger: logger) { port in
            await announce(configuration, database, port: port)
        }
        do {
            try await run(application, logger: logger)
        } catch {
            throw Self.refusal(error, configuration)
        }
        try database.close()
    }

    /// Runs until SIGTERM or SIGINT. A client that never finishes its request must not keep the server from ending.
    private func run(_ application: some ApplicationProtocol, logger: Logger) async throws {
        var configuration = ServiceGroupConfiguration(
            services: [application], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(10)
        configuration.maximumCancellationDuration = .seconds(5)
        try await ServiceGroup(configuration: configuration).run()
    }

    /// Names the setting that made the server fail to start.
    private static func refusal(_ error: any Error, _ configuration: ServerConfiguration) -> any Error {
        switch error {
        case let error as IOError where error.errnoCode == EADDRINUSE:
            Setting.port.refusal(expected: "free; \(configuration.port) is in use")
        case let error as IOError where error.errnoCode == EACCES:
            Setting.port.refusal(expected: "one that this user may listen on", not: "\(configuration.port)")
        case is SocketAddressError, is SocketAddressError.UnknownHost, is IOError:
            Setting.host.refusal(expected: "an address of this machine", not: configuration.host)
        default: error
        }
    }

    private func makeLogger() throws -> Logger {
        guard let level = Logger.Level(rawValue: logLevel) else {
            throw InvalidField("--log-level", expected: "trace, debug, info, notice, warning, error or critical")
        }
        var logger = Logger(label: "dwell", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = level
        return logger
    }

    /// Says on standard output that people may come now. Scripts wait for this line, which is the last.
    private func announce(_ configuration: ServerConfiguration, _ database: any Database, port: Int) async {
        let url = configuration.publicURL?.absoluteString ?? "http://localhost:\(port)"
        // A store that is away can't say whether there are operators; then the link waits for the next start.
        if (try? await database.read({ try OperatorQueries(connection: $0).isAny() })) == false {
            let code = SetupCode(secret: configuration.secretKey).text
            let base = url.hasSuffix("/") ? String(url.dropLast()) : url
            say("Set up the dashboard once at \(base)/dashboard/setup#\(code)")
        }
        say("Dwell is ready at \(url)")
    }

    private func say(_ line: String) {
        FileHandle.standardOutput.write(Data("\(line)\n".utf8))
    }
}
