import CArchive
import Foundation

/// Writes a ZIP piece by piece: what is in it and what comes out is never held as a whole.
///
/// It belongs to one task.
final class ZipArchive {
    /// Where libarchive's own calls put what comes out.
    private final class Output {
        var bytes = Data()
    }

    /// The type that is no folder and no link.
    private static let plainFile: UInt32 = 0o100000

    /// `nil` when there is no memory for it.
    private let archive: OpaquePointer?
    private let output = Output()
    private let time: time_t

    /// - Parameter date: Noted as the time of each file
    init(date: Date) throws {
        time = time_t(date.timeIntervalSince1970)
        archive = archive_write_new()
        try check(archive_write_set_format_zip(archive))
        // Pieces come as they are made; nothing is filled up to the end of a block.
        try check(archive_write_set_bytes_per_block(archive, 0))
        try check(
            archive_write_open(
                archive, Unmanaged.passUnretained(output).toOpaque(), nil,
                { _, context, bytes, count in
                    guard let context, let bytes else { return -1 }
                    Unmanaged<Output>.fromOpaque(context).takeUnretainedValue().bytes.append(
                        bytes.assumingMemoryBound(to: UInt8.self), count: count)
                    return la_ssize_t(count)
                }, nil))
    }

    deinit {
        // Closes it too; what that writes nobody reads.
        archive_write_free(archive)
    }

    /// Begins a file, and ends the one before.
    func begin(_ name: String) throws {
        let entry = archive_entry_new()
        defer { archive_entry_free(entry) }
        archive_entry_set_pathname_utf8(entry, name)
        archive_entry_set_filetype(entry, Self.plainFile)
        archive_entry_set_perm(entry, 0o600)
        archive_entry_set_mtime(entry, time, 0)
        try check(archive_write_header(archive, entry))
    }

    /// Writes to the file.
    func write(_ text: String) throws {
        let bytes = Data(text.utf8)
        let written = bytes.withUnsafeBytes { archive_write_data(archive, $0.baseAddress, $0.count) }
        guard written == bytes.count else { throw failure }
    }

    /// Ends the last file, and the archive.
    func finish() throws {
        try check(archive_write_close(archive))
    }

    /// What came out since the last time.
    func take() -> Data {
        defer { output.bytes = Data() }
        return output.bytes
    }

    private func check(_ code: CInt) throws {
        // A warning leaves an archive that is whole.
        guard code == ARCHIVE_OK || code == ARCHIVE_WARN else { throw failure }
    }

    private var failure: ZipError {
        ZipError(cause: archive_error_string(archive).map { String(cString: $0) } ?? "no memory")
    }
}

/// Why an archive can't be written.
struct ZipError: Error {
    let cause: String
}
