// "Did you mean": the names that are nearest to one that nobody knows.

/// The known names nearest to `name`, the nearest first, at most three; empty where none is near enough to be a slip.
package func nearest(to name: String, among known: some Sequence<String>) -> [String] {
    let allowed = max(1, name.count / 3)
    let measured = known.map { candidate in
        // Half a name is a slip, too: `sampler` for `sampler_name`.
        let isHalf = name.count >= 4 && candidate.hasPrefix(name)
        // So much longer or shorter it is far away, and a long name is not worth the reckoning.
        let isFar = abs(candidate.count - name.count) > allowed
        let steps = isHalf ? 1 : isFar ? .max : distance(Array(name.lowercased()), Array(candidate.lowercased()))
        return (distance: steps, name: candidate)
    }
    return measured.filter { $0.distance <= allowed }.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
        .prefix(3).map(\.name)
}

/// How many characters must be put in, taken out, changed, or exchanged with their neighbour (the restricted
/// Damerau–Levenshtein distance).
private func distance(_ left: [Character], _ right: [Character]) -> Int {
    var before: [Int] = []
    var last = Array(0...right.count)
    for i in left.indices {
        var row = [i + 1]
        for j in right.indices {
            var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (left[i] == right[j] ? 0 : 1))
            if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] { cost = min(cost, before[j - 1] + 1) }
            row.append(cost)
        }
        (before, last) = (last, row)
    }
    return last[right.count]
}
