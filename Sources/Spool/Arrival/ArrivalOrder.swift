// In which order files became whole, from what the kernel told of them.

import Linux

/// The names of a batch of events, in the order in which their files became whole.
///
/// A file becomes whole when it is moved here, or closed after writing for the last time. Who moves a file says that it
/// is whole: a close behind that (a child process that held on to the file until its exec) does not change its place. A
/// name that only appeared (a hard link, a link to an O_TMPFILE) has no such event, nor has it *yet* when its writer
/// is still at work; it is looked at a little later, behind all that were told to be whole.
struct ArrivalOrder: Sendable {
    /// Closed or moved here, in order.
    private(set) var whole: [FileName] = []
    /// Appeared or had an attribute changed, in order, and nothing was told that made them whole.
    private(set) var appeared: [FileName] = []

    init(_ events: [Inotify.Event]) {
        var last: [FileName: Int] = [:]
        var moved: Set<FileName> = []
        var hints: Set<FileName> = []
        var hinted: [FileName] = []
        for (index, event) in events.enumerated() where !event.kind.contains(.directory) {
            guard let name = event.name else { continue }
            if event.kind.contains(.movedIn) {
                last[name] = index
                moved.insert(name)
            } else if event.kind.contains(.written) {
                if !moved.contains(name) { last[name] = index }
            } else if !event.kind.isDisjoint(with: [.created, .attributes]), hints.insert(name).inserted {
                hinted.append(name)
            }
        }
        whole = last.sorted { $0.value < $1.value }.map(\.key)
        appeared = hinted.filter { last[$0] == nil }
    }
}
