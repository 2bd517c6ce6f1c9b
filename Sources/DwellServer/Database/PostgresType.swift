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

    /// A value in the binary form of this type; `nil` for null.
    func encode(_ value: SQLValue) throws -> [UInt8]? {
        switch (value, self) {
        case (.null, _): return nil
        case (.integer(let number), .bigint): return number.bytes
        case (.integer(let number), .integer): return Int32(clamping: number).bytes
        case (.integer(let number), .smallint): return Int16(clamping: number).bytes
        case (.integer(let number), .double): return Double(number).bitPattern.bytes
        case (.integer(let number), .boolean): return [number == 0 ? 0 : 1]
        case (.integer(let number), .text), (.integer(let number), .varchar): return Array(String(number).utf8)
        case (.real(let number), .double): return number.bitPattern.bytes
        case (.real(let number), .real): return Float(number).bitPattern.bytes
        case (.text(let text), .text), (.text(let text), .varchar), (.text(let text), .name):
            return Array(text.utf8)
        case (.blob(let data), .bytes): return Array(data)
        case (.integers(let numbers), .bigints): return Self.array(of: .bigint, numbers.map { $0?.bytes })
        case (.reals(let numbers), .doubles): return Self.array(of: .double, numbers.map { $0?.bitPattern.bytes })
        case (.texts(let texts), .texts): return Self.array(of: .text, texts.map { $0.map { Array($0.utf8) } })
        default: throw DatabaseError.failure("\(value) can't be sent as \(self)")
        }
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
    private static func array(of type: PostgresType, _ elements: [[UInt8]?]) -> [UInt8] {
        let hasNulls: Int32 = elements.contains { $0 == nil } ? 1 : 0
        var bytes = Int32(1).bytes + hasNulls.bytes + type.rawValue.bytes
        bytes += Int32(elements.count).bytes + Int32(1).bytes
        for element in elements {
            bytes += Int32(element?.count ?? -1).bytes
            if let element { bytes += element }
        }
        return bytes
    }
}

extension FixedWidthInteger {
    fileprivate var bytes: [UInt8] {
        withUnsafeBytes(of: bigEndian) { Array($0) }
    }

    fileprivate init(bytes: UnsafeRawBufferPointer) throws {
        guard bytes.count == MemoryLayout<Self>.size else {
            throw DatabaseError.failure("\(bytes.count) bytes for a number of \(MemoryLayout<Self>.size)")
        }
        self = Self(bigEndian: bytes.loadUnaligned(as: Self.self))
    }
}
