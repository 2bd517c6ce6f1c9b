package import DwellAPI
package import Foundation

/// A person with a username and a password.
package struct Account: Sendable {
    package let id: UUID
    /// The number by which sessions and statistics know the person.
    package let viewer: Int64
    package let username: String
    package let firstName: String
    package let lastName: String
    package let email: String
    package let passwordHash: String
    package let phoneNumber: String?
    package let gender: String?
    package let countryCode: String?
    package let profilePictureURL: String?
    package let isVerified: Bool
    package let createdAt: Timestamp
    package let updatedAt: Timestamp
    package let lastLoggedInAt: Timestamp
    /// How many devices it may be logged in on; `nil` leaves that to the server's setting.
    package var deviceLimit: Int?
    /// What happens to one device more; `nil` leaves that to the server's setting.
    package var devicePolicy: DevicePolicy?
    /// When the operator of the server closed it; `nil` while it is open.
    package var disabledAt: Timestamp?
    /// How many videos it may play at once, where that is limited; `nil` leaves it to the server's setting.
    package var viewingLimit: Int?

    /// The account as clients see it.
    /// - Parameter devices: How many devices are logged in
    func user(devices: Int) -> RegisteredUser {
        RegisteredUser(
            id: id.lowercase, username: username, firstName: firstName, lastName: lastName, email: email,
            isVerified: isVerified, phoneNumber: phoneNumber, devicesConnected: devices, createdAt: createdAt,
            updatedAt: updatedAt, lastLoggedIn: lastLoggedInAt, profilePictureURL: profilePictureURL,
            countryCode: countryCode, gender: gender)
    }
}

/// Why an account can't be made or entered.
package enum AccountError: Error, Equatable {
    case usernameTaken
    case emailTaken
    /// The username or the password is wrong; which one is nobody's business.
    case wrongCredentials
    /// The password that had to be given once more is wrong.
    case wrongPassword
    /// The password is right, and the operator of the server has disabled the account.
    case disabled
    /// A mailed code is wrong, was used, is too old, or another browser's.
    case codeRefused
}
