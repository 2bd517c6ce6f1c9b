/// The body of `POST /auth/register`.
public struct RegisterBody: Sendable, Codable {
    /// 1 to 64 characters without spaces; unique whatever its case.
    public var username: String
    /// 1 to 100 characters.
    public var firstName: String
    /// 1 to 100 characters.
    public var lastName: String
    /// An email address; unique whatever its case.
    public var email: String
    /// 8 to 1,024 characters of any script, and none of the 3,000 that are guessed first.
    public var password: String
    /// At most 32 digits, spaces and `+ - ( ) . /`.
    public var phoneNumber: String?
    /// At most 32 characters.
    public var gender: String?
    /// Two letters, ISO 3166-1.
    public var countryCode: String?

    public init(
        username: String, firstName: String, lastName: String, email: String, password: String,
        phoneNumber: String? = nil, gender: String? = nil, countryCode: String? = nil
    ) {
        self.username = username
        self.firstName = firstName
        self.lastName = lastName
        self.email = email
        self.password = password
        self.phoneNumber = phoneNumber
        self.gender = gender
        self.countryCode = countryCode
    }

    enum CodingKeys: String, CodingKey {
        case username, email, password, gender
        case firstName = "first_name"
        case lastName = "last_name"
        case phoneNumber = "phone_number"
        case countryCode = "country_code"
    }
}

/// The body of `POST /auth/login`.
public struct LoginBody: Sendable, Codable {
    public var username: String
    public var password: String

    public init(username: String, password: String) {
        self.username = username
        self.password = password
    }
}

/// An account as `POST /auth/register` answers it. No form of the password is ever part of it.
public struct RegisteredUser: Sendable, Codable {
    /// A UUID.
    public var id: String
    public var username: String
    public var firstName: String
    public var lastName: String
    public var email: String
    public var isVerified: Bool
    @Nullable public var phoneNumber: String?
    /// How many devices are logged in now.
    public var devicesConnected: Int
    public var createdAt: Timestamp
    public var updatedAt: Timestamp
    public var lastLoggedIn: Timestamp
    @Nullable public var profilePictureURL: String?
    @Nullable public var countryCode: String?
    @Nullable public var gender: String?

    enum CodingKeys: String, CodingKey {
        case id, username, email, gender
        case firstName = "first_name"
        case lastName = "last_name"
        case isVerified = "is_verified"
        case phoneNumber = "phone_number"
        case devicesConnected = "devices_connected"
        case createdAt = "created_at"
        case updatedAt = "updated_at"
        case lastLoggedIn = "last_logged_in"
        case profilePictureURL = "profile_picture_url"
        case countryCode = "country_code"
    }

    public init(
        id: String, username: String, firstName: String, lastName: String, email: String, isVerified: Bool,
        phoneNumber: String?, devicesConnected: Int, createdAt: Timestamp, updatedAt: Timestamp,
        lastLoggedIn: Timestamp, profilePictureURL: String?, countryCode: String?, gender: String?
    ) {
        self.id = id
        self.username = username
        self.firstName = firstName
        self.lastName = lastName
        self.email = email
        self.isVerified = isVerified
        self.phoneNumber = phoneNumber
        self.devicesConnected = devicesConnected
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.lastLoggedIn = lastLoggedIn
        self.profilePictureURL = profilePictureURL
        self.countryCode = countryCode
        self.gender = gender
    }
}

/// An account as `POST /auth/login` answers it.
public struct LoggedInUser: Sendable, Codable {
    public var id: String
    public var username: String
    public var firstName: String
    public var lastName: String
    @Nullable public var profilePictureURL: String?
    public var email: String
    public var isVerified: Bool
    @Nullable public var phoneNumber: String?
    public var devicesConnected: Int
    @Nullable public var gender: String?
    @Nullable public var countryCode: String?

    enum CodingKeys: String, CodingKey {
        case id, username, email, gender
        case firstName = "first_name"
        case lastName = "last_name"
        case profilePictureURL = "profile_picture_url"
        case isVerified = "is_verified"
        case phoneNumber = "phone_number"
        case devicesConnected = "devices_connected"
        case countryCode = "country_code"
    }

    /// The part of an account that a login shows.
    /// - Parameter user: The whole account
    public init(_ user: RegisteredUser) {
        id = user.id
        username = user.username
        firstName = user.firstName
        lastName = user.lastName
        profilePictureURL = user.profilePictureURL
        email = user.email
        isVerified = user.isVerified
        phoneNumber = user.phoneNumber
        devicesConnected = user.devicesConnected
        gender = user.gender
        countryCode = user.countryCode
    }
}

/// The answer to a login: 200 with the cookie `token`.
public struct LoginReply: Sendable, Codable {
    public var error: Bool
    public var msg: String
    public var user: LoggedInUser
    public var thisDevice: DeviceRecord

    public init(user: LoggedInUser, thisDevice: DeviceRecord) {
        self.error = false
        self.msg = "Logged in successfully."
        self.user = user
        self.thisDevice = thisDevice
    }
}

/// The body of `POST /auth/email/verify`, sent by the browser that registered, or asked for the code.
public struct EmailVerificationBody: Sendable, Codable {
    /// The code that was mailed: 6 digits.
    public var code: String
}
