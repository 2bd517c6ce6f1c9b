import DwellAPI
import Foundation

/// What the server is set to, but for what is secret.
struct SettingsPage {
    let settings: [Line]
    let gates: [Gate]
    let operators: [Line]
    let rights: RightsLists

    struct Line {
        let name: String
        let value: String
    }

    struct Gate {
        let name: String
        let level: String
        let paths: String
        let allow: String
        let deny: String
    }

    init(_ configuration: ServerConfiguration, operators: [Operator], rights: RightsLists) {
        func days(_ milliseconds: Int64) -> String { "\(milliseconds / 86_400_000) days" }
        settings = [
            Line(name: "Public URL", value: configuration.address),
            Line(name: "Store", value: configuration.store.location.description),
            Line(name: "Time zone", value: configuration.store.timeZone.identifier),
            Line(name: "Heartbeat interval", value: "\(configuration.heartbeatInterval / 1000) s"),
            Line(name: "Segments are kept", value: configuration.keepSegments.map { "\($0) days" } ?? "for ever"),
            Line(name: "The audit log is kept", value: days(configuration.keepAudit)),
            Line(name: "Devices of an account", value: "\(configuration.devices.quota.limit)"),
            Line(name: "One device more", value: configuration.devices.quota.policy.rawValue),
            Line(name: "Logins last", value: days(configuration.devices.lifetime)),
            Line(name: "Logins last unused", value: days(configuration.devices.idle)),
            Line(name: "Requests a minute of each key", value: "\(configuration.apiRate)"),
            Line(name: "Other origins", value: configuration.allowedOrigins.joined(separator: " ")),
            Line(name: "Site", value: configuration.site ?? "none"),
            Line(name: "Mail", value: configuration.mail == nil ? "not set up" : "set up"),
        ]
        gates = configuration.gates.map { gate in
            Gate(
                name: gate.name, level: gate.level.rawValue, paths: (gate.paths + gate.sites).joined(separator: " "),
                allow: gate.allow.texts.joined(separator: " "), deny: gate.deny.texts.joined(separator: " "))
        }
        self.rights = rights
        self.operators = operators.map { Line(name: $0.name, value: $0.role.rawValue) }
    }
}
