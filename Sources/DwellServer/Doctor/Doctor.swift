import DwellAPI
import Foundation
import WebAssets

/// Looks at everything that a server needs, and changes nothing.
struct Doctor {
    /// Room for a few days of a busy server, in bytes.
    private static let scarceDisk = 1_000_000_000
    /// So much is gone in an hour.
    private static let fullDisk = 100_000_000
    /// Every connection is an open file.
    private static let fewFiles = 4096
    /// How far a clock may be off, in milliseconds: a node follows the database's anyway.
    private static let clockTolerance: Int64 = 1000

    let settings: SettingReader
    /// Whom a mail is sent to; `nil` sends none.
    let recipient: String?

    func findings() async -> [Finding] {
        let (configuration, ofConfiguration) = configuration()
        return ofConfiguration + (await database()) + (await mail(configuration?.mail, configuration?.address))
            + [programs, openFiles].compactMap(\.self) + (configuration.map(door) ?? [])
    }

    // MARK: Configuration

    private func configuration() -> (ServerConfiguration?, [Finding]) {
        var findings = Setting.allCases.map { setting in
            Finding.ok(setting.rawValue, settings.shown(setting))
        }
        do {
            let configuration = try ServerConfiguration(settings, mayMakeSecret: false)
            findings.append(.ok("configuration", "every setting is as it must be"))
            return (configuration, findings + secretFile())
        } catch {
            findings.append(.fail("configuration", "\(error)", "Mend this setting; `dwell serve` refuses it too."))
            return (nil, findings)
        }
    }

    private func secretFile() -> [Finding] {
        guard settings.text(.secretKey) == nil,
            let path = try? StoreConfiguration.location(settings).file.map({
                $0 + SecretFile.ending
            })
        else { return [] }
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        guard let rights = attributes?[.posixPermissions] as? Int else {
            return [.ok("secret", "none yet: `dwell serve` makes \(path)")]
        }
        guard rights & 0o077 == 0 else {
            return [.warn("secret", "others may read \(path)", "chmod 600 \(path)")]
        }
        return [.ok("secret", path)]
    }

    // MARK: Database

    private func database() async -> [Finding] {
        let location: StoreLocation
        do { location = try StoreConfiguration.location(settings) } catch { return [] }
        if let path = location.file, !FileManager.default.fileExists(atPath: path) {
            return [
                .warn("database", "there is no \(path) yet", "`dwell serve` makes it; or is the path another?")
            ] + disk(of: path)
        }
        do {
            let database = try Store.connect(location, as: Setting.databaseURL.title)
            defer { try? database.close() }
            return try await schema(of: database, location) + integrity(of: database) + size(of: database, location)
                + clock(of: database)
        } catch DatabaseError.corrupt(let cause) {
            return [Self.damaged(cause)]
        } catch {
            return [
                .fail(
                    "database", "\(location.description): \(error)",
                    location.file == nil
                        ? "Is the server up, its name right, and the password in ~/.pgpass or the URL?"
                        : "Is it the right file, and may this user read and write it and its folder?")
            ]
        }
    }

    private func schema(of database: any Database, _ location: StoreLocation) async throws -> [Finding] {
        let (version, number, isUnfinished) = try await database.read { connection in
            let number = try SchemaQueries(connection: connection).migration()
            return (
                try DoctorQueries(connection: connection).version(), number,
                try number > 0 && NoteQueries(connection: connection).text(of: .unfinishedCopy) != nil
            )
        }
        let opened = Finding.ok("database", "\(location.description), \(version)")
        if isUnfinished {
            return [opened, .fail("schema", "an unfinished copy", "Run the same `dwell copy` again.")]
        }
        let schema: Finding =
            switch number {
            case Migrator.latest: .ok("schema", "migration \(number), the latest")
            case ..<Migrator.latest:
                .warn(
                    "schema", "migration \(number) of \(Migrator.latest)",
                    "`dwell serve` or `dwell migrate` applies the others; make a backup before.")
            default:
                .fail(
                    "schema", "migration \(number), which this program does not know",
                    "Run the program that made it, or a later one.")
            }
        return [opened, schema]
    }

    private func integrity(of database: any Database) async throws -> [Finding] {
        guard database.dialect == .sqlite else { return [] }
        let damage = try await database.read { try DoctorQueries(connection: $0).damage() }
        guard damage.isEmpty else { return [Self.damaged(damage.joined(separator: "; "))] }
        return [.ok("integrity", "sound, as far as SQLite's quick_check looks")]
    }

    private func size(of database: any Database, _ location: StoreLocation) async throws -> [Finding] {
        if let path = location.file {
            let sizes = ["", "-wal"].compactMap { ending in
                (try? FileManager.default.attributesOfItem(atPath: path + ending))?[.size] as? Int
            }
            return [.ok("size", Self.megabytes(sizes.reduce(0, +)))] + disk(of: path)
        }
        let size = try await database.read { try DoctorQueries(connection: $0).size() }
        return size.map { [.ok("size", Self.megabytes($0))] } ?? []
    }

    private func disk(of path: String) -> [Finding] {
        let folder = URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: folder)
        guard let free = attributes?[.systemFreeSize] as? Int else { return [] }
        let found = "\(Self.megabytes(free)) free"
        guard free > Self.scarceDisk else {
            let advice = "Make room, or fold old segments: --keep-segments. On a full disk beats get 503."
            return [free > Self.fullDisk ? .warn("disk", found, advice) : .fail("disk", found, advice)]
        }
        return [.ok("disk", found)]
    }

    private func clock(of database: any Database) async throws -> [Finding] {
        let before = WallClock.system.now()
        guard let theirs = try await database.time() else {
            return [.ok("clock", "\(before), this machine's; SQLite has no other")]
        }
        let after = WallClock.system.now()
        let off = max(0, before - theirs, theirs - after)
        guard off > Self.clockTolerance else {
            return [.ok("clock", "\(theirs), the database's; this machine's is less than a second off")]
        }
        return [
            .warn(
                "clock", "this machine's clock is \(off / 1000) s off the database's",
                "The server tells the database's time; have both set by NTP, so that logs agree.")
        ]
    }

    // MARK: Mail

    private func mail(_ settings: MailSettings?, _ publicURL: String?) async -> [Finding] {
        guard let settings else {
            return [.ok("mail", "not set up: nobody can reset a password by mail")]
        }
        do {
            let spoken: Finding
            switch settings.way {
            case .smtp(let server):
                try await SMTPClient(server: server).greet()
                spoken = .ok("mail", "\(server.url) answers")
            case .folder(let path):
                spoken = .warn(
                    "mail", "files in \(path)", "Nobody gets them: set \(Setting.smtpURL.variable) to a server.")
            }
            guard let recipient else { return [spoken] }
            let id = UUID()
            let message = try LetterForm().message(
                .test(publicURL: publicURL ?? ""), from: settings.sender, to: Mailbox(address: recipient), id: id,
                at: WallClock.system.now())
            try await settings.way.send(
                QueuedMail(
                    id: id, kind: .test, recipient: recipient, message: message, attempts: 1,
                    expiresAt: WallClock.system.now()), from: settings.sender.address)
            return [spoken, .ok("mail sent", "to \(recipient), and taken over")]
        } catch {
            let reason = (error as? MailRefusal)?.reason ?? "\(error)"
            return [
                .fail(
                    "mail", reason,
                    "Are \(Setting.smtpURL.variable) and \(Setting.mailFrom.variable) what the mail server expects?")
            ]
        }
    }

    // MARK: The machine

    private var programs: Finding {
        let rules = WebAsset.deviceRules.text.split(separator: "- regex:").count - 1
        return .ok(
            "versions",
            "Dwell \(Version.number), libpq \(PostgresConnection.libraryVersion), uap-core with \(rules) patterns")
    }

    private var openFiles: Finding? {
        guard let limit = ProcessUsage()?.fileLimit else { return nil }
        guard limit < Self.fewFiles else { return .ok("open files", "\(limit) at most, in this shell") }
        return .warn(
            "open files", "\(limit) at most, in this shell",
            "Every connection is one: ulimit -n 65536, or LimitNOFILE=65536 in the service's file.")
    }

    /// How people come in.
    private func door(_ configuration: ServerConfiguration) -> [Finding] {
        let isOpen = !["127.0.0.1", "::1", "localhost"].contains(configuration.host)
        let listens = "listens on \(configuration.host):\(configuration.port), people come to \(configuration.address)"
        if configuration.publicURL == nil {
            return [
                isOpen
                    ? .warn("door", listens, "Set --public-url to what people type: links and cookies follow it.")
                    : .ok("door", listens)
            ]
        }
        guard configuration.isSecure else {
            let isLocal = ["localhost", "127.0.0.1", "::1"].contains(configuration.publicURL?.host() ?? "")
            return [
                isLocal
                    ? .ok("door", listens)
                    : .warn("door", listens, "Passwords travel in the clear: let a proxy end TLS, and set https://….")
            ]
        }
        return [
            isOpen
                ? .warn("door", listens, "Whoever reaches the port comes past the proxy's TLS: listen on 127.0.0.1.")
                : .ok("door", "\(listens) by a proxy, which must end TLS and pass the Host header on")
        ]
    }

    private static func damaged(_ cause: String) -> Finding {
        .fail("integrity", cause, "Stop the server, keep the files, and restore the last backup: dwell restore FILE.")
    }

    private static func megabytes(_ bytes: Int) -> String {
        bytes < 10_000_000_000 ? "\(bytes / 1_000_000) MB" : "\(bytes / 1_000_000_000) GB"
    }
}
