import Foundation

/// The terminal that a command was started in.
struct Terminal {
    /// As they were. Behind a pointer: nothing here has to know what is in them.
    private let settings: UnsafeMutablePointer<termios>

    /// Takes the whole screen and every key, until ``leave()``; `nil` where there is no terminal.
    init?() {
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else { return nil }
        settings = .allocate(capacity: 1)
        let raw = UnsafeMutablePointer<termios>.allocate(capacity: 1)
        defer { raw.deallocate() }
        guard tcgetattr(STDIN_FILENO, settings) == 0, tcgetattr(STDIN_FILENO, raw) == 0 else {
            settings.deallocate()
            return nil
        }
        cfmakeraw(raw)
        tcsetattr(STDIN_FILENO, TCSANOW, raw)
        // The other screen, no cursor, and no line that goes on in the next.
        Self.write("\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l")
    }

    /// Gives everything back as it was.
    func leave() {
        Self.write("\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l")
        tcsetattr(STDIN_FILENO, TCSANOW, settings)
        settings.deallocate()
    }

    static func show(_ lines: [String]) {
        write("\u{1B}[H" + lines.map { $0 + "\u{1B}[K" }.joined(separator: "\r\n") + "\u{1B}[J")
    }

    /// What is typed, until the terminal is gone.
    var keys: AsyncStream<UInt8> {
        AsyncStream { stream in
            let input = FileHandle.standardInput
            input.readabilityHandler = { input in
                let bytes = input.availableData
                for byte in bytes { stream.yield(byte) }
                if bytes.isEmpty { stream.finish() }
            }
            stream.onTermination = { _ in input.readabilityHandler = nil }
        }
    }

    /// How large the screen is; 80 by 24 where nobody says.
    static var size: (columns: Int, rows: Int) {
        // Rows, columns, and two numbers for screens that know pixels.
        var size: [UInt16] = [0, 0, 0, 0]
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size[0] > 0, size[1] > 0 else { return (80, 24) }
        return (Int(size[1]), Int(size[0]))
    }

    private static func write(_ text: String) {
        FileHandle.standardOutput.write(Data(text.utf8))
    }
}
