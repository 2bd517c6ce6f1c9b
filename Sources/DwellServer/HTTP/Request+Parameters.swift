import Foundation
import Hummingbird

extension Request {
    /// The parameters of the query, in their order. A space may be written as `+`, as forms and many libraries do.
    var parameters: [(name: String, value: String)] {
        (uri.query ?? "").split(separator: "&").map { part in
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { side in
                let text = String(side).replacing("+", with: " ")
                return text.removingPercentEncoding ?? text
            }
            return (sides[0], sides.count > 1 ? sides[1] : "")
        }
    }
}
