import Testing

@testable import DwellServer

@Suite struct MailSettingsTests {
    @Test(arguments: [
        ("smtp://mail.example", "smtp://mail.example:587"), ("smtps://mail.example/", "smtps://mail.example:465"),
        ("smtp://localhost:2525", "smtp://localhost:2525"), ("smtp://[::1]", "smtp://[::1]:587"),
    ])
    func `a server has the port of its kind unless told another`(text: String, url: String) throws {
        #expect(try #require(SMTPServer(text)).url == url)
    }

    @Test func `name and password are taken out of the URL`() throws {
        let server = try #require(SMTPServer("smtps://dwell%40mail.example:p%40ss%2Fw%C3%B6rd%3A@mail.example"))
        #expect(server.url == "smtps://mail.example:465")
        #expect(server.user == "dwell@mail.example")
        #expect(server.password == "p@ss/wörd:")
    }

    @Test(arguments: [
        "", "mail.example", "http://mail.example", "smtp://", "smtp:mail.example", "smtp://mail.example/inbox",
        "smtp://user@mail.example", "smtp://:password@mail.example", "smtp://mail.example?x=1", "smtp://mail.example#x",
        "smtp://mail.example:0", "smtp://mail.example:65536",
    ])
    func `what is no server's URL is refused`(text: String) {
        #expect(SMTPServer(text) == nil)
    }

    @Test(arguments: [("localhost", true), ("127.0.0.1", true), ("[::1]", true), ("mail.example", false)])
    func `only this machine may be told in the clear`(host: String, isLocal: Bool) throws {
        #expect(try #require(SMTPServer("smtp://\(host)")).isLocal == isLocal)
    }

    @Test func `a folder is a way too`() {
        #expect(MailWay("file:mails") == .folder("mails"))
        #expect(MailWay("file:") == nil)
    }

    @Test(arguments: [
        ("dwell@example.com", "<dwell@example.com>"), (" <Dwell@Example.com> ", "<dwell@example.com>"),
        ("Dwéll & Co <dwell@example.com>", "=?UTF-8?B?RHfDqWxsICYgQ28=?= <dwell@example.com>"),
    ])
    func `a sender is an address, with a name or without`(text: String, header: String) throws {
        #expect(try #require(Mailbox(text)).header == header)
    }

    @Test(arguments: [
        "", "dwell", "Dwell <dwell>", "Dwell <a@example.com", "a@example.com, b@example.com",
        "A\r\nBcc: b@example.com <a@example.com>", "<a@example.com> <b@example.com>",
    ])
    func `what is no sender is refused`(text: String) {
        #expect(Mailbox(text) == nil)
    }
}
