import Foundation

/// An address, and the name of who is there.
package struct Mailbox: Sendable, Equatable {
    let name: String?
    /// In the form that ``EmailAddress/normalize(_:)`` makes.
    let address: String

    init(address: String) {
        name = nil
        self.address = address
    }

    /// - Parameter text: Such as `dwell@example.com` or `Dwell <dwell@example.com>`; `nil` comes back for anything else
    package init?(_ text: String) {
        let parts = text.wholeMatch(of: /\s*([^<>]*?)\s*<([^<>]+)>\s*/)
        guard let address = try? EmailAddress.normalize(parts.map { String($0.2) } ?? text) else { return nil }
        let name = parts.map { String($0.1) } ?? ""
        // A header's encoded word has at most 75 characters.
        guard name.utf8.count <= 45, AccountRules.isPlain(name) else { return nil }
        self.name = name.isEmpty ? nil : name
        self.address = address
    }

    /// What stands in a mail's head.
    var header: String {
        name.map { "=?UTF-8?B?\(Data($0.utf8).base64EncodedString())?= <\(address)>" } ?? "<\(address)>"
    }

    /// The address's second half.
    var domain: Substring {
        address.split(separator: "@").last ?? ""
    }
}
