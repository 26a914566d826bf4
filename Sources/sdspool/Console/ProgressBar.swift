// A line on a terminal that says how far something is.

import Foundation

/// A bar of blocks, drawn over itself. Where stderr is no terminal nothing is drawn.
struct ProgressBar {
    private let hasTerminal = isatty(STDERR_FILENO) == 1
    private var last = ""
    private static let width = 32

    /// - Parameter done: from 0 to 1.
    mutating func draw(_ done: Double, _ words: String) {
        let filled = Int(min(1, max(0, done)) * Double(Self.width))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: Self.width - filled)
        guard hasTerminal, "\(bar) \(words)" != last else { return }
        last = "\(bar) \(words)"
        talk("\r\u{1b}[K\(last)")
    }

    /// Takes the line away.
    mutating func clear() {
        guard hasTerminal, !last.isEmpty else { return }
        last = ""
        talk("\r\u{1b}[K")
    }
}
