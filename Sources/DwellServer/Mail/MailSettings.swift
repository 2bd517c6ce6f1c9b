import Foundation

/// How mails are sent.
package struct MailSettings: Sendable, Equatable {
    package let way: MailWay
    package let sender: Mailbox

    package init(way: MailWay, sender: Mailbox) {
        self.way = way
        self.sender = sender
    }
}

/// Where mails go.
package enum MailWay: Sendable, Equatable {
    case smtp(SMTPServer)
    /// A folder in which each becomes a file, to look at while developing.
    case folder(String)

    /// - Parameter text: What ``SMTPServer/init(_:)`` takes, or `file:` and a folder
    package init?(_ text: String) {
        let prefix = "file:"
        if text.hasPrefix(prefix), text.count > prefix.count {
            self = .folder(String(text.dropFirst(prefix.count)))
        } else if let server = SMTPServer(text) {
            self = .smtp(server)
        } else {
            return nil
        }
    }

    /// Hands a mail over.
    /// - Throws: ``MailRefusal``
    func send(_ mail: QueuedMail, from sender: String) async throws {
        switch self {
        case .smtp(let server):
            try await SMTPClient(server: server).send(mail.message, from: sender, to: mail.recipient)
        case .folder(let path):
            do {
                try FileManager.default.createDirectory(
                    atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
                let file = URL(filePath: path).appending(path: "\(mail.id.lowercase).eml")
                try Data(mail.message.utf8).write(to: file, options: .atomic)
            } catch {
                throw MailRefusal(isFinal: false, reason: "\(error)")
            }
        }
    }
}

/// Why a mail was not taken.
struct MailRefusal: Error {
    /// Whether it will never be.
    let isFinal: Bool
    /// For the log.
    let reason: String
}

/// Why nothing can be mailed.
package enum MailError: Error, Equatable {
    /// No setting says how.
    case notSetUp
}
