// The names of what lies in a spool beside its folders. This file and `JobFolder` alone spell them.

import Linux

/// Names in the spool, unless another folder is named.
package enum SpoolNames {
    /// While a file of this name lies in the spool, no job is started.
    package static let pause: FileName = "PAUSE"
    static let lock: FileName = ".lock"
    /// Messages that are to be delivered; made when there is the first one.
    static let outbox: FileName = ".outbox"
    static let hold: FileName = "hold"
    static let status: FileName = "status.json"
    static let metrics: FileName = "metrics.prom"
    /// In done/: how the name of a result begins that is being taken away.
    static let going: FileName = ".going-"
    /// What a browser shows of the spool, with its other pages in the folder `pages`.
    static let sheet: FileName = "index.html"
    static let pages: FileName = "pages"
    static let now: FileName = "now.html"
    /// In active/: a file on its way to somewhere else, or to nowhere. One that a start finds is swept away.
    static let draft: FileName = ".draft"
    /// The same, for a job file that is written anew.
    static let rewritten: FileName = ".rewritten"
}
