import DwellAPI

/// Somebody who comes to the demo's site.
struct DemoPerson {
    /// Which door they come through.
    enum Door: Sendable, Equatable {
        /// That of the gate of this place in the list of gates.
        case gate(Int)
        case account
    }

    /// What is special about them.
    enum Role: Sendable {
        case nobody
        /// Logs in on one device more than there may be.
        case atDeviceLimit
        /// The operator closes their account.
        case disabled
        /// The operator keeps them out of the gate.
        case revoked
        /// Claims more than there was.
        case forger
    }

    let number: Int
    let door: Door
    let role: Role
    let firstName: String
    let lastName: String
    let devices: [DemoDevice]
    let address: String
    /// How much they want of everything; 1 is usual.
    let keenness: Double
    /// How fast they play videos.
    let rate: Double

    /// Tells those apart who have the same name.
    private var mark: String { number < Self.firstNames.count ? "" : "\(number)" }

    var email: String {
        if role == .forger { return "mallory@forgers.example" }
        return "\(firstName).\(lastName)\(mark)@\(Self.domains[number % Self.domains.count])".lowercased()
    }

    var username: String { "\(firstName)\(lastName.prefix(1))\(mark)".lowercased() }

    /// The share of people who have an account.
    private static let accounts = 0.3

    /// - Parameters:
    ///   - number: From 0
    ///   - gates: How many gates there are
    init(_ number: Int, seed: UInt64, gates: Int) {
        var random = DemoRandom(seed: seed, strand: UInt64(number))
        let role = Self.role(of: number)
        let hasAccount =
            switch role {
            case .atDeviceLimit, .disabled: true
            case .revoked, .forger: false
            case .nobody: random.happens(Self.accounts)
            }
        self.number = number
        self.role = role
        // Two thirds come through the first gate.
        door = hasAccount ? .account : .gate(gates > 1 && random.happens(1 / 3) ? 1 + number % (gates - 1) : 0)
        firstName = Self.firstNames[number % Self.firstNames.count]
        lastName = random.one(of: Self.lastNames)
        let count = role == .atDeviceLimit ? 5 : 1 + random.place(in: [52, 31, 12, 5])
        devices = (0..<(hasAccount ? count : 1)).map { index in
            role == .atDeviceLimit ? DemoDevice.all[index] : DemoDevice.all[random.place(in: DemoDevice.weights)]
        }
        address =
            random.happens(0.3)
            ? "\(random.one(of: ["192.0.2", "198.51.100", "203.0.113"])).\(1 + number % 250)"
            : "2001:db8:\(String(number, radix: 16))::1"
        keenness = random.longTailed(median: role == .nobody ? 1 : 2, spread: 0.8)
        rate = [1, 1.25, 1.5, 1.75, 2][random.place(in: [66, 12, 14, 4, 4])]
    }

    /// The few who stand for what can happen; they are there however few people there are.
    private static func role(of number: Int) -> Role {
        switch number {
        case 3: .forger
        case 5: .atDeviceLimit
        case 8: .disabled
        case 13: .revoked
        default: .nobody
        }
    }

    private static let firstNames = [
        "Ada", "Bruno", "Chiara", "Dmitri", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kaja", "Liam", "Maren",
        "Noor", "Oskar", "Priya", "Quentin", "Rosa", "Samir", "Tilda", "Umut", "Vera", "Wanda", "Xenia", "Yusuf", "Zoe",
        "Aiko", "Bela", "Carla", "Diego", "Emil", "Fatou", "Goran", "Hanna", "Ivo", "Joana", "Kofi", "Lena", "Mateo",
        "Nadia", "Ole", "Petra", "Ravi", "Sofia", "Timo", "Ursula", "Viktor", "Wim", "Yara", "Zeno",
    ]
    private static let lastNames = [
        "Adler", "Baker", "Costa", "Dahl", "Ekman", "Fontaine", "Garcia", "Haas", "Ivanov", "Jensen", "Kaya", "Larsen",
        "Meyer", "Novak", "Okafor", "Petrov", "Quist", "Rossi", "Sato", "Tanaka", "Ueda", "Vogel", "Weber", "Yilmaz",
        "Zimmer", "Almeida", "Brandt", "Cohen", "Duarte", "Fischer", "Gruber", "Horvat", "Ito", "Kowalski", "Lindgren",
        "Moreau", "Nielsen", "Ortega", "Patel", "Richter", "Silva", "Thomsen", "Urban", "Virtanen", "Winter",
    ]
    private static let domains = [
        "example.com", "example.org", "example.net", "harbour.example", "northwind.example", "atelier.example",
        "lumen.example",
    ]
}
