import ServiceLifecycle

/// Lets beats go first: work that nobody waits for, or nobody in a hurry, does its steps with pauses while beats wait.
package struct RightOfWay: Sendable {
    /// How long a pause is beside the step before it, and how long at most: the work goes on under any load.
    private static let share = 3
    private static let longest = Duration.seconds(1)

    let beatsWait: @Sendable () -> Bool

    /// For where there are no beats.
    package static let free = RightOfWay { false }

    /// - Parameter beatsWait: Whether any beat waits to be stored
    init(beatsWait: @escaping @Sendable () -> Bool) {
        self.beatsWait = beatsWait
    }

    /// Leaves the processors and the store to beats, if any wait.
    /// - Parameter taken: How long the step took that is over
    func pause(after taken: Duration) async throws {
        guard beatsWait() else { return }
        try await cancelWhenGracefulShutdown { try await Task.sleep(for: min(taken * Self.share, Self.longest)) }
    }
}
