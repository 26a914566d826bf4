// What went wrong, and whose fault it is: the classes by which a queue decides what to do.

import Foundation
import JSONText

/// Why a request brought no result.
package struct Failure: Error, Sendable {
    /// What the queue does follows from this alone.
    package enum Class: String, Sendable {
        /// Nobody is there to ask: the queue waits, and the job is not to blame.
        case serverDown = "server down"
        /// The request was sent and no answer came: the render may have run.
        case ambiguous = "no answer"
        /// It may go better the next time.
        case temporary
        /// Not now, and nobody is to blame: it is sent again later, and the attempt does not count.
        case notNow = "not now"
        /// The answer is not the API's. Whether the job is to blame, only the server can show (see ``Blame``).
        case unclear
        /// As temporary, but once is enough.
        case outOfMemory = "out of memory"
        /// It will never go better.
        case permanent
        /// Somebody has stopped the render at the server.
        case interrupted
        /// The server says that it did it, and did not.
        case wrongResult = "wrong result"
    }

    /// Whose fault it is.
    package let `class`: Class
    /// In plain words, with the server's own.
    package let message: String
    /// The status of the answer, where there was one.
    package var status: Int?
    /// The answer: JSON as it came, or text.
    package var answer: JSONValue?
    /// Pictures came all the same and lie in the job's folder: they are kept beside the error.
    package var keepsPictures = false
    /// When the render began, where an answer came that was none (see ``ServerProgress/State/stop(of:)``).
    package var began: String?
    /// How long the server asks to be left alone (RFC 9110 section 10.2.3); only of ``Class/notNow``.
    package var retryAfter: Duration?

    /// A failure that no answer told.
    package init(_ class: Class, _ message: String, status: Int? = nil, answer: JSONValue? = nil) {
        self.class = `class`
        self.message = message
        self.status = status
        self.answer = answer
    }

    /// The same failure, blamed on somebody else.
    package func blamed(_ class: Class) -> Failure {
        var failure = Failure(`class`, message, status: status, answer: answer)
        (failure.keepsPictures, failure.began) = (keepsPictures, began)
        return failure
    }
}
