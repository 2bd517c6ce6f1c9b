import DwellAPI
import Foundation

/// What a content came to in a span of days.
struct SpanTotal: Sendable, Equatable {
    /// How many sessions began; only of everything.
    var sessions = 0
    /// Over people and days.
    var measures = ContentMeasures()
    /// How many people there were.
    var viewers = 0
    /// Who they were.
    var numbers = Data()

    /// Whether there is anything to keep.
    var isEmpty: Bool { sessions == 0 && viewers == 0 }
}
