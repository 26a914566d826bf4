import Testing

@testable import Linux

@Suite("Whether an address is in somebody's own network") struct ResolvedAddressTests {
    @Test(
        "loopback and private addresses are, link-local and public ones are not",
        arguments: [
            ("127.0.0.1", true), ("127.9.9.9", true), ("10.1.2.3", true), ("172.16.0.1", true),
            ("172.31.255.255", true),
            ("192.168.1.1", true), ("::1", true), ("fc00::1", true), ("fdff::1", true), ("::ffff:10.0.0.1", true),
            ("172.15.0.1", false), ("172.32.0.1", false), ("192.169.0.1", false), ("169.254.169.254", false),
            ("0.0.0.0", false), ("::", false), ("8.8.8.8", false), ("11.0.0.1", false), ("fe80::1", false),
            ("::ffff:8.8.8.8", false), ("::ffff:169.254.169.254", false), ("2001:db8::1", false), ("::2", false),
            ("::127.0.0.1", false), ("64:ff9b::a00:1", false), ("100.64.0.1", false), ("224.0.0.1", false),
        ])
    func near(address: String, isNear: Bool) throws {
        #expect(try ResolvedAddress.all(of: address, port: 80).map(\.isNear) == [isNear])
    }

    @Test("an address in another form is what it leads to")
    func forms() throws {
        for form in ["127.1", "0x7f.0.0.1", "2130706433"] {
            #expect(try ResolvedAddress.all(of: form, port: 80).allSatisfy(\.isNear), "\(form)")
        }
        #expect(ResolvedAddress.isNumeric("10.0.0.1") && ResolvedAddress.isNumeric("::1"))
        #expect(
            !ResolvedAddress.isNumeric("localhost") && !ResolvedAddress.isNumeric("")
                && !ResolvedAddress.isNumeric("::1\0.evil.example"))
        #expect(throws: SystemError.self) { try ResolvedAddress.all(of: "127.0.0.1\0.evil.example", port: 80) }
    }
}
