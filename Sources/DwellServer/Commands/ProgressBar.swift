import Foundation
import Synchronization

/// How far a long command has come, on standard error; nothing when that is not a terminal.
final class ProgressBar: Sendable {
    private static let width = 40

    private let things: String
    private let isShown = isatty(STDERR_FILENO) == 1
    private let percent = Mutex(-1)

    /// - Parameter things: What is counted, such as `people`
    init(of things: String) {
        self.things = things
    }

    /// Draws the bar, if it has changed.
    func show(_ done: Int, of count: Int) {
        guard isShown, count > 0 else { return }
        let now = 100 * done / count
        let isNew = percent.withLock { percent in
            defer { percent = now }
            return percent != now
        }
        guard isNew else { return }
        let full = Self.width * done / count
        let bar = String(repeating: "█", count: full) + String(repeating: "░", count: Self.width - full)
        write("\r\(bar) \(now) % of \(count) \(things)")
    }

    /// Clears the line.
    func end() {
        if isShown { write("\r\u{1B}[K") }
    }

    private func write(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }
}
