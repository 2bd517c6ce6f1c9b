extension Migration {
    /// What each key of the API is for, and when it was used last. Those of before read.
    static let scopes = Migration(
        number: 18, name: "scopes",
        statements: [
            "ALTER TABLE api_key ADD COLUMN scopes TEXT NOT NULL DEFAULT 'read'",
            "ALTER TABLE api_key ADD COLUMN last_used_at INTEGER",
        ])
}
