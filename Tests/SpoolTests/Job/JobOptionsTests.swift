import Foundation
import Testing

@testable import Spool

private func ordersOf(_ value: String) throws -> JobOptions {
    try JobFile(Data("{\"prompt\": \"a cat\", \"sdspool\": \(value)}".utf8)).jobOptions
}

@Suite struct JobOptionsTests {
    @Test("a job that says nothing to the queue has the usual priority")
    func none() throws {
        let jobOptions = try JobFile(Data("{}".utf8)).jobOptions
        #expect(jobOptions == JobOptions())
        #expect(jobOptions.priority == 5)
        #expect(try ordersOf("{}") == jobOptions)
    }

    @Test("priorities go from 0 to 9", arguments: 0...9)
    func priority(number: Int) throws {
        #expect(try Int(ordersOf("{\"priority\": \(number)}").priority) == number)
    }

    @Test(
        "any other priority is refused",
        arguments: ["-1", "10", "3.5", "true", "false", "\"3\"", "null", "[3]", "{}", "1e2", "99999999999999999999"])
    func wrongPriority(value: String) {
        let error = #expect(throws: JobFileError.self) { try ordersOf("{\"priority\": \(value)}") }
        #expect(error?.message == "\"sdspool\".\"priority\" must be a whole number from 0 (first) to 9")
        #expect(error?.mayStillArrive == false)
    }

    @Test("a callback is a URL, or a URL and the form in which it is told")
    func callback() throws {
        let url = "http://me:secret@127.0.0.1:8000/x"
        #expect(try ordersOf(#"{"callback": "\#(url)"}"#).callback == Callback(url, form: .json))
        #expect(try ordersOf(#"{"callback": {"url": "\#(url)"}}"#).callback == Callback(url, form: .json))
        #expect(
            try ordersOf(#"{"callback": {"url": "\#(url)", "form": "multipart"}}"#).callback
                == Callback(url, form: .multipart))
        for wrong in [
            "{}", #"{"url": "ftp://secret@x"}"#, #"{"url": "\#(url)", "form": "xml"}"#,
            #"{"url": "\#(url)", "to": 1}"#,
        ] {
            let error = #expect(throws: JobFileError.self) { try ordersOf(#"{"callback": \#(wrong)}"#) }
            #expect(error?.message.hasPrefix(#""sdspool"."callback" must be an object such as"#) == true)
            #expect(error?.message.contains("secret") == false)
        }
    }

    @Test("endpoint, method and server are taken as they are")
    func texts() throws {
        let jobOptions = try ordersOf(
            #"{"endpoint": "/sdapi/v1/options", "method": "GET", "server": "http://gpu2:7860"}"#)
        #expect(jobOptions.endpoint == "/sdapi/v1/options")
        #expect(jobOptions.method == "GET")
        #expect(jobOptions.server == "http://gpu2:7860")
    }

    @Test("a text that is no text is refused", arguments: ["endpoint", "method", "server"])
    func wrongText(key: String) {
        for value in ["1", "true", "[]", "{}"] {
            let error = #expect(throws: JobFileError.self) { try ordersOf("{\"\(key)\": \(value)}") }
            #expect(error?.message.hasPrefix("\"sdspool\".\"\(key)\" must be ") == true)
        }
    }

    @Test(
        "null is no order, as many programs write what they have not got", arguments: ["endpoint", "method", "server"])
    func null(key: String) throws {
        #expect(try ordersOf("{\"\(key)\": null}") == JobOptions())
    }

    @Test("an order that nobody knows is refused by its name", arguments: ["prio", "Priority", "", "seed"])
    func unknown(key: String) {
        let error = #expect(throws: JobFileError.self) { try ordersOf("{\"\(key)\": 1}") }
        #expect(error?.message.hasSuffix("but not \"\(key)\"") == true)
    }

    @Test("orders that are no object are refused", arguments: ["1", "null", "[]", "\"high\"", "true"])
    func noObject(value: String) {
        let error = #expect(throws: JobFileError.self) { try ordersOf(value) }
        #expect(error?.message == "\"sdspool\" must be an object such as {\"priority\": 3}")
    }

    @Test("a key that comes tens of thousands of times is read in no time", .timeLimit(.minutes(60)))
    func oftenTwice() throws {
        let jobOptions = try ordersOf("{\(String(repeating: "\"wait\":false,", count: 60_000))\"wait\":true}")
        #expect(jobOptions.wait)
    }

    @Test("of orders that come twice the last counts")
    func twice() throws {
        #expect(try ordersOf(#"{"priority": 1, "priority": 2}"#).priority == 2)
        let job = try JobFile(Data(#"{"sdspool": {"priority": 1}, "sdspool": {"priority": 7}}"#.utf8))
        #expect(job.jobOptions.priority == 7)
    }
}
