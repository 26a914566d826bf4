// What the spool writes for people and programs: error.json and the attempts.

import Foundation
import JSONText
import Testing

@testable import Spool

private func object(_ document: Data) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: document) as? [String: Any])
}

private func moment(_ microseconds: Int64) -> Timestamp { Timestamp(microseconds: microseconds) }

@Suite struct ErrorReportTests {
    @Test("a short report says what is known and nothing else")
    func short() throws {
        let report = ErrorReport(ticket: try Ticket.test("cat"), class: "not a job", message: "a \"comma\"\n\u{1b}")
        let object = try object(report.document)
        #expect(Set(object.keys) == ["ticket", "class", "message", "attempts", "accepted", "failed"])
        #expect(object["ticket"] as? String == "5-19700101T000000.000001Z.cat")
        #expect(object["class"] as? String == "not a job")
        #expect(object["message"] as? String == "a \"comma\"\n\u{1b}")
        #expect(object["accepted"] as? String == "1970-01-01T00:00:00.000001Z")
        #expect((object["attempts"] as? [Any])?.isEmpty == true)
    }

    @Test("a full report carries the server's answer as it came")
    func full() throws {
        var report = ErrorReport(
            ticket: try Ticket.test("Käse 🧀"), class: "permanent", message: "no", line: 3, column: 7)
        report.endpoint = "/sdapi/v1/txt2img"
        report.server = "http://gpu2:7860"
        report.status = 422
        report.answer = .raw(Data(#"{"detail": 1.0000000000000000001}"#.utf8))
        report.attempts.begin(server: "http://gpu2:7860", at: moment(5))
        let object = try object(report.document)
        #expect(object["line"] as? Int == 3)
        #expect(object["column"] as? Int == 7)
        #expect(object["endpoint"] as? String == "/sdapi/v1/txt2img")
        #expect(object["server"] as? String == "http://gpu2:7860")
        #expect(object["status"] as? Int == 422)
        #expect((object["attempts"] as? [Any])?.count == 1)
        #expect(String(decoding: report.document, as: UTF8.self).contains("1.0000000000000000001"))
    }
}

@Suite struct AttemptsTests {
    @Test("attempts are numbered and say how they ended")
    func document() throws {
        var attempts = Attempts()
        attempts.begin(server: "http://a", at: moment(1))
        attempts.end(at: moment(2), failure: "transient", message: "it was \"away\"")
        attempts.begin(server: "http://b", at: moment(3))
        let document = JSONValue.object([("attempts", attempts.document)]).document
        let list = try #require(object(document)["attempts"] as? [[String: Any]])
        #expect(list.map { $0["number"] as? Int } == [1, 2])
        #expect(list.map { $0["server"] as? String } == ["http://a", "http://b"])
        #expect(list[0]["ended"] as? String == "1970-01-01T00:00:00.000002Z")
        #expect(list[0]["failure"] as? String == "transient")
        #expect(list[0]["message"] as? String == "it was \"away\"")
        #expect(list[1]["ended"] is NSNull)
        #expect(list[1]["failure"] == nil)
    }

    @Test("where nothing was begun nothing ends")
    func nothing() {
        var attempts = Attempts()
        attempts.end(at: moment(1), failure: "x")
        #expect(attempts == Attempts())
    }

    @Test("a record is read as it was written")
    func record() throws {
        var attempts = Attempts()
        attempts.drawn = ["seed": .max, "subseed": 0]
        attempts.begin(server: "http://a", at: moment(1))
        attempts.end(at: moment(2))
        attempts.begin(server: "http://b", at: moment(3))
        let read = try JSONDecoder().decode(Attempts.self, from: attempts.text)
        #expect(read == attempts)
    }
}
