extension Migration {
    /// The dearest of the imported password hashes is found without reading every account.
    static let mail = Migration(
        number: 7, name: "mail",
        statements: [
            """
            CREATE INDEX account_by_bcrypt_cost ON account (substr(password_hash, 5, 2))
            WHERE substr(password_hash, 2, 1) = '2'
            """
        ])
}
