import CRoaring
import Foundation

/// A set of viewers' numbers, in which those of a day take a byte or two each, and sets of many days are united quickly.
struct ViewerSet: ~Copyable {
    private let bitmap: UnsafeMutablePointer<roaring_bitmap_t>

    /// An empty set.
    init() throws {
        guard let bitmap = roaring_bitmap_create() else { throw DatabaseError.failure("no memory for a set") }
        self.bitmap = bitmap
    }

    deinit {
        roaring_bitmap_free(bitmap)
    }

    /// How many there are.
    var count: Int { Int(roaring_bitmap_get_cardinality(bitmap)) }

    /// Adds viewers.
    /// - Parameter list: Their numbers, with a comma between two, as a database lists them
    mutating func insert(listed list: String) throws {
        guard !list.isEmpty else { return }
        var numbers: [UInt32] = []
        var number: UInt32 = 0
        for byte in list.utf8 {
            guard byte != UInt8(ascii: ",") else {
                numbers.append(number)
                number = 0
                continue
            }
            let (tens, isTooLarge) = number.multipliedReportingOverflow(by: 10)
            let (sum, isLarger) = tens.addingReportingOverflow(UInt32(byte &- UInt8(ascii: "0")))
            guard !isTooLarge, !isLarger else { throw DatabaseError.failure("a viewer's number is over \(UInt32.max)") }
            number = sum
        }
        numbers.append(number)
        roaring_bitmap_add_many(bitmap, numbers.count, numbers)
    }

    /// Adds those of kept sets.
    ///
    /// What a set of many is counted by is left out between two of them and made up for at the end: a third of the time.
    mutating func formUnion(_ kept: [Data]) throws {
        defer { roaring_bitmap_repair_after_lazy(bitmap) }
        for data in kept {
            let other = data.withUnsafeBytes { bytes in
                bytes.baseAddress.flatMap {
                    roaring_bitmap_portable_deserialize_safe($0.assumingMemoryBound(to: CChar.self), bytes.count)
                }
            }
            guard let other else { throw DatabaseError.failure("a kept set of viewers can't be read") }
            defer { roaring_bitmap_free(other) }
            roaring_bitmap_lazy_or_inplace(bitmap, other, true)
        }
    }

    /// The form in which it is kept: https://github.com/RoaringBitmap/RoaringFormatSpec
    var kept: Data {
        var data = Data(count: roaring_bitmap_portable_size_in_bytes(bitmap))
        data.withUnsafeMutableBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            _ = roaring_bitmap_portable_serialize(bitmap, start.assumingMemoryBound(to: CChar.self))
        }
        return data
    }
}
