import DwellAPI

/// The devices that people with an account are logged in on.
struct DevicesPage {
    let rows: [Row]
    let isEmpty: Bool
    /// Where the next page is.
    let next: String?

    struct Row {
        let person: String
        let path: String
        let device: String
        /// What was done on it.
        let overview: String
        let system: String
        /// The network of the login.
        let address: String
        let loggedIn: ShownTime
        let lastSeen: ShownTime
    }

    init(_ found: [(device: Device, username: String)], next: LatestCursor?, days: LocalDays) {
        isEmpty = found.isEmpty
        self.next = next.map { "/dashboard/devices?cursor=\($0.text)" }
        rows = found.map { device, username in
            Row(
                person: username, path: "/dashboard/person?username=\(ShownPerson.coded(username))",
                device: device.name, overview: device.overviewPath, system: device.os, address: device.address ?? "",
                loggedIn: ShownTime(device.lastLoggedInAt, days), lastSeen: ShownTime(device.lastSeenAt, days))
        }
    }
}

extension Device {
    /// What was done on it.
    var overviewPath: String { "/dashboard/overview?device=\(id.lowercase)" }
}
