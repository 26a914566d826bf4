import Glibc
import Testing

@testable import Linux

@Suite struct TimeLimitTests {
    @Test("others are given the usual time, or what a test says", arguments: ["", "0.5", "soon"])
    func told(text: String) async {
        await #expect(processExitsWith: .success) { [text] in
            setenv("SDSPOOL_PATIENCE", text, 1)
            exit(TimeLimit.with(.seconds(60)) == (text == "0.5" ? .milliseconds(500) : .seconds(60)) ? 0 : 1)
        }
    }
}
