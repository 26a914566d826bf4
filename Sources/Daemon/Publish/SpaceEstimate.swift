// How much room on the disk a job's result will need: a decision without a disk.

/// What results have taken so far, by the pixels that were asked for.
struct SpaceEstimate: Sendable {
    /// In bytes, of the last result for so many pixels; -1 stands for requests that do not tell.
    private var seen: [Int: Int] = [:]

    private static let untold = -1
    /// Of a result of which nothing is known: a picture that A1111 has enlarged, and result.json.
    private static let unknown = 2 << 20
    /// Of result.json, the record of the attempts, and the folder.
    static let documents = 64 << 10

    /// A result for so many pixels took so many bytes, or would have.
    mutating func record(_ bytes: Int, for pixels: Int?) { seen[pixels ?? Self.untold] = bytes }

    /// What a result for so many pixels is expected to take: what the last one took; else three bytes a pixel, which a PNG
    /// does not exceed by much, but no less than a smaller one took and no more than a larger one.
    func bytes(for pixels: Int?) -> Int {
        guard let pixels else { return seen[Self.untold] ?? Self.unknown }
        if let last = seen[pixels] { return last }
        let guess = pixels.multipliedReportingOverflow(by: 3)
        let smaller = seen.filter { $0.key >= 0 && $0.key < pixels }.values.max() ?? 0
        let larger = seen.filter { $0.key > pixels }.values.min() ?? .max
        return max(smaller, min(guess.overflow ? .max : guess.partialValue, larger))
    }

    /// The most that any result took.
    var largest: Int { seen.values.max() ?? Self.unknown }
}
