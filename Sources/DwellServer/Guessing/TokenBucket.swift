import DwellAPI

/// How often something may be tried: so many times at once, and one more after each pause.
struct Pace: Sendable, Equatable {
    let burst: Int
    /// Milliseconds.
    let pause: Int64

    /// How long an empty bucket takes to fill, in milliseconds.
    var full: Int64 { Int64(burst) * pause }

    static func times(_ burst: Int, thenEvery seconds: Int64) -> Pace {
        Pace(burst: burst, pause: seconds * 1000)
    }
}

/// Holds a token for each try that is left. A try takes one before it begins, so that many at once are counted too; what
/// is no guess gives it back.
struct TokenBucket: Sendable {
    private let pace: Pace
    /// How long it has been filling since it was empty, in milliseconds: one token each pause.
    private var level: Int64
    private var filledAt: Timestamp
    /// Tokens that were taken by tries of which it is not known yet whether they give them back.
    private(set) var taken = 0
    /// Whether a try was refused since the last one that was not.
    private(set) var hasRefused = false

    init(_ pace: Pace, at time: Timestamp) {
        self.pace = pace
        level = pace.full
        filledAt = time
    }

    /// Whether a try may begin.
    mutating func hasToken(at time: Timestamp) -> Bool {
        // A clock that was set back fills nothing, and takes nothing away.
        level = min(pace.full, level + max(0, time - filledAt))
        filledAt = time
        return level >= pace.pause
    }

    /// Begins a try.
    mutating func take() {
        level -= pace.pause
        taken += 1
        hasRefused = false
    }

    /// Takes a token for good.
    mutating func spend() {
        level -= pace.pause
        hasRefused = false
    }

    /// How many tokens there are, as of the last look.
    var tokens: Int { Int(level / pace.pause) }

    /// How long it takes to fill, in milliseconds, as of the last look.
    var missing: Int64 { pace.full - level }

    /// Ends a try.
    /// - Parameter isSpent: Whether its token is gone
    mutating func settle(isSpent: Bool) {
        taken = max(0, taken - 1)
        if !isSpent { level = min(pace.full, level + pace.pause) }
    }

    /// Refuses a try.
    /// - Returns: After how many seconds there is a token, at least 1
    mutating func refuse() -> Int64 {
        hasRefused = true
        return max(1, (pace.pause - level + 999) / 1000)
    }
}
