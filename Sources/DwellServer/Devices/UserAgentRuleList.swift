/// The three lists of uap-core's `regexes.yaml`, named as the file names them, and what their entries give: the tables
/// in uap-core's `docs/specification.md`.
enum UserAgentRuleList: String {
    /// Browsers and other clients.
    case browsers = "user_agent_parsers"
    /// Operating systems.
    case systems = "os_parsers"
    /// Phones, tablets, television sets.
    case devices = "device_parsers"

    /// The values of an entry, in the specification's order: the key that replaces the value, and the captured group
    /// that holds it when the entry has no such key (nil: none does).
    var fields: [(replacementKey: String, group: Int?)] {
        switch self {
        case .browsers:
            [("family_replacement", 1), ("v1_replacement", 2), ("v2_replacement", 3), ("v3_replacement", 4)]
        case .systems:
            [
                ("os_replacement", 1), ("os_v1_replacement", 2), ("os_v2_replacement", 3), ("os_v3_replacement", 4),
                ("os_v4_replacement", 5),
            ]
        case .devices:
            [("device_replacement", 1), ("brand_replacement", nil), ("model_replacement", 1)]
        }
    }
}
