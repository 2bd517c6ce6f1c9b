internal import HTTPTypes

struct DeviceNames {
    init() throws {}; func description(of h: HTTPFields) -> DeviceDescription { .init(name: "x", os: "y") }
}
package struct DeviceDescription: Sendable { let name: String; let os: String }
