// The results that the page may show, the oldest first: the newest are on the sheet, and where they have become too many
// the oldest go onto a page of their own.

import Linux
import Page
import Spool

/// Folders of results, each once.
struct ResultIndex {
    private(set) var folders: [FileName] = []
    private var known: Set<FileName> = []
    /// What is shown of those that somebody has looked at: of a hundred thousand most are only names.
    private var shown: [FileName: ResultCard] = [:]

    /// Where there are so many, the older half is a page's.
    static let full = 2 * Archive.size

    var count: Int { folders.count }
    var isFull: Bool { count >= Self.full }

    /// A folder has come. A name that was there before stands for what lies there now.
    mutating func add(_ folder: FileName) {
        if !known.insert(folder).inserted {
            folders.removeAll { $0 == folder }
            shown[folder] = nil
        }
        folders.append(folder)
    }

    /// What lay there before anything was told, in order.
    mutating func begin(with old: [FileName]) {
        let new = old.filter { !known.contains($0) }
        known.formUnion(new)
        folders = new + folders
    }

    /// The newest, at most so many, each looked at by `look` once; those that it does not find leave the roll. The oldest
    /// first.
    mutating func newest(_ count: Int, look: Look) rethrows -> [ResultCard] {
        try visit(max(0, folders.count - count)..<folders.count, look)
    }

    /// Looks at a folder; it is told what an earlier look has found.
    typealias Look = (FileName, ResultCard?) throws -> ResultCard?

    /// Looks at the oldest, as many as the sheet shows, and gives those for a page of older results, in the order in which
    /// they ended, which is nearly the order in which they were told; fewer where some were deleted. They leave the roll
    /// by ``remove(_:)``, when the page is written.
    ///
    /// Those that ended in the same moment as the last one come along: the next life tells by the moment what is on a page,
    /// and the clock of files ticks a few hundred times a second.
    mutating func page(look: Look) rethrows -> [ResultCard] {
        let shown = try visit(0..<min(Self.full, folders.count), look).sorted { $0.ended < $1.ended }
        guard shown.count > Archive.size else { return shown }
        let last = shown[Archive.size - 1].ended
        return Array(shown.prefix { $0.ended <= last })
    }

    /// Takes away what ``page(look:)`` has given: it lies among the oldest, and the others are not looked through for it.
    mutating func remove(_ gone: Set<FileName>) { remove(gone, in: 0..<min(Self.full, folders.count)) }

    private mutating func remove(_ gone: Set<FileName>, in places: Range<Int>) {
        folders.replaceSubrange(places, with: folders[places].filter { !gone.contains($0) })
        known.subtract(gone)
        for folder in gone { shown[folder] = nil }
    }

    private mutating func visit(_ places: Range<Int>, _ look: Look) rethrows -> [ResultCard] {
        var gone: Set<FileName> = []
        var found: [ResultCard] = []
        for folder in folders[places] {
            shown[folder] = try look(folder, shown[folder])
            if let result = shown[folder] { found.append(result) } else { gone.insert(folder) }
        }
        if !gone.isEmpty { remove(gone, in: places) }
        return found
    }
}
