/// Remembers values, up to a number of them: a new one then takes the place of the oldest, used or not. That is enough
/// where a value is cheap to make again, and it leaves no way to make the memory grow.
package struct BoundedCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let capacity: Int
    private var values: [Key: Value] = [:]
    /// The keys in a ring: once it is full, `oldest` is the one to go next.
    private var keys: [Key] = []
    private var oldest = 0

    /// An empty cache.
    /// - Parameter capacity: How many values it remembers, at least 1
    package init(capacity: Int) {
        precondition(capacity > 0, "a cache needs room for a value")
        self.capacity = capacity
    }

    /// How many values are remembered now.
    package var count: Int { values.count }

    /// The value that is remembered for a key; nil when there is none.
    package subscript(key: Key) -> Value? { values[key] }

    /// Remembers a value, in place of the one that is there for a key that is known already.
    /// - Parameters:
    ///   - value: The value
    ///   - key: What it will be asked for by
    package mutating func insert(_ value: Value, for key: Key) {
        guard values.updateValue(value, forKey: key) == nil else { return }
        if keys.count < capacity {
            keys.append(key)
        } else {
            values[keys[oldest]] = nil
            keys[oldest] = key
            oldest = (oldest + 1) % capacity
        }
    }
}
