// Whether an address lies in somebody's own network, told by its bytes alone.

import Glibc

extension ResolvedAddress {
    /// Loopback or private: 127.0.0.0/8 and ::1, 10.0.0.0/8, 172.16.0.0/12 and 192.168.0.0/16 (RFC 1918), fc00::/7 (RFC
    /// 4193), also of an IPv4 address in IPv6's clothes (::ffff:0:0/96).
    ///
    /// Link-local addresses are none: at 169.254.169.254 clouds hand out the credentials of their machines.
    package var isNear: Bool { Self.isNear(host) }

    /// The bytes of the address itself (ip(7), ipv6(7)).
    private var host: ArraySlice<UInt8> {
        switch family {
        case AF_INET: address.dropFirst(4).prefix(4)
        case AF_INET6: address.dropFirst(8).prefix(16)
        default: []
        }
    }

    /// See ``isNear``; `address` has 4 bytes or 16.
    static func isNear(_ address: some Collection<UInt8>) -> Bool {
        let bytes = Array(address)
        switch bytes.count {
        case 4:
            return bytes[0] == 127 || bytes[0] == 10 || bytes[0] == 192 && bytes[1] == 168
                || bytes[0] == 172 && (16...31).contains(bytes[1])
        case 16:
            if bytes.prefix(12) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] { return isNear(bytes.suffix(4)) }
            return bytes[0] & 0xfe == 0xfc || bytes.dropLast().allSatisfy { $0 == 0 } && bytes[15] == 1
        default: return false
        }
    }
}
