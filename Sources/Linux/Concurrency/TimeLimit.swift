// How long somebody is waited for who may never answer: a server, a receiver, a client.

#if DEBUG
    import Foundation
#endif

/// The time that others are given.
package enum TimeLimit {
    /// `usual`; in a debug build, where SDSPOOL_PATIENCE says a number of seconds, that. A machine on which tests run may be
    /// so busy that nobody answers within a few seconds.
    package static func with(_ usual: Duration) -> Duration {
        #if DEBUG
            told ?? usual
        #else
            usual
        #endif
    }

    #if DEBUG
        private static let told = ProcessInfo.processInfo.environment["SDSPOOL_PATIENCE"].flatMap(Double.init)
            .map { Duration.seconds($0) }
    #endif
}
