import WebAssets

@testable import DwellServer

/// uap-core's rules for all tests, which only read them: loading takes longer than most tests.
enum SharedRules {
    /// The rules of the binary, or why they can't be used.
    static let embedded = Result { () throws(UserAgentRulesError) in
        let rules = try UserAgentRules(yaml: WebAsset.deviceRules.text)
        try rules.compileAll()
        return rules
    }
}
