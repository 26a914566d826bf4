// HTML that is put together from what the code says and what others say. What others say is text, always.

import Linux

/// A piece of HTML. What stands in a literal is markup; what is put into it is escaped, unless it is markup itself:
///
///     "<p>\(prompt)</p>"
///
/// So nobody can forget it, and to be markup takes a type of its own.
struct Markup: ExpressibleByStringInterpolation {
    private(set) var text: String

    init(stringLiteral text: String) { self.text = text }
    init(stringInterpolation parts: StringInterpolation) { text = parts.text }

    static func += (left: inout Markup, right: Markup) { left.text += right.text }

    struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity) }

        mutating func appendLiteral(_ literal: String) { text += literal }
        mutating func appendInterpolation(_ words: String) { text += escaped(words) }
        mutating func appendInterpolation(_ number: Int) { text += String(number) }
        mutating func appendInterpolation(_ markup: Markup?) { text += markup?.text ?? "" }
        mutating func appendInterpolation(_ markups: [Markup]) { for markup in markups { text += markup.text } }
        mutating func appendInterpolation(_ link: Link) { text += link.text }
    }
}

/// The text between tags, or in an attribute in double quotes (HTML, "Escaping a string").
///
/// Characters that a page may not hold, and those that turn the direction of a text around for what stands behind it,
/// become U+FFFD: a name that ends in `gpj.exe` is to look so.
private func escaped(_ words: String) -> String {
    var text = ""
    text.reserveCapacity(words.utf8.count)
    for scalar in words.unicodeScalars {
        switch scalar.value {
        case 0x26: text += "&amp;"
        case 0x3c: text += "&lt;"
        case 0x3e: text += "&gt;"
        case 0x22: text += "&quot;"
        case 0x27: text += "&#39;"
        case 0x09, 0x0a: text.unicodeScalars.append(scalar)
        case 0...0x1f, 0x7f...0x9f, 0x200e, 0x200f, 0x061c, 0x2028...0x202e, 0x2066...0x2069: text += "\u{fffd}"
        default: text.unicodeScalars.append(scalar)
        }
    }
    return text
}

/// A relative address of something in the spool. It begins with a folder of ours, so it names no scheme and no host,
/// whatever the names in it are.
struct Link {
    /// Percent-encoded and therefore markup, too.
    let text: String

    /// - Parameters:
    ///   - base: the way to the spool from where the page lies.
    ///   - folder: of the spool.
    ///   - names: what lies in it, as the kernel has them. Bytes but unreserved ones (RFC 3986 section 2.3) are encoded.
    ///   - version: changes with the content of the file, for a browser that has seen another.
    init(_ base: Base, _ folder: StaticString, _ names: FileName..., version: Int64? = nil) {
        let path = names.map { "/" + $0.bytes.map(Self.encoded).joined() }.joined()
        text = "\(base.rawValue)\(folder)\(path)" + (version.map { "?\($0)" } ?? "")
    }

    /// Where the page lies.
    enum Base: String {
        case root = ""
        case pages = "../"
        case results = "../../"
    }

    private static func encoded(_ byte: UInt8) -> String {
        switch UnicodeScalar(byte) {
        case "a"..."z", "A"..."Z", "0"..."9", "-", ".", "_", "~": return String(UnicodeScalar(byte))
        default:
            let digits = String(byte, radix: 16, uppercase: true)
            return "%\(digits.count < 2 ? "0" : "")\(digits)"
        }
    }
}
