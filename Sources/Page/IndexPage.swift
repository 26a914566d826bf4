// The contact sheet: index.html with the newest results and failures, and the pages of older results, which look alike.

import Foundation
import Linux
import Spool

/// What index.html shows.
package struct IndexPage: Sendable {
    var version: String
    var results: [ResultCard]
    var failures: [FailureCard]
    var lastPage: Int

    /// - Parameters:
    ///   - version: another one for each sheet that is written: now.html names it, so that an open sheet learns of it.
    ///   - results: the newest first.
    ///   - failures: the newest first.
    ///   - lastPage: the number of the newest page of older results; 0 where there is none.
    package init(version: String, results: [ResultCard], failures: [FailureCard], lastPage: Int) {
        self.version = version
        self.results = results
        self.failures = failures
        self.lastPage = lastPage
    }

    /// The bytes of index.html.
    package var document: Data {
        let older: Markup? =
            lastPage > 0
            ? """
            <nav class="older" aria-label="Older results"><a href="pages/\(Archive.file(lastPage))" rel="next">Older \
            results</a> <span>\(lastPage) page\(lastPage == 1 ? "" : "s")</span></nav>
            """ : nil
        let empty: Markup =
            "<p class=\"empty\">Nothing yet. Drop a job file into <code>inbox/</code>, and its pictures come here.</p>"
        let body: Markup = """
            <header class="top">
            <h1>sdspool</h1>
            <form role="search" hidden>
            <label for="filter">Filter</label> <input id="filter" type="search" autocomplete="off" spellcheck="false"
            placeholder="words, a seed, a size"> <span role="status" id="count"></span>
            <label class="follow"><input id="follow" type="checkbox" checked> keep up to date</label>
            </form>
            <p id="newer" role="status" hidden><a href="">There is something new</a></p>
            </header>
            <main class="sheet">
            <section class="now" aria-labelledby="now"><h2 id="now">Now</h2>
            <iframe src="pages/now.html" title="What is rendered now, and what waits"></iframe></section>
            <section class="results" aria-labelledby="results"><h2 id="results">Newest results</h2>
            \(results.isEmpty ? empty : cards(results, .root))
            \(older)
            </section>
            <section class="failures" aria-labelledby="failures"><h2 id="failures">Failures</h2>
            \(failures.isEmpty ? "<p class=\"empty\">None.</p>" : list(of: failures))
            </section>
            </main>
            """
        return PageHead(kind: "sheet", title: "sdspool", names: [("sdspool-sheet", version)]).document(body)
    }

    private func list(of failures: [FailureCard]) -> Markup { "<ul>\n\(failures.map(item))</ul>" }

    private func item(_ failure: FailureCard) -> Markup {
        let job: Markup? = failure.job.map { job in
            """
             <a href="\(Link(.root, "failed", failure.folder, job))" download="\(job.description)" \
            aria-label="Job file of \(failure.folder.description)">drop again</a>
            """
        }
        return """
            <li><article><h3 dir="auto">\(failure.folder.description)</h3> <span class="class">\(failure.class)</span>
            <p dir="auto">\(failure.message)</p>
            <p class="links">\(time(failure.ended)) <a href="\(Link(.root, "failed", failure.folder, JobFolder.error))" \
            aria-label="error.json of \(failure.folder.description)">error.json</a>\(job)</p></article></li>

            """
    }
}

/// A page of older results: it changes no more once it is written, but for the link to the next one.
package struct Archive: Sendable {
    let number: Int
    let through: Timestamp
    let results: [ResultCard]

    /// So many results are on a page.
    package static let size = 100

    /// - Parameters:
    ///   - number: from 1, the oldest.
    ///   - through: no result of a later page ended before this.
    ///   - results: the newest first.
    package init(number: Int, through: Timestamp, results: [ResultCard]) {
        self.number = number
        self.through = through
        self.results = results
    }

    /// `00001.html`.
    package static func file(_ number: Int) -> String {
        let digits = String(number)
        return "\(String(repeating: "0", count: max(0, 5 - digits.count)))\(digits).html"
    }

    private static let name = "sdspool-through"
    private static let gap = "<!--newer-->"

    /// The bytes of the page.
    package var document: Data {
        let older: Markup? =
            number > 1 ? "<a href=\"\(Self.file(number - 1))\" rel=\"next\">Older</a>" : nil
        let nav: Markup = """
            <nav class="older" aria-label="Pages"><a href="../index.html">Newest</a> <!--newer--> \(older)</nav>
            """
        let body: Markup = """
            <header class="top">
            <h1><a href="../index.html">sdspool</a></h1>
            <form role="search" hidden>
            <label for="filter">Filter</label> <input id="filter" type="search" autocomplete="off" spellcheck="false"
            placeholder="words, a seed, a size"> <span role="status" id="count"></span>
            </form>
            \(nav)
            </header>
            <main>
            <section class="results" aria-labelledby="results"><h2 id="results">Older results, page \(number)</h2>
            \(cards(results, .pages))
            </section>
            </main>
            """
        let head = PageHead(
            kind: "archive", title: "sdspool, page \(number)", names: [(Self.name, String(through.microseconds))])
        return head.document(body)
    }

    /// Through when a page has the results, told by its beginning; `nil` where it is none of ours, or was cut short.
    package static func through(_ page: Data) -> Timestamp? {
        let text = String(decoding: page, as: UTF8.self)
        guard text.hasSuffix("</html>\n"), let start = text.range(of: "<meta name=\"\(name)\" content=\"")?.upperBound,
            let microseconds = Int64(text[start...].prefix { $0 != "\"" }), microseconds >= 0
        else { return nil }
        return Timestamp(microseconds: microseconds)
    }

    /// The page `number` with a link to the one that has come behind it.
    package static func linked(_ page: Data, number: Int) -> Data? {
        guard let gap = page.range(of: Data(gap.utf8)) else { return nil }
        let link = Data("<a href=\"\(file(number + 1))\" rel=\"prev\">Newer</a>".utf8)
        return page[..<gap.lowerBound] + link + page[gap.upperBound...]
    }
}

private func cards(_ results: [ResultCard], _ base: Link.Base) -> Markup {
    "<ol class=\"cards\">\n\(results.map { card($0, base) })</ol>"
}

private func card(_ result: ResultCard, _ base: Link.Base) -> Markup {
    let name = result.folder.description
    let caption = result.prompt ?? result.deed ?? name
    let pictures: [Markup] = result.pictures.enumerated().map { index, picture in
        let size: Markup? = picture.width.flatMap { width in
            picture.height.map { height in " width=\"\(width)\" height=\"\(height)\"" }
        }
        let number = result.count > 1 ? "\(index + 1) of \(result.count): " : ""
        return """
            <a href="\(Link(base, "done", result.folder, picture.file))"><img src="\(Link(base, "done", result.folder, picture.file))" \
            alt="\(number + caption)"\(size) loading="lazy" decoding="async"></a>
            """
    }
    let more: Markup? =
        result.count > pictures.count && !pictures.isEmpty
        ? "<a class=\"more\" href=\"\(Link(base, "done", result.folder))/\">\(result.count) pictures</a>" : nil
    let place: Markup =
        pictures.isEmpty
        ? "<div class=\"plate none\" aria-hidden=\"true\">{ }</div>"
        : "<div class=\"plate of\(pictures.count)\">\(pictures)\(more)</div>"
    let first = result.pictures.first
    let facts: [Markup] = [
        first?.seed.map { "<span title=\"seed\">\($0)</span>" },
        first.flatMap { first in
            first.width.flatMap { width in first.height.map { "<span>\(width)×\($0)</span>" } }
        },
        result.seconds.flatMap(spoken).map { "<span>\($0)</span>" },
    ].compactMap { $0 }
    let warnings: [Markup] = result.warnings.map { "<p class=\"warning\" dir=\"auto\">\($0)</p>" }
    let job: Markup? = result.job.map { job in
        """
        <a href="\(Link(base, "done", result.folder, job))" download="\(job.description)" \
        aria-label="Job file of \(name)">drop again</a>
        """
    }
    return """
        <li><article>\(place)
        <h3 dir="auto">\(name)</h3>
        <p class="prompt" dir="auto" title="\(caption)">\(caption)</p>
        <p class="facts">\(facts)</p>\(warnings)
        <p class="links">\(time(result.ended)) <a href="\(Link(base, "done", result.folder, JobFolder.result))" \
        aria-label="result.json of \(name)">result</a> \(job)</p></article></li>

        """
}

/// UTC, which the script turns into the time of whoever looks.
func time(_ stamp: Timestamp) -> Markup {
    let text = String(stamp.iso8601.prefix(16)).replacingOccurrences(of: "T", with: " ")
    return "<time datetime=\"\(stamp.iso8601)\">\(text) UTC</time>"
}

/// Seconds for people; `nil` for what no clock shows.
func spoken(_ seconds: Double) -> String? {
    guard (0..<1e8).contains(seconds) else { return nil }
    if seconds < 0.1 { return "< 0.1 s" }
    if seconds < 10 { return "\((seconds * 10).rounded() / 10) s" }
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole) s" }
    return whole < 3600 ? "\(whole / 60) min \(whole % 60) s" : "\(whole / 3600) h \(whole % 3600 / 60) min"
}
