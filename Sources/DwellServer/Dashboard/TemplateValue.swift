/// What a template is given in place of a struct.
///
/// A template that looks for a name goes through all fields of all structs around it, by reflection, each time. A page of a
/// year has thousands of names, and took most of its time to be written. So each struct is taken apart once, into a
/// dictionary.
enum TemplateValue {
    /// - Returns: Of structs dictionaries, of optionals what they hold, of arrays the same of each element; `nil` where nothing
    ///   is
    static func of(_ value: Any) -> Any? {
        if value is String || value is Bool || value is Int { return value }
        let mirror = Mirror(reflecting: value)
        switch mirror.displayStyle {
        case .optional: return mirror.children.first.flatMap { of($0.value) }
        case .collection: return mirror.children.compactMap { of($0.value) }
        // What has a text of its own is shown by that.
        case .struct where !(value is any CustomStringConvertible):
            return mirror.children.reduce(into: [String: Any]()) { fields, child in
                if let name = child.label { fields[name] = of(child.value) }
            }
        default: return value
        }
    }
}
