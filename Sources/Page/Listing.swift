// What lies in the folder of a result, for a browser that comes through the gateway: on a disk it lists a folder by itself.

import Foundation
import Linux

/// A list of the files of a result. Nothing runs and nothing is shown on it but their names.
package struct Listing: Sendable {
    let folder: FileName
    let files: [FileName]

    /// - Parameters:
    ///   - folder: in done/.
    ///   - files: in any order.
    package init(of folder: FileName, _ files: [FileName]) {
        self.folder = folder
        // `cat-10.png` comes behind `cat-2.png`.
        self.files = files.sorted { $0.description.compare($1.description, options: .numeric) == .orderedAscending }
    }

    /// The bytes of the page.
    package var document: Data {
        let items: [Markup] = files.map { file in
            "<li><a href=\"\(Link(.results, "done", folder, file))\">\(file.description)</a></li>\n"
        }
        let page: Markup = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; base-uri 'none'; form-action 'none'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="referrer" content="no-referrer">
            <title>\(folder.description)</title>
            </head>
            <body>
            <h1 dir="auto">\(folder.description)</h1>
            <ul>
            \(items)</ul>
            </body>
            </html>

            """
        return Data(page.text.utf8)
    }
}
