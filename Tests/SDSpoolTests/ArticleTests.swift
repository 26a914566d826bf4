// The articles beside the code say what is there.

import Foundation
import Testing

@Suite struct ArticleTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    @Test("each file that the architecture names is there, and each function is in its file")
    func architecture() throws {
        let sources = Self.root.appendingPathComponent("Sources")
        let article = try String(
            contentsOf: sources.appendingPathComponent("sdspool/sdspool.docc/Architecture.md"), encoding: .utf8)
        let files = article.matches(of: /\w+\/[\w\/+]+\.swift/).map { String($0.output) }
        #expect(files.count > 30)
        for file in files {
            #expect(FileManager.default.fileExists(atPath: sources.appendingPathComponent(file).path), "\(file)")
        }
        let steps = article.matches(of: /\| `(\w+)\.(\w+)[^|]*\| ([\w\/+]+\.swift) \|/)
        #expect(steps.count == 16)
        for step in steps {
            let text = try String(contentsOf: sources.appendingPathComponent(String(step.3)), encoding: .utf8)
            #expect(text.contains("func \(step.2)("), "\(step.1).\(step.2) in \(step.3)")
        }
    }
}
