// A result as the server itself would have answered: the pictures out of their files, the words out of result.json.

import A1111
import A1111API
import Foundation
import HTTP
import JSONText
import Linux
import Spool

/// Makes A1111's answer of what has come of a job.
struct A1111Response {
    let service: Endpoint.Service
    let ticket: Ticket?

    private var headers: Headers {
        var headers: Headers = ["Content-Type": "application/json"]
        if let ticket { headers.append(HTTPGateway.ticketHeader, "\(ticket)") }
        return headers
    }

    /// Throws ``SystemError`` where its folder cannot be read.
    func answer(_ job: ResultFolder) throws -> Response {
        let object = (try? ObjectText(job.document)) ?? (try? ObjectText(Data("{}".utf8)))
        let pictures = try PictureLink.all(of: job)
        switch job.ending {
        case .done: return try answer(pictures, in: job.folder, object)
        case .failed:
            // A render that was stopped is answered with what there is of it, as the server does.
            if string("class", object) == Failure.Class.interrupted.rawValue {
                let words = object?.value(of: "answer").flatMap { try? ObjectText($0) }
                return try answer(pictures, in: job.folder, words)
            }
            return failure(object)
        }
    }

    private func string(_ key: String, _ object: ObjectText?) -> String? {
        object?.value(of: key).flatMap { try? JSONDecoder().decode(String.self, from: $0) }
    }

    // MARK: Done

    private func answer(_ pictures: [PictureLink], in folder: Directory, _ object: ObjectText?) throws -> Response {
        var answer = ComposedBody()
        func addAll() throws {
            answer.add("\"images\": [")
            for (index, picture) in pictures.enumerated() {
                if index > 0 { answer.add(", ") }
                try answer.add(picture, in: folder)
            }
            answer.add("]")
        }
        func value(_ key: String, _ missing: String) -> Data { object?.value(of: key) ?? Data(missing.utf8) }

        answer.add("{")
        switch service {
        case .txt2img, .img2img:
            try addAll()
            answer.add(", \"parameters\": ")
            answer.add(value("parameters", "{}"))
            answer.add(", \"info\": ")
            // JSON in a string, as the server has it; result.json has it unpacked.
            let info = value("info", "{}")
            let isPacked = info.first == UInt8(ascii: "\"")
            answer.add(isPacked ? info : JSONString.encoded(String(decoding: info, as: UTF8.self)))
        case .extraSingle:
            answer.add("\"html_info\": ")
            answer.add(value("html_info", "\"\""))
            answer.add(", \"image\": ")
            if let picture = pictures.first { try answer.add(picture, in: folder) } else { answer.add("\"\"") }
        case .extraBatch:
            answer.add("\"html_info\": ")
            answer.add(value("html_info", "\"\""))
            answer.add(", ")
            try addAll()
        }
        answer.add("}")
        return answer.response(headers)
    }

    // MARK: Failed

    /// The server's own words and status, where it has spoken.
    private func failure(_ object: ObjectText?) -> Response {
        let status = object?.value(of: "status").flatMap { try? JSONDecoder().decode(Int.self, from: $0) }
        let answer = object?.value(of: "answer")
        if let status, (400..<600).contains(status), let answer, (try? ObjectText(answer)) != nil {
            return Response(status: status, headers: headers, body: .bytes(Array(answer)))
        }
        let kind = string("class", object) ?? "failed"
        let isClients = ["not a job", Failure.Class.permanent.rawValue, "missing asset"].contains(kind)
        var response = Response.error(
            isClients ? 422 : 500, kind, string("message", object) ?? "the job failed, and nothing says why")
        if let ticket { response.headers.append(HTTPGateway.ticketHeader, "\(ticket)") }
        return response
    }
}
