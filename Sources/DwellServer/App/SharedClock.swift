internal import DwellAPI
package import Logging
internal import ServiceLifecycle
import Synchronization

/// The database's clock, on every node that shares it: a node whose own clock is wrong counts as right as the others.
///
/// Between two looks at the database the time is measured, not read: setting the machine's clock moves nothing.
package final class SharedClock: Service {
    private static let pause = Duration.seconds(10)

    private let database: any Database
    private let logger: Logger
    private let reading: Mutex<Reading>

    private struct Reading {
        let time: Timestamp
        let at: ContinuousClock.Instant

        func time(at moment: ContinuousClock.Instant) -> Timestamp {
            time + at.duration(to: moment).milliseconds
        }
    }

    /// - Returns: `nil` for a database without a clock of its own
    package init?(_ database: any Database, logger: Logger) async throws {
        guard let reading = try await Self.read(database) else { return nil }
        self.database = database
        self.logger = logger
        self.reading = Mutex(reading.value)
    }

    /// The clock for everything else.
    package var clock: WallClock {
        WallClock { self.reading.withLock { $0.time(at: .now) } }
    }

    /// Looks at the database's clock now and then, until a graceful stop.
    package func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            while (try? await Task.sleep(for: Self.pause)) != nil {
                do {
                    guard let (fresh, error) = try await Self.read(database) else { return }
                    reading.withLock { reading in
                        // Small differences are the network's.
                        if abs(fresh.time - reading.time(at: fresh.at)) > error { reading = fresh }
                    }
                } catch {
                    logger.warning("the database's clock was not read", metadata: ["cause": "\(error)"])
                }
            }
        }
    }

    /// What the clock said in the middle between asking and hearing, and how far that may be off, in milliseconds.
    ///
    /// A machine's own clock that the answer does not prove wrong is the better word: nodes whose clocks are right tell
    /// the same time, however long the way to the database is.
    private static func read(_ database: any Database) async throws -> (value: Reading, error: Int64)? {
        let asked = ContinuousClock.now
        guard let time = try await database.time() else { return nil }
        let (heard, own) = (ContinuousClock.now, WallClock.system.now())
        let half = asked.duration(to: heard) / 2
        let reading = Reading(time: time, at: asked + half)
        let isOwnRight = abs(reading.time(at: heard) - own) <= half.milliseconds + 1
        return (isOwnRight ? Reading(time: own, at: heard) : reading, half.milliseconds + 20)
    }
}

extension Duration {
    /// Whole milliseconds.
    fileprivate var milliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
