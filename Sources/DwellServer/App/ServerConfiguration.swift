package import Foundation

/// Everything that can be set, checked.
package struct ServerConfiguration: Sendable {
    package var host: String
    /// 0 takes any free port.
    package var port: Int
    package var store: StoreConfiguration
    /// How people reach the server; `nil` is `http://localhost:<port>`.
    package var publicURL: URL?
    /// Where pages may be that send beats and enter the gate without cookies, such as `https://www.example.com`.
    package var allowedOrigins: [String]
    /// A folder of static pages.
    package var site: String?
    /// Where proxies are whose `X-Forwarded-For` is believed.
    package var trustedProxies: TrustedProxies
    package var secretKey: SecretKey
    /// `nil` refuses the cron trigger.
    package var cronAccessKey: String?
    /// How many devices one account may be logged in on, and for how long.
    package var devices: DeviceSettings
    /// How many videos one account may play at once; `nil` sets no limit.
    package var viewingLimit: Int?
    /// How often a client is asked to beat, in milliseconds.
    package var heartbeatInterval: Int64
    /// How many days segments are kept before they are folded; `nil` keeps them for ever.
    package var keepSegments: Int64?
    /// How long lines of the audit log are kept, in milliseconds.
    package var keepAudit: Int64
    /// How much of a video counts for a moment of the wall clock at most.
    package var maxCreditRate: Double
    /// How many requests a minute each key of the API may make.
    package var apiRate: Int
    /// `nil` shows no metrics.
    var metrics: MetricsServer.Address?
    /// `nil` sends no mail.
    package var mail: MailSettings?
    /// What each gate guards, and whom it lets in; one has the name ``GateRules/standardName``.
    package var gates: [GateRules]

    package init(
        host: String = "127.0.0.1", port: Int = 8080, store: StoreConfiguration, publicURL: URL? = nil,
        allowedOrigins: [String] = [], site: String? = nil, trustedProxies: TrustedProxies = .standard,
        secretKey: SecretKey, cronAccessKey: String? = nil,
        devices: DeviceSettings = DeviceSettings(), viewingLimit: Int? = nil,
        heartbeatInterval: Int64 = 180_000, keepSegments: Int64? = nil, keepAudit: Int64 = 400 * 86_400_000,
        maxCreditRate: Double = Audience.creditRate, apiRate: Int = APILimits.standard,
        mail: MailSettings? = nil, gates: [GateRules] = [.standard]
    ) {
        self.host = host
        self.port = port
        self.store = store
        self.publicURL = publicURL
        self.allowedOrigins = allowedOrigins
        self.site = site
        self.trustedProxies = trustedProxies
        self.secretKey = secretKey
        self.cronAccessKey = cronAccessKey
        self.devices = devices
        self.viewingLimit = viewingLimit
        self.heartbeatInterval = heartbeatInterval
        self.keepSegments = keepSegments
        self.keepAudit = keepAudit
        self.maxCreditRate = maxCreditRate
        self.apiRate = apiRate
        self.mail = mail
        self.gates = gates
    }

    /// How people reach the server, without a slash at the end.
    var address: String {
        publicURL.map { $0.absoluteString.hasSuffix("/") ? String($0.absoluteString.dropLast()) : $0.absoluteString }
            ?? "http://localhost:\(port)"
    }

    /// The file that settings were read from.
    package var settingsFile: String?

    /// Files that the site must never show.
    var withheldFiles: [String] { [store.location.file, settingsFile].compactMap(\.self) }

    /// Whether nobody but this machine is meant to reach the server.
    var isLocal: Bool { Self.isLocal(publicURL) }

    /// Whether people reach the server by https.
    package var isSecure: Bool { publicURL?.scheme == "https" }
}

/// Where the data is, and how its days are cut.
package struct StoreConfiguration: Sendable {
    package var location: StoreLocation
    package var timeZone: TimeZone

    package init(location: StoreLocation, timeZone: TimeZone = .gmt) {
        self.location = location
        self.timeZone = timeZone
    }
}
