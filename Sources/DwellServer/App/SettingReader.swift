import Configuration
import Foundation
import Yams

/// Reads settings by name: from flags, then `DWELL_…` variables, then a YAML file. The first that has one decides.
package struct SettingReader {
    /// The file's path.
    package let file: String?
    /// The list of gates in the file.
    let gates: GateSettings?
    private let reader: ConfigReader
    /// What each source says, the one that decides first.
    private let sources: [(name: String, values: [Setting: String])]

    /// - Parameters:
    ///   - flags: What was given on the command line, by the setting's name
    ///   - environment: The process's variables
    ///   - file: The path of a YAML file
    /// - Throws: ``InvalidField`` when the file can't be read or has a setting that does not exist
    package init(flags: [Setting: String], environment: [String: String], file: String?) throws {
        let variables = Dictionary(
            uniqueKeysWithValues: Setting.allCases.compactMap { setting in
                environment[setting.variable].map { (setting, $0) }
            })
        self.file = file
        let (settings, gates) = try file.map(Self.settings(inFile:)) ?? ([:], nil)
        self.gates = gates
        sources = [("a flag", flags), ("the environment", variables), (file ?? "the file", settings)]
        reader = ConfigReader(providers: sources.map { Self.provider($0.values) })
    }

    /// The text of a setting.
    package func text(_ setting: Setting) -> String? {
        reader.string(forKey: ConfigKey([setting.rawValue]))
    }

    /// A setting for people, and where it comes from; never a secret.
    func shown(_ setting: Setting) -> String {
        guard let text = text(setting), let source = sources.first(where: { $0.values[setting]?.isEmpty == false })
        else { return "not set" }
        let value = setting.isShown ? text : setting == .databaseURL ? StoreLocation(text)?.description : nil
        return "\(value ?? "set"), by \(source.name)"
    }

    /// One source of settings. An empty value counts as none, so that the next source is asked.
    private static func provider(_ values: [Setting: String]) -> InMemoryProvider {
        let entries = values.filter { !$0.value.isEmpty }.map { setting, text in
            (AbsoluteConfigKey([setting.rawValue]), ConfigValue(.string(text), isSecret: !setting.isShown))
        }
        return InMemoryProvider(values: Dictionary(uniqueKeysWithValues: entries))
    }

    /// A setting, understood.
    /// - Parameters:
    ///   - setting: Which
    ///   - standard: What holds when it is not set
    ///   - expected: The end of the sentence "… must be"
    ///   - parse: `nil` refuses the text
    package func value<Value>(
        _ setting: Setting, default standard: Value, expected: String, _ parse: (String) -> Value?
    ) throws(InvalidField) -> Value {
        guard let text = text(setting) else { return standard }
        guard let value = parse(text) else { throw setting.refusal(expected: expected, not: text) }
        return value
    }

    private static func settings(inFile path: String) throws -> ([Setting: String], GateSettings?) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw InvalidField("--config", expected: "a file that can be read, not \(path)")
        }
        guard let node = try? Yams.compose(yaml: String(decoding: data, as: UTF8.self)) else {
            throw InvalidField("--config", expected: "a YAML file of settings; \(path) can't be parsed")
        }
        guard let mapping = node.mapping else {
            throw InvalidField("--config", expected: "a YAML file of settings such as `port: 8080`, not \(path)")
        }
        var settings: [Setting: String] = [:]
        var gates: GateSettings?
        for (key, value) in mapping {
            if key.string == GateSettings.name {
                gates = GateSettings(node: value, file: path)
                continue
            }
            guard let name = key.string, let setting = Setting(rawValue: name) else {
                let known = (Setting.allCases.map(\.rawValue) + [GateSettings.name]).joined(separator: ", ")
                throw InvalidField("\(key.string ?? "a key") in \(path)", expected: "one of \(known)")
            }
            guard let text = value.scalar?.string else {
                throw InvalidField("\(name) in \(path)", expected: "a single value")
            }
            settings[setting] = text
        }
        return (settings, gates)
    }
}

/// The names of the settings: as flags, in the file, and, in capitals, as environment variables.
package enum Setting: String, CaseIterable, Sendable {
    case host
    case port
    case databaseURL = "database-url"
    case publicURL = "public-url"
    case allowedOrigins = "allowed-origins"
    case site
    case trustedProxies = "trusted-proxies"
    case secretKey = "secret-key"
    case cronAccessKey = "cron-access-key"
    case deviceLimit = "device-limit"
    case devicePolicy = "device-policy"
    case loginLifetime = "login-lifetime"
    case loginIdle = "login-idle"
    case viewingLimit = "viewing-limit"
    case timeZone = "time-zone"
    case heartbeatInterval = "heartbeat-interval"
    case keepSegments = "keep-segments"
    case keepAudit = "keep-audit"
    case maxCreditRate = "max-credit-rate"
    case apiRate = "api-rate"
    case metricsAddress = "metrics-address"
    case smtpURL = "smtp-url"
    case mailFrom = "mail-from"

    /// The environment variable, such as `DWELL_DATABASE_URL`.
    package var variable: String {
        "DWELL_" + rawValue.uppercased().replacing("-", with: "_")
    }

    /// Secrets have no flag: other users of the machine see the flags of every process.
    private var hasFlag: Bool { ![.secretKey, .cronAccessKey, .smtpURL, .mailFrom].contains(self) }

    /// Whether the text may be shown; a database URL may hold a password.
    var isShown: Bool { hasFlag && self != .databaseURL }

    /// What it is called when it is refused.
    var title: String { hasFlag ? "--\(rawValue) (\(variable))" : variable }

    /// Says what the setting expects, and what it got unless that may be secret.
    func refusal(expected: String, not text: String? = nil) -> InvalidField {
        let found = isShown ? text.map { ", not \($0)" } ?? "" : ""
        return InvalidField(title, expected: expected + found)
    }
}
