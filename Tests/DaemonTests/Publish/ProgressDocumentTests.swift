import Foundation
import Spool
import Testing

@testable import A1111
@testable import Daemon

@Suite("progress.json") struct ProgressDocumentTests {
    private func document(_ progress: String, _ state: String) throws -> [String: Any] {
        let text = """
            {\(progress), "state": {"job": "x", "interrupted": false, "job_timestamp": "1", \(state)}}
            """
        let document = ProgressDocument(
            progress: try JSONDecoder().decode(ServerProgress.self, from: Data(text.utf8)), asked: nil,
            preview: "preview.jpg", now: Timestamp(microseconds: 1_500_000))
        let object = try JSONSerialization.jsonObject(with: document.document)
        return try #require(object as? [String: Any])
    }

    @Test("has what the server tells, and when")
    func whole() throws {
        let told = try document(
            #""progress": 0.42345, "eta_relative": 12.3456"#,
            #""sampling_step": 8, "sampling_steps": 20, "job_count": 1"#)
        let expected: NSDictionary = [
            "state": "rendering", "progress": 0.423, "eta": 12.3, "step": 8, "steps": 20, "preview": "preview.jpg",
            "updated": "1970-01-01T00:00:01.500000Z",
        ]
        #expect(told as NSDictionary == expected)
    }

    @Test("leaves out what is nonsense")
    func nonsense() throws {
        let loading = try document(
            #""progress": 0.01, "eta_relative": 4321"#, #""sampling_step": 0, "sampling_steps": 0, "job_count": -1"#)
        #expect(loading.keys.sorted() == ["preview", "progress", "state", "updated"])
        let hostile = try document(
            #""progress": 1e300, "eta_relative": 1e300"#, #""sampling_step": -5, "sampling_steps": 20, "job_count": 1"#)
        #expect(hostile["progress"] as? Double == 1)
        #expect(hostile.keys.sorted() == ["preview", "progress", "state", "updated"])
    }
}
