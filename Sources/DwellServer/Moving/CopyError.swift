/// Why one store is not copied to another.
package enum CopyError: Error, Equatable {
    /// The source is not at the newest step; 0: it is none of Dwell's.
    case sourceAtMigration(Int)
    case sourceIsUnfinished
    case targetAtMigration(Int)
    case targetHoldsOtherData
    case targetIsCopyOfAnother
}

extension CopyError {
    /// The sentence for people, which names the one of the two that has to change.
    package var refusal: InvalidField {
        switch self {
        case .sourceAtMigration(0): InvalidField("the source", expected: "a database that `dwell serve` made")
        case .sourceAtMigration(let number):
            InvalidField(
                "the source",
                expected: """
                    at migration \(Migrator.latest), as this program is; it is at \(number): run `dwell migrate` on \
                    it, or use the program that wrote it
                    """)
        case .sourceIsUnfinished: InvalidField("the source", expected: "whole; it is an unfinished copy itself")
        case .targetAtMigration(let number):
            InvalidField("the target", expected: "empty, or at migration \(Migrator.latest); it is at \(number)")
        case .targetHoldsOtherData:
            InvalidField("the target", expected: "empty, or an unfinished copy of this source; it holds other data")
        case .targetIsCopyOfAnother:
            InvalidField(
                "the target",
                expected: "empty; it is an unfinished copy of another store, which --afresh would throw away")
        }
    }
}
