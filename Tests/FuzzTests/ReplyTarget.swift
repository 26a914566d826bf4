// Replies: pictures and text are the same in whatever pieces the body comes, and all else that is read of an answer.

import A1111API
import Foundation
import Glibc
import JSONText
import Linux

@testable import A1111

/// Where the pictures go: the folder that FUZZ_FOLDER names, or one of our own that is gone when the process is.
private let folder: Directory = {
    do {
        if let given = ProcessInfo.processInfo.environment["FUZZ_FOLDER"] {
            let path = "\(given)/pictures"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            return try Directory(path: path)
        }
        try FileManager.default.createDirectory(atPath: ownFolder, withIntermediateDirectories: true)
        atexit { try? FileManager.default.removeItem(atPath: ownFolder) }
        return try Directory(path: ownFolder)
    } catch {
        fatalError("\(error)")
    }
}()

private let ownFolder = "\(NSTemporaryDirectory())/sdspool-fuzz-\(ProcessInfo.processInfo.processIdentifier)"

func fuzzReplies(_ input: Data) {
    var bytes = Bytes(input)
    let seed = bytes.next()
    let service: Endpoint.Service? = bytes.next() & 1 == 0 ? .txt2img : nil
    let body = bytes.rest
    let whole = read([body], service)
    let cut = read(pieces(of: body, seed: seed), service)
    check(whole == cut, "in pieces it is what it is as a whole: \(whole) or \(cut)")
    if whole.error == nil, isForFoundation(body), String(validating: body, as: UTF8.self) != nil {
        let text = Data(whole.text.utf8)
        check(
            (try? JSONSerialization.jsonObject(with: text, options: .fragmentsAllowed)) != nil, "what is left is JSON")
    }
}

private struct Taken: Equatable {
    var error: String?
    var text = ""
    var files: [Data] = []
    var flaws: [PictureFlaw?] = []
}

private func read(_ pieces: [Data], _ service: Endpoint.Service?) -> Taken {
    var taken = Taken()
    do {
        var reader = ReplyReader(stage: PictureStaging(folder: folder), service: service, job: "cat")
        for piece in pieces { try reader.read(piece) }
        let (pictures, text) = try reader.finish()
        taken.text = String(decoding: text, as: UTF8.self)
        taken.flaws = pictures.map(\.flaw)
        taken.files = try pictures.map { try Data(folder.file($0.draft).read(upTo: 1 << 24)) }
        let facts = pictures.map(\.facts)
        check(arrange(facts, info: ReplyInfo()).count == facts.count, "each picture has its place")
    } catch let error as JSONSyntaxError {
        taken.error = "\(error)"
    } catch is Base64Stream.Malformed {
        taken.error = "no base64"
    } catch let error as ReplyError {
        taken.error = error.message
    } catch {
        fatalError("\(error)")
    }
    do { for name in try folder.entries() { try folder.unlink(name) } } catch { fatalError("\(error)") }
    return taken
}

func fuzzAnswers(_ input: Data) {
    var bytes = Bytes(input)
    let seed = bytes.next()
    let status = 100 + bytes.number() % 500
    let body = bytes.rest

    // Base64, held against a decoder that does it a character at a time.
    var stream = Base64Stream()
    let decoded = try? pieces(of: body, seed: seed).reduce(into: Data()) { $0 += try stream.decode($1.span) ?? Data() }
    let ours = decoded.flatMap { start in (try? stream.finish()).map { start + $0 } }
    check(ours == plainBase64(body), "base64 is base64: \(ours as NSData?) or \(plainBase64(body) as NSData?)")

    guard let endpoint = try? Endpoint(named: "/sdapi/v1/txt2img", method: "POST", bodyKeys: []) else { return }
    let failure = Failure(status: status, body: body, for: endpoint)
    check(!failure.message.isEmpty, "a failure has words")
    if case .raw(let answer) = failure.answer {
        check((try? ObjectText(answer)) != nil, "an answer is JSON or a string")
    }
    _ = ServerPaths(body)?.problem(with: endpoint)
    let progress = try? JSONDecoder().decode(ServerProgress.self, from: body)
    _ = progress?.preview
    _ = progress.map { RequestedRender(ObjectText.empty, of: .txt2img).place(of: $0.state) }
    if let info = try? JSONDecoder().decode(ReplyInfo.self, from: body) {
        let facts = (0..<seed % 16).map { PictureFacts(isPicture: $0 & 1 == 0, infotext: $0 & 2 == 0 ? "x" : nil) }
        let arranged = arrange(facts, info: info)
        let names = arranged.map { $0.fileName(job: "cat", suffix: "png") }
        check(Set(names).count == facts.count, "no two pictures have one name: \(names)")
    }
}

extension ObjectText {
    fileprivate static var empty: ObjectText {
        guard let object = try? ObjectText(Data("{}".utf8)) else { fatalError("{} is an object") }
        return object
    }
}

/// RFC 4648 section 4; padding may be missing.
private func plainBase64(_ text: Data) -> Data? {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    let characters = text.prefix { $0 != UInt8(ascii: "=") }
    let padding = text.dropFirst(characters.count)
    guard padding.allSatisfy({ $0 == UInt8(ascii: "=") }), characters.count % 4 != 1 else { return nil }
    guard padding.isEmpty || (characters.count + padding.count) % 4 == 0 && padding.count <= 2 else { return nil }
    var bytes = Data()
    var (bits, count) = (0, 0)
    for character in characters {
        guard let value = alphabet.firstIndex(of: character) else { return nil }
        bits = (bits << 6 | value) & 0xffff
        count += 6
        if count >= 8 {
            count -= 8
            bytes.append(UInt8(bits >> count & 0xff))
        }
    }
    return bytes
}
