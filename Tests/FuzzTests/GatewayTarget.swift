// What the door reads of a request before it knows who has sent it: whole connections, whatever the pieces; a job on its way
// into the inbox; who is let in, and where a path leads.

import A1111API
import Foundation
import Glibc
import JSONText
import Linux
import Spool
import Synchronization

@testable import A1111
@testable import AgentScheduler
@testable import Gateway
@testable import HTTP

/// A connection of any number of requests says the same in pieces as in one.
func fuzzConnections(_ input: Data) {
    var choices = Bytes(input)
    let seed = choices.next()
    // What a socket pair holds, at a few hundred bytes for the least packet.
    let bytes = choices.rest.prefix(2000)
    let cut = pieces(of: bytes, seed: seed)
    let few = cut.count <= 100 ? cut : cut[..<100] + [cut[100...].reduce(Data(), +)]
    let (whole, inPieces) = (transport([bytes]), transport(Array(few)))
    check(whole == inPieces, "the answers are the same in pieces: \(whole) or \(inPieces)")
}

/// What a connection answers, but for the time and for the leave to send a body, which depends on what has come by then.
private func transport(_ pieces: [Data]) -> String {
    // Packets: each piece is read by itself, without anybody to wait for.
    var ends: [Int32] = [0, 0]
    guard socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0, &ends) == 0 else {
        fatalError("no socket pair")
    }
    let ours = Descriptor(owning: ends[0])
    let box = DescriptorBox(Descriptor(owning: ends[1]))
    for piece in pieces where !piece.isEmpty {
        guard (try? ours.send(Array(piece)[...])) == piece.count else { fatalError("a piece is not sent") }
    }
    ours.endSending()
    let isOver = DispatchSemaphore(value: 0)
    Task {
        var limits = Limits()
        limits.body = bodyLimit
        limits.head = 1 << 10
        if let socket = box.take() {
            await Connection(socket: BufferedSocket(owning: socket), limits: limits, handler: echo).serve()
        }
        isOver.signal()
    }
    isOver.wait()
    var answer: [UInt8] = []
    // What was left unread is told first, as an error, and once; behind it lies what was answered.
    var isTold = false
    while true {
        switch try? ours.receive(appendingTo: &answer, limit: 64 << 10) {
        case .bytes: continue
        case nil where !isTold: isTold = true
        default: return said(answer)
        }
    }
}

private func said(_ answer: [UInt8]) -> String {
    let lines = String(decoding: answer, as: UTF8.self).components(separatedBy: "\r\n").filter {
        !$0.hasPrefix("Date: ")
    }
    return lines.joined(separator: "\n").replacing("HTTP/1.1 100 Continue\n\n", with: "")
}

private let bodyLimit = 300

@Sendable private func echo(_ incoming: ServerRequest) async throws -> Response {
    var body: [UInt8] = []
    // A body that nobody wants ends the connection.
    if !incoming.path.hasPrefix("/n") {
        while let piece = try await incoming.next() {
            check(!piece.isEmpty, "a piece is not empty")
            body += piece
            check(body.count <= bodyLimit, "a body is not longer than its limit")
        }
    }
    let said = Array("\(incoming.method) \(incoming.target) \(Data(body).base64EncodedString())".utf8)
    return Response(status: 200, body: .bytes(said))
}

/// A job is read on its way as it is read whole, and what is put into the inbox is the same job, for where it was sent.
func fuzzScanner(_ input: Data) {
    var choices = Bytes(input)
    let seed = choices.next()
    let text = Data(choices.rest)
    func scan(_ pieces: [Data]) -> Result<JobScanner, any Error> {
        Result {
            var scanner = JobScanner()
            for piece in pieces { try scanner.feed(Array(piece)) }
            try scanner.finish()
            return scanner
        }
    }
    let (whole, cut) = (scan([text]), scan(pieces(of: text, seed: seed)))
    let object = outcome { try ObjectText(text) }
    guard case .success(let scanner) = whole, case .success(let other) = cut else {
        check((try? whole.get()) == nil && (try? cut.get()) == nil, "a job is one in pieces, too")
        return check((try? object.get()) == nil, "what is a JSON object is a job")
    }
    check(
        scanner.end == other.end && scanner.hasMembers == other.hasMembers && scanner.jobOptions == other.jobOptions
            && scanner.prompt == other.prompt, "a job is the same in pieces")
    guard let object = try? object.get(), let end = scanner.end else { fatalError("a job is a JSON object") }
    check(scanner.hasMembers == !object.members.isEmpty, "it has members or has none")
    check(
        scanner.jobOptions.map { text.subdata(in: $0) } == object.value(of: JobFile.optionsKey), "its orders are found")
    if let prompt = object.value(of: "prompt").flatMap({ try? JSONDecoder().decode(String.self, from: $0) }) {
        let beginning = String(decoding: Array(prompt.utf8).prefix(200), as: UTF8.self)
        check(scanner.prompt == beginning, "its prompt is \(beginning), and not \(scanner.prompt)")
    }
    let own = object.value(of: JobFile.optionsKey).flatMap { try? ObjectText($0) }
    guard own != nil || scanner.jobOptions == nil else { return }
    let service = Endpoint.Service.img2img
    let ending = JobSubmission.ending(jobOptions: own, hasMembers: scanner.hasMembers, service)
    guard let dropped = try? ObjectText(text.prefix(end - 1) + ending) else { fatalError("a job stays one") }
    func others(_ object: ObjectText) -> [String] {
        object.members.filter { $0.key != JobFile.optionsKey }.map { member in
            "\(member.key): \(String(decoding: object[member.value], as: UTF8.self))"
        }
    }
    check(others(dropped) == others(object), "nothing else of a job is changed")
    let jobOptions = dropped.value(of: JobFile.optionsKey).flatMap { try? ObjectText($0) }
    check(jobOptions?.value(of: "endpoint") == JSONString.encoded(service.path), "it goes where it was sent")
    check(jobOptions?.value(of: "method") == nil, "and in no other way")
}

/// A head as a table of its lines: who is let in, and what is made of where he wants to go.
func fuzzDoor(_ input: Data) {
    var lines = String(decoding: input, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        .map(String.init)
    let (method, target) = (lines.isEmpty ? "" : lines.removeFirst(), lines.isEmpty ? "" : lines.removeFirst())
    var headers: Headers = [:]
    for line in lines.prefix(20) {
        let parts = line.split(separator: ":", maxSplits: 1).map(String.init)
        if parts.count == 2 { headers.append(parts[0], parts[1].trimmingCharacters(in: .whitespaces)) }
    }
    checkGate(method, headers)
    let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let (path, query) = (parts.first ?? "", parts.count > 1 ? parts[1] : nil)
    checkRoute(method, path, query)
    let wishes = ResponsePreferences(headers, query)
    check(wishes.wait.map { (0...3600).contains($0) } ?? true, "nobody waits for \(wishes)")
    check(wishes.isAsync || !wishes.prefersAsync, "who prefers it gets it")
    let table = Query(query)
    for key in ["limit", "offset", "async"] {
        check(table.number(key) ?? 0 >= 0, "a number of things")
        if query?.contains(key) != true, query?.contains("%") != true {
            check(table[key] == nil, "nobody has said \(key)")
        }
    }
    if let server = ServerAddress("http://gpu:7860/sd") {
        let place = redirect(target, from: server)
        check(place == target || place.hasPrefix("/") && !place.hasPrefix("//"), "\(target) leads to \(place)")
    }
}

private func checkGate(_ method: String, _ headers: Headers) {
    let secret = "ann:geheim"
    let keeper = Gatekeeper(credentials: [secret, "bob:x"], names: ["studio"], origins: ["http://a.example"])
    guard keeper.refusal(of: method, headers) == nil else { return }
    let host = (headers["host"] ?? "").lowercased()
    let name = host.hasPrefix("[") ? host.prefix { $0 != "]" } : host.prefix { $0 != ":" }
    let isAddress = name.allSatisfy { $0.isHexDigit || ".:[".contains($0) }
    check(isAddress || name == "studio" || name == "localhost" || name.hasSuffix(".localhost"), "\(host) is not ours")
    if let origin = headers["origin"]?.lowercased(), method != "GET", method != "HEAD" {
        check(
            origin == "http://a.example" || origin == "http://\(host)" || origin == "https://\(host)",
            "\(origin) may not ask")
    }
    if keeper.isPreflight(method, headers) { return }
    let given = headers["authorization"]?.split(separator: " ").last.flatMap { Data(base64Encoded: String($0)) }
    check(given == Data(secret.utf8) || given == Data("bob:x".utf8), "nobody comes in without a password")
}

private func checkRoute(_ method: String, _ path: String, _ query: String?) {
    let route = Route(method, path, mounted: ["/agent-scheduler/v1/"])
    let plain = path.removingPercentEncoding ?? path
    let isRender = Endpoint.Service.allCases.contains { plain == $0.path || plain == "\($0.path)/" }
    switch route {
    case .render: check(isRender && method == "POST", "\(path) is no render")
    case .file(let names):
        check(["GET", "HEAD"].contains(method), "files are only read")
        check(names.allSatisfy { !$0.bytes.contains(UInt8(ascii: "/")) && $0.bytes != Array("..".utf8) }, path)
        check(names.first != "active" || names.last?.text?.hasPrefix("preview.") == true, "\(path) is nobody's to read")
    case .result: check(["GET", "HEAD"].contains(method), "a list is only read")
    case .picture(_, let number): check(number > 0, "pictures count from 1")
    case .mounted(_, let parts): _ = AgentSchedulerCall(method, parts, query)
    case .proxy:
        check(!isRender, "\(path) renders, and goes through the queue")
        // As in the middleman: what the server takes for a control is one.
        let endpoint = try? Endpoint(named: path + (query.map { "?\($0)" } ?? ""), method: "POST", bodyKeys: [])
        let isControl = ["server-kill", "server-restart", "server-stop"].contains { plain == "/sdapi/v1/\($0)" }
        check(!isControl || endpoint == nil || endpoint?.isControl == true, "\(path) stops the server")
    case .job, .queue, .events, .nowhere, .wrongMethod: break
    }
}
