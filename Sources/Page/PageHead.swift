// What all pages begin with: the policy, the style and the script.

import Foundation

/// The head of a page.
struct PageHead {
    let kind: String
    let title: String
    /// What programs, and the daemon itself, read of it.
    let names: [(String, String)]
    /// Without a script it is loaded anew every two seconds; with one, whoever shows it does that.
    var renewsItself = false

    /// Nothing runs and nothing is shown but what stands here (Content Security Policy Level 3): the one script and the
    /// one style, by their SHA-256, and pictures of the same place. `file:` for pages that come from no server, where
    /// 'self' is nothing.
    static let policy = """
        default-src 'none'; script-src '\(Script.hash)'; style-src '\(Style.hash)'; img-src 'self' file:; \
        frame-src 'self' file:; base-uri 'none'; form-action 'none'
        """

    func document(_ body: Markup) -> Data {
        let metas: [Markup] = names.map { "<meta name=\"\($0)\" content=\"\($1)\">\n" }
        let renewal: Markup? = renewsItself ? "<noscript><meta http-equiv=\"refresh\" content=\"2\"></noscript>\n" : nil
        let page: Markup = """
            <!DOCTYPE html>
            <html lang="en" data-kind="\(kind)">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="\(Self.policy)">
            \(metas)\(renewal)<meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="referrer" content="no-referrer">
            <title>\(title)</title>
            <style>\(Markup(stringLiteral: Style.text))</style>
            <script>\(Markup(stringLiteral: Script.text))</script>
            </head>
            <body>
            \(body)
            </body>
            </html>

            """
        return Data(page.text.utf8)
    }
}
