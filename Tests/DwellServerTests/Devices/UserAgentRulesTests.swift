import Testing
import WebAssets

@testable import DwellServer

/// The engine for uap-core's rules: loading, matching, the cache.
@Suite struct UserAgentRulesTests {
    private static let yaml = #"""
        user_agent_parsers:
          - regex: '(Alpha|Beta)/(\d+)\.(\d+)'
          - regex: '(Gamma) v(\d+)(?:\.(\d+)|)(?:\.(\d+)|)'
            family_replacement: ' $1 ray $5'
            v2_replacement: '7'
            v3_replacement:
          - regex: 'Delta'
        os_parsers:
          - regex: 'os (\d+)\.(\d+)\.(\d+)\.(\d+)'
            os_replacement: 'System'
            os_v1_replacement: '$1'
            os_v2_replacement: '$2'
            os_v3_replacement: '$3'
            os_v4_replacement: '$4'
        device_parsers:
          - regex: '(phone)-([a-z]+)'
            regex_flag: 'i'
            device_replacement: '$2 $1'
            brand_replacement: '$2'
          - regex: '(thing)'
        """#

    private let rules: UserAgentRules

    init() throws {
        rules = try UserAgentRules(yaml: Self.yaml)
    }

    private func values(_ device: UserAgentMatch.Device) -> [String?] { [device.family, device.brand, device.model] }

    @Test func takesGroupsInOrder() {
        let browser = rules.match("Beta/1.2").browser
        #expect(browser.family == "Beta")
        #expect(browser.parts == ["1", "2", nil])
        #expect(browser.version == "1.2")
    }

    @Test func firstRuleWins() {
        #expect(rules.match("Gamma v1 Alpha/2.0").browser.family == "Alpha")
        #expect(rules.match("alpha/2.0").browser.family == "Other")
    }

    @Test(arguments: [
        ("Alpha/112.0.5615.48", "112.0.5615.48"), ("Alpha/1.2.", "1.2"), ("Alpha/1.2..3", "1.2"),
        ("Alpha/1.2.3b", "1.2.3"),
        ("Alpha/1.2 1.2.3", "1.2"), ("Gamma v1.2.3", "1.7.3"), ("Gamma v1", "1.7"),
    ])
    func readsVersionOn(_ userAgent: String, _ version: String) {
        #expect(rules.match(userAgent).browser.version == version)
    }

    @Test func fillsPlaceholders() {
        #expect(rules.match("Gamma v1").browser.family == "Gamma ray")
        #expect(rules.match("os 1.2.3.4").system.parts == ["1", "2", "3", "4"])
        #expect(values(rules.match("PHONE-abc").device) == ["abc PHONE", "abc", "PHONE"])
        #expect(values(rules.match("thing").device) == ["thing", nil, "thing"])
    }

    @Test func unmatchedIsOther() {
        let match = rules.match("unheard of")
        #expect(match.browser.family == "Other")
        #expect(match.browser.parts.isEmpty)
        #expect(match.browser.version == nil)
        #expect(match.system == match.browser)
        #expect(values(match.device) == ["Other", nil, nil])
        #expect(rules.match("Delta").browser.family == "Other", "a rule without a family says nothing")
    }

    @Test func cutsBetweenCharacters() throws {
        let rules = try UserAgentRules(
            yaml: "user_agent_parsers: [{regex: '(.+)'}]\nos_parsers: []\ndevice_parsers: []")
        let emoji = String(repeating: "😀", count: 1000)
        #expect(rules.match(emoji).browser.family.utf8.count == 1024)
        #expect(rules.match("a" + emoji).browser.family == "a" + emoji.prefix(255))
    }

    @Test func refusesFaultyRules() {
        #expect(throws: UserAgentRulesError.missingList("os_parsers")) {
            try UserAgentRules(yaml: "user_agent_parsers: []\ndevice_parsers: []")
        }
        #expect(throws: UserAgentRulesError.missingPattern(list: "os_parsers")) {
            try UserAgentRules(yaml: "user_agent_parsers: []\nos_parsers: [{os_replacement: a}]\ndevice_parsers: []")
        }
        for yaml in ["", "[", "a: b", "user_agent_parsers: 1"] {
            #expect(throws: UserAgentRulesError.self) { try UserAgentRules(yaml: yaml) }
        }
        #expect(throws: UserAgentRulesError.invalidPattern("(")) {
            try UserAgentRules(yaml: "user_agent_parsers: []\nos_parsers: []\ndevice_parsers: [{regex: (}]")
                .compileAll()
        }
    }

    @Test func answersManyThreads() async throws {
        let rules = try UserAgentRules(yaml: WebAsset.deviceRules.text)
        let expected = rules.match("curl/8.1")
        await withTaskGroup(of: Bool.self) { group in
            for number in 0..<200 {
                group.addTask { rules.match("curl/8.1 \(number % 20)").browser == expected.browser }
            }
            for await isSame in group { #expect(isSame) }
        }
    }

    @Test func cacheForgetsTheOldest() {
        var cache = BoundedCache<String, Int>(capacity: 2)
        cache.insert(1, for: "a")
        cache.insert(2, for: "b")
        cache.insert(9, for: "a")
        #expect(cache["a"] == 9)
        cache.insert(3, for: "c")
        #expect(cache["a"] == nil)
        #expect(cache["b"] == 2)
        cache.insert(4, for: "d")
        #expect(cache["b"] == nil)
        #expect(cache["c"] == 3)
        #expect(cache["d"] == 4)
        #expect(cache.count == 2)
    }
}
