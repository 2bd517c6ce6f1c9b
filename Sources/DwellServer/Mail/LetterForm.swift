import DwellAPI
import Foundation
import Mustache
import WebAssets

/// The form that every letter has: plain text, and the same in HTML.
struct LetterForm: Sendable {
    private let text: MustacheTemplate
    private let html: MustacheTemplate

    init() throws {
        text = try MustacheTemplate(string: WebAsset.letterText.text)
        html = try MustacheTemplate(string: WebAsset.letterPage.text)
    }

    /// A whole mail (RFC 5322), to be sent as it is.
    /// - Parameters:
    ///   - letter: What it says; its subject is plain ASCII
    ///   - sender: Whom it is from
    ///   - recipient: Whom it goes to
    ///   - id: Names it among all mails
    ///   - time: When it was written
    func message(
        _ letter: Letter, from sender: Mailbox, to recipient: Mailbox, id: UUID, at time: Timestamp
    ) -> String {
        let boundary = "part-\(id.lowercase)"
        let head = [
            "From: \(sender.header)",
            "To: \(recipient.header)",
            "Subject: \(letter.subject)",
            "Date: \(Self.date(time))",
            "Message-ID: <\(id.lowercase)@\(sender.domain)>",
            // No absence notice is to come back (RFC 3834).
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            "Content-Type: multipart/alternative; boundary=\"\(boundary)\"",
        ]
        let parts = [("plain", text), ("html", html)].flatMap { type, template in
            [
                "", "--\(boundary)", "Content-Type: text/\(type); charset=utf-8", "Content-Transfer-Encoding: base64",
                "", Self.base64(template.render(letter).replacing("\n", with: "\r\n")),
            ]
        }
        return (head + parts + ["--\(boundary)--", ""]).joined(separator: "\r\n")
    }

    private static func base64(_ text: String) -> String {
        Data(text.utf8).base64EncodedString(
            options: [.lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed])
    }

    private static func date(_ time: Timestamp) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = .gmt
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss '+0000'"
        return formatter.string(from: Date(timeIntervalSince1970: Double(time.milliseconds) / 1000))
    }
}
