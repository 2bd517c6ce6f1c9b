import Testing

/// Asks until it is true, for a minute at most: on a machine with few cores, and with all tests at once, what takes a
/// moment may take many seconds.
func eventually(
    _ condition: () async throws -> Bool, sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while try await !condition() {
        try #require(ContinuousClock.now < deadline, sourceLocation: sourceLocation)
        try await Task.sleep(for: .milliseconds(10))
    }
}
