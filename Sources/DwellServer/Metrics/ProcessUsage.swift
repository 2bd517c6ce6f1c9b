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
        // What follows the program's name, which may hold anything: from the third field on.
        let fields = Self.text(of: "stat")?.split(separator: ")").last?.split(separator: " ").compactMap { Int($0) }
        guard let memory = Self.number(after: "VmRSS:", in: "status"),
            let limit = Self.number(after: "Max open files", in: "limits"),
            let open = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"),
            let fields, fields.count > 12
        else { return nil }
        self.memory = memory * 1024
        // In user mode, and in the kernel. The state, a letter, is not among the numbers.
        processor = Double(fields[10] + fields[11]) / Double(sysconf(Int32(_SC_CLK_TCK)))
        files = open.count
        fileLimit = limit
    }

    private static func text(of file: String) -> String? {
        try? String(contentsOfFile: "/proc/self/\(file)", encoding: .utf8)
    }

    private static func number(after title: String, in file: String) -> Int? {
        let line = text(of: file)?.split(separator: "\n").first { $0.hasPrefix(title) }
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
