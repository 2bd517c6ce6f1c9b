/// The types of PostgreSQL that Dwell's statements use, by their object identifiers, in binary form.
enum PostgresType: UInt32 {
    case unspecified = 0
    case boolean = 16
    case bytes = 17
    case name = 19
    case bigint = 20
    case smallint = 21
    case integer = 23
    case text = 25
    case void = 2278
    case real = 700
    case double = 701
    case varchar = 1043
    case texts = 1009
    case bigints = 1016
    case doubles = 1022

    /// - Throws: ``DatabaseError/failure(_:)`` for a type that no statement should bring
    init(_ identifier: UInt32) throws {
        guard let type = PostgresType(rawValue: identifier) else {
            throw DatabaseError.failure("a value of PostgreSQL's type \(identifier)")
        }
        self = type
    }

    /// The type that a value has by itself.
    init(of value: SQLValue) {
        self =
            switch value {
            case .null: .unspecified
            case .integer: .bigint
            case .real: .double
            case .text: .text
            case .blob: .bytes
            case .integers: .bigints
            case .reals: .doubles
            case .texts: .texts
            }
    }

    /// Appends a value in the binary form of this type.
    /// - Returns: Whether there is one: null has none
    func encode(_ value: SQLValue, into bytes: inout [UInt8]) throws -> Bool {
        switch (value, self) {
        case (.null, _): return false
        case (.integer(let number), .bigint): bytes.append(bigEndian: number)
        case (.integer(let number), .integer):
            guard let number = Int32(exactly: number) else { throw Self.tooLarge(number, self) }
            bytes.append(bigEndian: number)
        case (.integer(let number), .smallint):
            guard let number = Int16(exactly: number) else { throw Self.tooLarge(number, self) }
            bytes.append(bigEndian: number)
        case (.integer(let number), .double): bytes.append(bigEndian: Double(number).bitPattern)
        case (.integer(let number), .boolean): bytes.append(UInt8(number == 0 ? 0 : 1))
        case (.integer(let number), .text), (.integer(let number), .varchar): bytes += String(number).utf8
        case (.real(let number), .double): bytes.append(bigEndian: number.bitPattern)
        case (.real(let number), .real): bytes.append(bigEndian: Float(number).bitPattern)
        case (.text(let text), .text), (.text(let text), .varchar), (.text(let text), .name): bytes += text.utf8
        case (.blob(let data), .bytes): bytes += data
        case (.integers(let numbers), .bigints):
            Self.append(numbers, of: .bigint, to: &bytes) {
                $1.append(bigEndian: Int32(8))
                $1.append(bigEndian: $0)
            }
        case (.reals(let numbers), .doubles):
            Self.append(numbers, of: .double, to: &bytes) {
                $1.append(bigEndian: Int32(8))
                $1.append(bigEndian: $0.bitPattern)
            }
        case (.texts(let texts), .texts):
            Self.append(texts, of: .text, to: &bytes) {
                $1.append(bigEndian: Int32($0.utf8.count))
                $1 += $0.utf8
            }
        default: throw DatabaseError.failure("\(value) can't be sent as \(self)")
        }
        return true
    }

    private static func tooLarge(_ number: Int64, _ type: PostgresType) -> DatabaseError {
        DatabaseError.failure("\(number) is too large for \(type)")
    }

    /// What the binary form of this type says.
    func decode(_ bytes: UnsafeRawBufferPointer) throws -> SQLValue {
        switch self {
        case .bigint: return .integer(try Int64(bytes: bytes))
        case .integer: return .integer(Int64(try Int32(bytes: bytes)))
        case .smallint: return .integer(Int64(try Int16(bytes: bytes)))
        case .boolean: return .integer(bytes.first == 0 ? 0 : 1)
        case .double: return .real(Double(bitPattern: try UInt64(bytes: bytes)))
        case .real: return .real(Double(Float(bitPattern: try UInt32(bytes: bytes))))
        case .text, .varchar, .name: return .text(String(decoding: bytes, as: UTF8.self))
        case .bytes: return .blob(.init(bytes))
        case .void: return .null
        case .unspecified, .texts, .bigints, .doubles: throw DatabaseError.failure("a column of type \(self)")
        }
    }

    /// https://www.postgresql.org/docs/15/arrays.html has the text form; this is what array_send writes.
    private static func append<Element>(
        _ elements: [Element?], of type: PostgresType, to bytes: inout [UInt8],
        _ append: (Element, inout [UInt8]) -> Void
    ) {
        let hasNulls = elements.contains { $0 == nil }
        for part in [1, hasNulls ? 1 : 0, Int32(bitPattern: type.rawValue), Int32(elements.count), 1] {
            bytes.append(bigEndian: part)
        }
        for element in elements {
            if let element { append(element, &bytes) } else { bytes.append(bigEndian: Int32(-1)) }
        }
    }
}

extension [UInt8] {
    /// A number as the network sends it.
    fileprivate mutating func append(bigEndian number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
    }
}

extension FixedWidthInteger {
    fileprivate init(bytes: UnsafeRawBufferPointer) throws {
        guard bytes.count == MemoryLayout<Self>.size else {
            throw DatabaseError.failure("\(bytes.count) bytes for a number of \(MemoryLayout<Self>.size)")
        }
        self = Self(bigEndian: bytes.loadUnaligned(as: Self.self))
    }
}
