import DwellAPI
import Foundation

extension ServerConfiguration {
    /// The default cron key, which works only on the machine itself.
    private static let localAccessKey = "secretcronjob"

    /// Checks every setting.
    /// - Parameters:
    ///   - settings: What was set
    ///   - mayMakeSecret: Whether the key file is made where there is none; else a key stands in for it that is good for
    ///     nothing
    /// - Throws: ``InvalidField`` that names the first setting that is not as it must be
    package init(_ settings: SettingReader, mayMakeSecret: Bool = true) throws {
        let publicURL = try settings.value(.publicURL, default: nil, expected: "an http or https URL without a path") {
            Self.publicURL($0)
        }
        let store = try StoreConfiguration(settings)
        self.init(
            host: settings.text(.host) ?? "127.0.0.1",
            port: try settings.value(.port, default: 8080, expected: "a whole number from 0 to 65535") {
                Self.number($0, in: 0...65_535)
            },
            store: store, publicURL: publicURL,
            allowedOrigins: try settings.value(
                .allowedOrigins, default: [],
                expected: "origins with commas between them, such as https://www.example.com"
            ) { Self.origins($0) },
            site: settings.text(.site),
            trustedProxies: try settings.value(
                .trustedProxies, default: .standard,
                expected: "networks or addresses with commas between them, such as 127.0.0.1,10.0.0.0/8"
            ) { Self.proxies($0) },
            secretKey: try Self.secretKey(
                settings, store: store, isPublic: publicURL?.scheme == "https", mayMake: mayMakeSecret),
            cronAccessKey: settings.text(.cronAccessKey)
                ?? (Self.isLocal(publicURL) ? Self.localAccessKey : nil),
            devices: try DeviceSettings(settings),
            viewingLimit: try settings.value(
                .viewingLimit, default: nil, expected: "a whole number from 1 to 1000"
            ) { Self.number($0, in: 1...1000).map { .some($0) } },
            heartbeatInterval: try Self.heartbeatInterval(settings),
            keepSegments: try settings.value(
                .keepSegments, default: nil,
                expected:
                    "a number of days such as 400d, at least 60d: pages may tell for 30 days what they could not tell"
            ) { Self.days($0, in: 60...36_500).map { .some($0) } },
            keepAudit: try settings.value(
                .keepAudit, default: 400 * 86_400_000, expected: "a number of days such as 400d, from 1d to 36500d"
            ) { Self.days($0, in: 1...36_500).map { $0 * 86_400_000 } },
            maxCreditRate: try settings.value(
                .maxCreditRate, default: Audience.creditRate, expected: "a number from 1 to 16"
            ) { Double($0).flatMap { (1...16).contains($0) ? $0 : nil } },
            apiRate: try settings.value(
                .apiRate, default: APILimits.standard, expected: "a whole number from 1 to 6000"
            ) { Self.number($0, in: 1...APILimits.most) },
            mail: try Self.mail(settings), gates: try Self.gates(settings))
        if mail == nil, let gate = gates.first(where: { $0.level == .verified }) {
            throw Setting.smtpURL.refusal(expected: "set: the gate \(gate.name) mails codes")
        }
        let scheme = isSecure ? "https" : "http"
        for gate in gates where !gate.sites.allSatisfy({ $0.hasPrefix("\(scheme)://") }) {
            // A browser drops the cookies that would open them.
            throw InvalidField("the sites of the gate \(gate.name)", expected: "\(scheme), as the public URL is")
        }
        if let given = settings.text(.cronAccessKey), given == Self.localAccessKey, !Self.isLocal(publicURL) {
            cronAccessKey = nil
        }
        metrics = try settings.value(
            .metricsAddress, default: nil, expected: "an address and a port, such as 127.0.0.1:9464"
        ) { MetricsServer.Address($0).map { .some($0) } }
        settingsFile = settings.file
        if let site { _ = try Site(folder: site, withheld: withheldFiles) }
    }

    /// How often a client is asked to beat, in milliseconds.
    /// - Throws: ``InvalidField`` that names the setting
    static func heartbeatInterval(_ settings: SettingReader) throws(InvalidField) -> Int64 {
        let seconds = try settings.value(
            .heartbeatInterval, default: 180, expected: "a whole number of seconds from 1 to 3600"
        ) { number($0, in: 1...3600) }
        return Int64(seconds) * 1000
    }

    /// What each gate guards, and whom it lets in.
    /// - Throws: ``InvalidField`` that names the key in the file
    static func gates(_ settings: SettingReader) throws -> [GateRules] {
        guard let list = settings.gates else { return [.standard] }
        return try list.rules(days: LocalDays(timeZone: try StoreConfiguration(settings).timeZone))
    }

    private static func mail(_ settings: SettingReader) throws -> MailSettings? {
        let way = try settings.value(
            .smtpURL, default: MailWay?.none,
            expected: "smtp:// or smtps://, user:password@ where they are needed, and a host; or file: and a folder"
        ) { MailWay($0).map { .some($0) } }
        let sender = try settings.value(
            .mailFrom, default: Mailbox?.none, expected: "an address, such as Dwell <dwell@example.com>"
        ) { Mailbox($0).map { .some($0) } }
        guard let way else { return nil }
        guard let sender else { throw Setting.mailFrom.refusal(expected: "set when \(Setting.smtpURL.variable) is") }
        return MailSettings(way: way, sender: sender)
    }

    private static func secretKey(
        _ settings: SettingReader, store: StoreConfiguration, isPublic: Bool, mayMake: Bool
    ) throws -> SecretKey {
        if let given = try givenSecret(settings) { return given }
        guard !isPublic else {
            throw Setting.secretKey.refusal(expected: "set when the public URL is https")
        }
        // Every node must sign with the same one.
        guard let path = store.location.file else {
            throw Setting.secretKey.refusal(expected: "set when the database is PostgreSQL")
        }
        let file = path + SecretFile.ending
        guard mayMake || FileManager.default.fileExists(atPath: file) else { return SecretKey(SecretKey.random()) }
        return try SecretFile(path: file).secret()
    }

    /// The secret that is set; `nil` when none is.
    /// - Throws: ``InvalidField`` when it can't be one
    static func givenSecret(_ settings: SettingReader) throws(InvalidField) -> SecretKey? {
        guard let text = settings.text(.secretKey) else { return nil }
        guard let key = SecretKey(setting: text) else {
            throw Setting.secretKey.refusal(
                expected: "at least \(SecretKey.minimumLength) bytes, as they are or as base64: and their base64")
        }
        return key
    }

    private static func publicURL(_ text: String) -> URL?? {
        guard let url = URL(string: text), let scheme = url.scheme, ["http", "https"].contains(scheme),
            let host = url.host(), !host.isEmpty, ["", "/"].contains(url.path()), url.query() == nil
        else { return nil }
        return .some(url)
    }

    /// Origins as browsers write them: scheme, host, and the port when it is not the scheme's own.
    static func origins(_ text: String) -> [String]? {
        let parts = text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        let origins = parts.compactMap { part -> String? in
            guard let url = publicURL(part) ?? nil, let scheme = url.scheme, let host = url.host(),
                url.user() == nil, url.fragment() == nil, (1...65_535).contains(url.port ?? 80),
                // Browsers write names of other scripts in ASCII, and know no patterns.
                part.allSatisfy(\.isASCII), !part.contains("*")
            else { return nil }
            let port = url.port.flatMap { $0 == (scheme == "https" ? 443 : 80) ? nil : ":\($0)" } ?? ""
            return "\(scheme)://\(host)\(port)".lowercased()
        }
        return origins.count == parts.count ? Array(Set(origins)) : nil
    }

    /// The number of days that a text such as `400d` means.
    private static func days(_ text: String, in range: ClosedRange<Int>) -> Int64? {
        text.hasSuffix("d") ? number(String(text.dropLast()), in: range).map { Int64($0) } : nil
    }

    private static func proxies(_ text: String) -> TrustedProxies? {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        let networks = parts.compactMap { Network($0) }
        return networks.count == parts.count ? TrustedProxies(networks) : nil
    }

    /// Whether a public URL is this machine's own.
    static func isLocal(_ url: URL?) -> Bool {
        guard let host = url?.host() else { return true }
        return ["localhost", "127.0.0.1", "::1", "[::1]"].contains(host)
    }

    private static func number(_ text: String, in range: ClosedRange<Int>) -> Int? {
        Int(text).flatMap { range.contains($0) ? $0 : nil }
    }
}

extension DeviceSettings {
    /// Checks the settings that say how many devices an account may be logged in on, and for how long.
    /// - Throws: ``InvalidField`` that names the first setting that is not as it must be
    init(_ settings: SettingReader) throws {
        self.init()
        quota = DeviceQuota(
            limit: try settings.value(
                .deviceLimit, default: quota.limit, expected: "a whole number from 1 to 1000"
            ) { Int($0).flatMap(DeviceQuota.limit(_:)) },
            policy: try settings.value(
                .devicePolicy, default: quota.policy, expected: DevicePolicy.expectation,
                DevicePolicy.init(rawValue:)))
        lifetime = try settings.value(.loginLifetime, default: lifetime, expected: Self.length, Self.milliseconds)
        idle = try settings.value(.loginIdle, default: idle, expected: Self.length, Self.milliseconds)
    }

    private static let length = "a whole number of s, m, h or d, such as 90d, up to 3650d"

    /// The length of time that a text such as `30d` means, in milliseconds; `nil` for anything else.
    static func milliseconds(_ text: String) -> Int64? {
        let units: [Character: Int64] = ["s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
        guard let unit = text.last.flatMap({ units[$0] }), let count = Int64(text.dropLast()), count > 0,
            count <= 10 * year / unit
        else { return nil }
        return count * unit
    }
}

extension StoreConfiguration {
    /// Checks the settings that say where the data is.
    /// - Throws: ``InvalidField`` that names the first setting that is not as it must be
    package init(_ settings: SettingReader) throws {
        self.init(
            location: try Self.location(settings),
            timeZone: try settings.value(
                .timeZone, default: .gmt, expected: "an IANA time zone, such as Europe/Berlin"
            ) { name in
                name.contains("/") || name == "UTC" || name == "GMT" ? TimeZone(identifier: name) : nil
            })
    }

    /// Where the data is.
    /// - Throws: ``InvalidField`` that names the database URL
    static func location(_ settings: SettingReader) throws(InvalidField) -> StoreLocation {
        try settings.value(
            .databaseURL, default: .sqlite("dwell.sqlite"),
            expected: "sqlite: and a path, such as sqlite:dwell.sqlite, or postgres://user@host/name"
        ) { StoreLocation($0) }
    }
}
