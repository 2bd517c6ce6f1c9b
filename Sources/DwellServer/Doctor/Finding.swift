import Foundation

/// What one look at the server's surroundings found.
struct Finding: Encodable, Equatable {
    enum State: String, Encodable {
        case ok
        /// It works, and may not always.
        case warn
        /// The server does not start, or does not do what it is set up for.
        case fail
    }

    let state: State
    /// What was looked at, such as `database size`.
    let check: String
    let found: String
    /// What to do; `nil` when there is nothing to do.
    var advice: String?

    static func ok(_ check: String, _ found: String) -> Finding {
        Finding(state: .ok, check: check, found: found)
    }

    static func warn(_ check: String, _ found: String, _ advice: String) -> Finding {
        Finding(state: .warn, check: check, found: found, advice: advice)
    }

    static func fail(_ check: String, _ found: String, _ advice: String) -> Finding {
        Finding(state: .fail, check: check, found: found, advice: advice)
    }
}

/// How findings are printed.
enum FindingFormat: String, CaseIterable {
    case table, json

    func text(of findings: [Finding]) throws -> String {
        switch self {
        case .json: return try ReportFormat.json(findings)
        case .table:
            let width = findings.map(\.check.count).max() ?? 0
            return findings.map { finding in
                let check = finding.check.padding(toLength: width, withPad: " ", startingAt: 0)
                let state = finding.state.rawValue.padding(toLength: 4, withPad: " ", startingAt: 0)
                let advice = finding.advice.map { "      → \(ReportCell.text($0).readable)\n" } ?? ""
                return "\(state)  \(check)  \(ReportCell.text(finding.found).readable)\n\(advice)"
            }.joined()
        }
    }
}
