import Foundation

/// Email addresses, and domains that stand for all of theirs.
package struct AddressList: Sendable, Equatable {
    /// Whole addresses, and domains behind an `@`.
    private var entries: Set<String> = []

    package init() {}

    /// - Parameter texts: Addresses such as `ada@example.com`; domains such as `example.com` or `*@example.com`
    /// - Throws: ``InvalidField`` named `email` for what is neither
    package init(_ texts: [String]) throws(InvalidField) {
        for text in texts {
            let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
            let domain = trimmed.hasPrefix("*@") ? trimmed.dropFirst(2) : trimmed.contains("@") ? nil : trimmed[...]
            // A domain is one if it makes an address.
            let address = EmailAddress.comparable(try EmailAddress.normalize(domain.map { "a@\($0)" } ?? trimmed))
            entries.insert(domain == nil ? address : String(address.dropFirst()))
        }
    }

    var isEmpty: Bool { entries.isEmpty }

    /// The entries as they are compared, domains behind an `@`.
    var texts: [String] { entries.sorted() }

    /// Whether an address, or its domain, is on the list.
    func contains(_ email: String) -> Bool {
        let address = EmailAddress.comparable(email)
        return entries.contains(address)
            || address.firstIndex(of: "@").map { entries.contains(String(address[$0...])) } ?? false
    }
}

extension EmailAddress {
    /// The form in which addresses are the same that reach the same mailbox: the domain as the mail system writes it
    /// (`bücher.example` is `xn--bcher-kva.example`).
    /// - Parameter address: As ``normalize(_:)`` returns it
    static func comparable(_ address: String) -> String {
        guard let at = address.lastIndex(of: "@"), !address.utf8.allSatisfy({ $0 < 0x80 }) else { return address }
        var components = URLComponents()
        components.host = String(address[address.index(after: at)...])
        return address[...at] + (components.encodedHost ?? "")
    }
}
