import Testing

@testable import DwellServer

@Suite struct NewDeviceTests {
    @Test(arguments: [
        ("Firefox 129.0.1 on Linux", false), ("Chrome 1 on Windows 11", false), ("Firefox 128.0 on Windows 11", true),
        ("Chrome 112.0.0.0 on Linux", true), ("Unknown", true),
    ])
    func `a device is new when none before was of its kind, whatever the version`(name: String, isNew: Bool) {
        #expect(NewDevice.isNew(name, among: ["Firefox 128.0 on Linux", "Chrome 112.0.0.0 on Windows 10"]) == isNew)
    }

    @Test func `the first device is no news`() {
        #expect(!NewDevice.isNew("Firefox 128.0 on Linux", among: []))
    }
}
