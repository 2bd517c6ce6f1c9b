import Foundation

/// What this process takes of the machine, as Linux tells it.
struct ProcessUsage {
    /// Bytes that lie in memory.
    let memory: Int
    /// Seconds of all processors together.
    let processor: Double
    /// Open files and connections, and the most there may be.
    let files: Int
    let fileLimit: Int

    /// `nil` where there is no `/proc`.
    init?() {
        var time = timespec()
        guard let memory = Self.number(after: "VmRSS:", in: "status"),
            let limit = Self.number(after: "Max open files", in: "limits"),
            let open = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"),
            clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0
        else { return nil }
        self.memory = memory * 1024
        processor = Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        files = open.count
        fileLimit = limit
    }

    private static func number(after title: String, in file: String) -> Int? {
        let text = try? String(contentsOfFile: "/proc/self/\(file)", encoding: .utf8)
        let line = text?.split(separator: "\n").first { $0.hasPrefix(title) }
        return line?.dropFirst(title.count).split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }
    }
}

extension PrometheusText {
    /// Under the names that all programs use.
    mutating func add(_ process: ProcessUsage) {
        gauge("process_resident_memory_bytes", "Memory that the process takes.", Double(process.memory))
        counter("process_cpu_seconds_total", "Processor time that the process took.", process.processor)
        gauge("process_open_fds", "Open files and connections.", Double(process.files))
        gauge("process_max_fds", "The most open files and connections there may be.", Double(process.fileLimit))
    }
}
