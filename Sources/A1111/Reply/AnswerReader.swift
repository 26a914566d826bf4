// An answer as it comes, whatever carries it: what is a reply is read piece by piece, what is an error is kept, and in
// the end it is one of an answer or a failure.

import A1111API
import Foundation
import HTTP
import JSONText
import Linux

/// What an answer of 2xx left when it had ended.
struct Answer: Sendable {
    let status: Int
    let headers: [String: String]
    let pictures: [StagedPicture]
    let text: Data
}

/// The disk has no room for the pictures of an answer.
package struct NoSpace: Error, Sendable {
    /// What it said.
    package let cause: SystemError
    /// How much they would have taken.
    package let bytes: Int

    /// As its parts say.
    package init(_ cause: SystemError, bytes: Int) {
        self.cause = cause
        self.bytes = bytes
    }

    /// What pictures take that come in so many bytes of an answer (RFC 4648 section 4).
    static func bytes(ofAnswer length: Int) -> Int { length / 4 * 3 }
}

/// Reads one answer.
struct AnswerReader: AnswerSink, ~Copyable {
    /// Of a reply, in bytes: more is no answer to any request.
    static let cap = 2 << 30
    /// Of an error, or of a text that is no JSON. More of it helps nobody.
    static let textCap = 1 << 20

    let endpoint: Endpoint
    let server: String
    private var reader: ReplyReader?
    private(set) var status: Int?
    private var headers: [String: String] = [:]
    private(set) var received = 0
    private var body = Data()
    private let textCap: Int
    /// The disk has no room for it: the rest is only counted.
    private var noRoom: SystemError?
    /// The body may be anything, and is not looked into.
    private var isOther = false
    /// Of those, it is a picture.
    private var isPicture = false
    /// Unpacked, a small body can be made to grow without end: nothing of it is read.
    private var isPacked = false

    /// - Parameters:
    ///   - reader: reads the body of a 2xx answer; without one it is kept as it comes.
    ///   - textCap: of what is kept as it comes, in bytes.
    init(endpoint: Endpoint, server: String, reader: consuming ReplyReader?, textCap: Int = AnswerReader.textCap) {
        self.endpoint = endpoint
        self.server = server
        self.reader = reader
        self.textCap = textCap
    }

    /// The head has come. Throws ``Failure``.
    mutating func begin(status: Int, headers fields: Headers) throws {
        self.status = status
        // A field that comes twice is one with a comma (RFC 9110 section 5.3).
        headers = Dictionary(fields.lines.map { ($0.name.lowercased(), $0.value) }) { "\($0), \($1)" }
        // What is no JSON and need not be is kept as it comes, unless it is a picture.
        let isJSON = headers["content-type"]?.lowercased().contains("json") == true
        isOther = endpoint.service == nil && !isJSON
        let encoding = headers["content-encoding"] ?? "identity"
        isPacked = encoding.lowercased() != "identity"
        // Of an error the status tells enough.
        guard !isPacked || !isGood else {
            throw Failure(
                .unclear, "the answer is compressed (\(encoding)) although it was asked not to be", status: status)
        }
    }

    /// The next bytes of the body. Throws ``Failure``, and what the files that they go into throw.
    mutating func take(_ piece: Data) throws {
        received += piece.count
        guard received <= Self.cap else {
            throw Failure(.wrongResult, "the answer is longer than \(Self.cap) bytes", status: status)
        }
        guard noRoom == nil, !isPacked else { return }
        if isGood, reader != nil, !isOther || isPicture {
            do {
                if isPicture { try reader?.read(picture: piece) } else { try reader?.read(piece) }
            } catch let error as SystemError where error.isNoRoom {
                noRoom = error
                // Closes its files.
                reader = nil
            } catch { throw failure(of: error) }
            return
        }
        body.append(piece.prefix(max(0, textCap - body.count)))
        if isGood, reader != nil, received == body.count, PictureFormat(body) != nil {
            isPicture = true
            do { try reader?.read(picture: body) } catch { throw failure(of: error) }
            return
        }
        guard !isGood || received <= textCap else {
            throw Failure(
                .unclear, "the answer is no JSON and longer than \(textCap) bytes", status: status)
        }
    }

    /// The body has ended as it should. Throws ``Failure``.
    consuming func finish() throws -> Answer {
        guard let status else {
            throw Failure(.ambiguous, "\(server) closed the connection without an answer")
        }
        guard isGood else { throw Failure(status: status, body: body, headers: headers, for: endpoint) }
        if let noRoom { throw NoSpace(noRoom, bytes: NoSpace.bytes(ofAnswer: received)) }
        let telling = headers.filter { name, _ in
            name != "content-length"
                && (name == "date" || name == "server" || ["content-", "x-"].contains { name.hasPrefix($0) })
        }
        if isOther, !isPicture { reader = nil }
        guard let reader = reader.take() else {
            return Answer(status: status, headers: telling, pictures: [], text: body)
        }
        let (described, count) = (headers["content-type"], received)
        do {
            let (pictures, text) = try reader.finish()
            return Answer(status: status, headers: telling, pictures: pictures, text: text)
        } catch {
            throw Self.failure(of: error, status: status, type: described, received: count)
        }
    }

    func failure(_ error: URLError, hasBody: Bool, bodySent: Bool) -> Failure {
        Failure(error, server: server, hasBody: hasBody, bodySent: bodySent, status: status)
    }

    private var isGood: Bool { (200..<300).contains(status ?? 0) }

    private func failure(of error: any Error) -> any Error {
        Self.failure(of: error, status: status, type: headers["content-type"], received: received)
    }

    private static func failure(of error: any Error, status: Int?, type: String?, received: Int) -> any Error {
        let isPage = type?.lowercased().contains("html") == true
        return switch error {
        case let error as JSONSyntaxError where error.kind == .incomplete:
            Failure(.ambiguous, "the answer ended in its middle, after \(received) bytes", status: status)
        case let error as JSONSyntaxError:
            Failure(
                // It may come from whatever stands before the API.
                .unclear,
                "the answer is \(isPage ? "a web page" : "no JSON") "
                    + "(\(type ?? "no content type")): at byte \(error.offset), \(error.problem); is this A1111's API?",
                status: status)
        case let error as ReplyError: Failure(.wrongResult, error.message, status: status)
        case let error as Base64Stream.Malformed:
            Failure(
                .wrongResult, "a picture of the answer is not base64 behind character \(error.offset)", status: status)
        default: error
        }
    }
}
