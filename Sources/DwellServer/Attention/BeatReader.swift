import DwellAPI

/// Reads a beat's body that is written as scripts write it: as `JSON.stringify` does, with known names, each once, and
/// texts in ASCII without escapes. Nearly every beat is, and this takes a small part of the JSON decoder's time: see
/// `script/bench micro`.
///
/// Everything else it leaves to the decoder, which reads it or says what is wrong: what is read here, the decoder reads
/// alike.
package struct BeatReader {
    private let bytes: UnsafeRawBufferPointer
    private var index = 0

    /// - Returns: `nil` for what the decoder has to look at
    package static func read(_ bytes: UnsafeRawBufferPointer) -> ReceivedBeat? {
        var reader = BeatReader(bytes: bytes)
        guard let beat = reader.beat(), reader.index == bytes.count else { return nil }
        return beat
    }

    private init(bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    private mutating func beat() -> ReceivedBeat? {
        var v: Int64?
        var sentAt: Int64?
        var token: String?
        var interval: Int64?
        var segments: [ReceivedSegment]?
        let isRead = readObject { reader, name in
            switch name {
            case "v": reader.readWholeNumber(into: &v)
            case "sentAt": reader.readWholeNumber(into: &sentAt)
            case "token": reader.readText(into: &token)
            case "interval": reader.readWholeNumber(into: &interval)
            case "segments": reader.readSegments(into: &segments)
            default: false
            }
        }
        guard isRead, let v, let sentAt, let segments else { return nil }
        return ReceivedBeat(v: v, sentAt: sentAt, token: token, interval: interval, segments: segments)
    }

    private mutating func readSegments(into segments: inout [ReceivedSegment]?) -> Bool {
        guard segments == nil, take("[") else { return false }
        var read: [ReceivedSegment] = []
        if !take("]") {
            repeat {
                guard let claim = claim() else { return false }
                read.append(ReceivedSegment(claim: .success(claim)))
            } while take(",")
            guard take("]") else { return false }
        }
        segments = read
        return true
    }

    private mutating func claim() -> SegmentClaim? {
        var (tab, page, video): (String?, String?, String?)
        var (n, from, to): (Int64?, Int64?, Int64?)
        var (mediaFrom, mediaTo, mediaDuration): (Int64?, Int64?, Int64?)
        var rate: Double?
        var attention: Attention?
        var end: SegmentEnd?
        let isRead = readObject { reader, name in
            switch name {
            case "tab": reader.readText(into: &tab)
            case "n": reader.readWholeNumber(into: &n)
            case "from": reader.readWholeNumber(into: &from)
            case "to": reader.readWholeNumber(into: &to)
            case "attention": reader.readWord(into: &attention)
            case "page": reader.readText(into: &page)
            case "video": reader.readText(into: &video)
            case "mediaFrom": reader.readWholeNumber(into: &mediaFrom)
            case "mediaTo": reader.readWholeNumber(into: &mediaTo)
            case "mediaDuration": reader.readWholeNumber(into: &mediaDuration)
            case "rate": reader.readNumber(into: &rate)
            case "end": reader.readWord(into: &end)
            default: false
            }
        }
        guard isRead, let tab, let n, let from, let to, let attention else { return nil }
        return SegmentClaim(
            tab: tab, n: n, from: from, to: to, attention: attention, page: page, video: video, mediaFrom: mediaFrom,
            mediaTo: mediaTo, mediaDuration: mediaDuration, rate: rate, end: end)
    }

    // MARK: JSON

    /// A field's name.
    private struct Name {
        let bytes: UnsafeRawBufferPointer

        static func ~= (name: StaticString, found: Name) -> Bool {
            name.withUTF8Buffer { found.bytes.elementsEqual($0) }
        }
    }

    /// - Parameter field: Reads the value of a field; false when it can't
    private mutating func readObject(_ field: (inout BeatReader, Name) -> Bool) -> Bool {
        guard take("{") else { return false }
        repeat {
            guard let name = textBytes(), take(":"), field(&self, Name(bytes: name)) else { return false }
        } while take(",")
        return take("}")
    }

    private mutating func readText(into value: inout String?) -> Bool {
        guard value == nil, let bytes = textBytes() else { return false }
        value = String(decoding: bytes, as: UTF8.self)
        return true
    }

    private mutating func readWord<Word: RawRepresentable<String>>(into value: inout Word?) -> Bool {
        var text: String?
        guard value == nil, readText(into: &text), let word = text.flatMap(Word.init(rawValue:)) else { return false }
        value = word
        return true
    }

    private mutating func readWholeNumber(into value: inout Int64?) -> Bool {
        guard value == nil else { return false }
        let isNegative = take("-")
        guard let digits = digits(atMost: 18) else { return false }
        value = isNegative ? -digits : digits
        return true
    }

    private mutating func readNumber(into value: inout Double?) -> Bool {
        guard value == nil, let whole = digits(atMost: 7) else { return false }
        var (number, scale) = (Double(whole), 1.0)
        if take(".") {
            let start = index
            while index - start < 8, let digit = digit {
                // Exact, as both stay below 2^53; so the division is rounded once, as the decoder's reading is.
                (number, scale) = (number * 10 + Double(digit), scale * 10)
                index += 1
            }
            guard index > start else { return false }
        }
        value = number / scale
        return true
    }

    /// Digits without a needless zero in front, up to so many: one more and what follows is not understood.
    private mutating func digits(atMost limit: Int) -> Int64? {
        let start = index
        var value: Int64 = 0
        while index - start < limit, let digit = digit {
            value = value * 10 + Int64(digit)
            index += 1
        }
        let count = index - start
        guard count > 0, count == 1 || bytes[start] != UInt8(ascii: "0") else { return nil }
        return value
    }

    private var digit: UInt8? {
        guard index < bytes.count, case UInt8(ascii: "0")...UInt8(ascii: "9") = bytes[index] else { return nil }
        return bytes[index] - UInt8(ascii: "0")
    }

    /// What stands between quotes; `nil` when it is not plain ASCII.
    private mutating func textBytes() -> UnsafeRawBufferPointer? {
        guard take("\"") else { return nil }
        let start = index
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                index += 1
                return UnsafeRawBufferPointer(rebasing: bytes[start..<index - 1])
            case UInt8(ascii: "\\"), ..<0x20, 0x7F...: return nil
            default: index += 1
            }
        }
        return nil
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }
}
