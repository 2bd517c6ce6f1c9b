import DwellAPI
import Foundation
import Logging
import NIOPosix
import Synchronization
import WebAssets

/// A clock that the demo sets.
final class DemoClock: Sendable {
    private let time = Mutex(Timestamp(milliseconds: 0))

    var clock: WallClock { WallClock { self.time.withLock { $0 } } }

    func set(_ time: Timestamp) {
        self.time.withLock { $0 = time }
    }
}

/// Lets people of the demo in by the doors that everybody comes through.
struct DemoDoors {
    /// The password of every account of the demo. It is hashed once.
    static let password = "dwell demo password"

    /// A browser that is logged in.
    private struct Browser {
        var login: Login
        /// The entry that its cookie names.
        var entry: Int64?
        var secret: RandomSecret
    }

    /// What a browser is known by.
    private struct BrowserKey: Hashable {
        let person: Int
        let device: Int
    }

    private let time = DemoClock()
    private let database: any Database
    private let gates: [Gate]
    private let accounts: Accounts
    private let devices: Devices
    private let logins: Logins
    private let attempts: Attempts
    private let audit: AuditLog
    private let rules: UserAgentRules
    private let seed: UInt64

    private var registered: Set<Int> = []
    private var browsers: [BrowserKey: Browser] = [:]
    /// The entries of visitors, and when their passes end.
    private var passes: [Int: (entry: Entry, until: Timestamp)] = [:]

    init(
        _ database: any Database, gates rules: [GateRules], devices settings: DeviceSettings, days: LocalDays,
        seed: UInt64, logger: Logger
    ) async throws {
        let (clock, secret) = (time.clock, SecretKey(SecretKey.random()))
        self.database = database
        self.seed = seed
        gates = rules.map { Gate(rules: $0, database: database, days: days, clock: clock, secret: secret) }
        audit = AuditLog(database: database, clock: clock, kept: DeviceSettings.year, logger: logger)
        attempts = Attempts(clock: clock, audit: audit)
        accounts = Accounts(
            database: database, hasher: try PasswordHasher(pool: .singleton, ofMany: Self.password), clock: clock,
            devices: settings, attempts: attempts)
        devices = Devices(database: database, clock: clock, settings: settings)
        logins = await Logins(secret: secret, database: database, clock: clock, settings: settings)
        self.rules = try UserAgentRules(yaml: WebAsset.deviceRules.text)
    }

    /// Lets somebody in.
    /// - Returns: Whose beats the visit's are; `nil` for somebody who was refused
    mutating func open(_ visit: DemoVisit, _ person: DemoPerson) async throws -> Beat.Source? {
        time.set(visit.start)
        do {
            return switch person.door {
            case .gate(let place): try await pass(gates[place], visit, person)
            case .account: try await logIn(visit, person)
            }
        } catch is GateError {
            return nil
        } catch is DeviceError {
            return nil
        } catch let error as AccountError where [.disabled, .wrongCredentials].contains(error) {
            return nil
        }
    }

    /// The browser is told which entry its beats were stored under.
    mutating func remember(_ entry: Int64, of visit: DemoVisit) {
        browsers[BrowserKey(person: visit.person, device: visit.device)]?.entry = entry
    }

    /// Writes the refusals that wait.
    func writeAudit() async throws {
        try await audit.writeWaiting(isLast: true)
    }

    /// What the operator of the demo does, and somebody who is none of its people.
    func administer(_ people: [DemoPerson], at moment: Timestamp) async throws {
        time.set(moment)
        for person in people {
            switch person.role {
            case .disabled where registered.contains(person.number):
                _ = try await AccountAdministration(database: database, clock: time.clock).disable(person.username)
            case .revoked:
                _ = try await GateVisitors(database: database, clock: time.clock).revoke(person.email, at: nil)
            case .atDeviceLimit where registered.contains(person.number): try await guess(at: person.username)
            case .atDeviceLimit, .disabled, .forger, .nobody: break
            }
        }
    }

    /// Somebody elsewhere tries passwords until it is too many.
    private func guess(at username: String) async throws {
        for number in 1...12 {
            do {
                _ = try await accounts.login(
                    LoginBody(username: username, password: "guess number \(number)"),
                    from: LoginOrigin(
                        description: DeviceDescription(userAgent: nil, hints: ClientHints(), rules: rules),
                        address: ClientAddress("198.51.100.250")))
            } catch AccountError.wrongCredentials {
                continue
            } catch is TooManyTries {
                return
            }
        }
    }

    private mutating func pass(_ gate: Gate, _ visit: DemoVisit, _ person: DemoPerson) async throws -> Beat.Source {
        if let pass = passes[person.number], visit.start < pass.until {
            return .token(viewer: pass.entry.viewer, entry: pass.entry.id)
        }
        let address = ClientAddress(person.address)
        let entry = try await attempts.run(
            Attempt(.gate, subject: person.email, address: address), [.address(.gate, address?.connection)],
            alwaysCounts: true
        ) { try await gate.enter(email: person.email, from: address) }
        passes[person.number] = (entry, visit.start + gate.rules.passLifetime)
        return .token(viewer: entry.viewer, entry: entry.id)
    }

    private mutating func logIn(_ visit: DemoVisit, _ person: DemoPerson) async throws -> Beat.Source {
        var random = DemoRandom(seed: seed, strand: 5_000_000 + UInt64(visit.person * 200 + visit.number % 200))
        let key = BrowserKey(person: person.number, device: visit.device)
        if let browser = browsers[key] {
            // Some log out when they go.
            guard person.role == .disabled || random.happens(0.04) else {
                return .login(browser.login, entry: browser.entry)
            }
            if person.role != .disabled { try await devices.logOut(browser.login, from: ClientAddress(person.address)) }
        }
        if registered.insert(person.number).inserted { try await register(person) }
        if random.happens(0.03) { try await mistype(visit, person) }
        let admission = try await accounts.login(
            LoginBody(username: person.username, password: Self.password), from: origin(visit, person))
        let login = try await logins.login(token: try await logins.token(for: admission.device))
        browsers[key] = Browser(login: login, secret: admission.browser)
        return .login(login, entry: nil)
    }

    private func register(_ person: DemoPerson) async throws {
        _ = try await accounts.register(
            RegisterBody(
                username: person.username, firstName: person.firstName, lastName: person.lastName, email: person.email,
                password: Self.password),
            from: ClientAddress(person.address))
    }

    private func mistype(_ visit: DemoVisit, _ person: DemoPerson) async throws {
        do {
            _ = try await accounts.login(
                LoginBody(username: person.username, password: "not the password"), from: origin(visit, person))
        } catch AccountError.wrongCredentials {
            return
        }
    }

    private func origin(_ visit: DemoVisit, _ person: DemoPerson) -> LoginOrigin {
        let device = person.devices[visit.device]
        return LoginOrigin(
            description: DeviceDescription(userAgent: device.userAgent, hints: device.hints, rules: rules),
            address: ClientAddress(person.address),
            browser: browsers[BrowserKey(person: person.number, device: visit.device)]?.secret)
    }
}
