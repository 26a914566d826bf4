// The seeds that are written for the fuzzer, by what they are fed to.

private let dot =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
private let webp = "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA=="

extension Seed {
    static let names = [
        Seed(.names, "plain", text: "cat.json"),
        Seed(.names, "odd", Array("CON.a:b\u{1b}[2J".utf8) + [0xff] + Array(".JSONL".utf8)),
        Seed(.names, "ticket", text: "5-20261123T151042.123456Z.cat.json"),
        Seed(.names, "last-ticket", text: "9-99991231T235959.999999Z.cat"),
    ]

    static let jsonTexts = [
        Seed(
            .json, "object", [1],
            text: #"{"a": 1.50, "\u00e9\ud83d\udc08": [true, null, -1e5], "a": {"b": "\n"}, "sdspool": {}}"#)
    ]

    static let jobs = [
        Seed(
            .jobs, "array", [0, 0, 5],
            text: #"[{"prompt": "a"}, {"sdspool": {"matrix": {"seed": [1, 2], "steps": [10, 20]}}}]"#),
        Seed(
            .jobs, "lines", [1, 0, 5],
            text: #"{"prompt": "a"}"# + "\n\n" + #"{"prompt": "b", "sdspool": {"priority": 3, "wait": true}}"# + "\r\n"),
        Seed(.jobs, "utf16", [0, 0, 5, 0xff, 0xfe] + Array("{\0\"\0a\0\"\0:\u{0}1\0}\0".utf8)),
    ]

    static let http = [
        Seed(
            .heads, "request",
            text: "POST /x?y HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\nExpect: 100-continue\r\n\r\n"),
        Seed(
            .heads, "answer",
            text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n"),
        Seed(.chunks, "chunks", [3], text: "5;a=b\r\nhello\r\n0A\r\n0123456789\r\n0\r\nX: y\r\n\r\n"),
        Seed(
            .connections, "requests", [3],
            text: "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
                + "POST /y HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nX: y\r\n\r\n"
                + "GET /z HTTP/1.0\r\n\r\n"),
        Seed(
            .connections, "expecting", [5],
            text: "POST /n HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 301\r\n\r\n"),
        Seed(
            .connections, "unread", [5],
            text: "PUT /n HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
                + "HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
    ]

    static let pictures = [
        Seed(.pictures, "png", [1], base64: dot),
        Seed(.pictures, "webp", [1], base64: webp),
    ]

    static let replies = [
        Seed(
            .replies, "reply", [2, 0],
            text: #"{"images": ["\#(dot)", "data:image/webp;base64,\#(webp)", "text", ""], "#
                + #""parameters": {"a": "\#(dot + dot + dot)"}, "info": "{\"infotexts\": [\"a\"]}"}"#),
        Seed(
            .replies, "middleman", [2, 1],
            text:
                #"{"a": [["\#(dot)"]], "current_image": "data:image\/png;base64,\#(dot.replacing("/", with: "\\/"))"}"#),
    ]

    static let answers = [
        Seed(.answers, "base64", [3, 0, 0], text: dot),
        Seed(
            .answers, "info", [15, 0, 0],
            text: #"{"index_of_first_image": 1, "infotexts": ["a", "b"], "all_seeds": [1, 2], "job_timestamp": "x"}"#),
        Seed(
            .answers, "error", [3, 1, 144],
            text: #"{"error": "OutOfMemoryError", "detail": [{"loc": ["body", 1], "msg": "x"}], "errors": "", "#
                + #""message": "y"}"#),
        Seed(
            .answers, "progress", [3, 1, 144],
            text: #"{"progress": 0.5, "eta_relative": 1.5, "state": {"job": "a", "sampling_step": 1, "#
                + #""sampling_steps": 2, "interrupted": false, "job_no": 1, "job_count": 4}, "#
                + #""current_image": "\#(dot)"}"#),
        Seed(
            .answers, "paths", [3, 1, 144],
            text: #"{"paths": {"/sdapi/v1/txt2img": {"post": {}}, "/file/{path:path}": {"get": {}}}}"#),
    ]

    static let doors = [
        Seed(
            .scanner, "twice", [1],
            text: #" {"prompt": "a\u00e9\ud83d", "prompt": "b", "sdspool": 1, "#
                + #""\u0073dspool": {"method": "GET", "priority": 3}} "# + "\n"),
        Seed(
            .gateway, "render",
            text: """
                POST
                /sdapi%2fv1/txt2img?async=1&limit=%zz
                Host: localhost:7861
                Authorization: Basic YW5uOmdlaGVpbQ==
                Prefer: respond-async, wait=1e3
                Origin: http://localhost:7861

                """),
        Seed(
            .gateway, "preflight",
            text:
                "OPTIONS\n/done/..%2f/x\nHost: [::1]:80\nOrigin: http://a.example\nAccess-Control-Request-Method: PUT\n"
        ),
        Seed(.gateway, "preview", text: "GET\n/active/a%20cat/preview.png?1\nHost: localhost\n"),
        Seed(.gateway, "listing", text: "GET\n/done/a%20cat/\nHost: localhost\n"),
        Seed(
            .gateway, "scheduler",
            text: "GET\n/agent-scheduler/v1/task/a%20b/move/top?limit=3\nHost: studio\nAuthorization: basic Ym9iOng=\n"),
        Seed(
            .gateway, "picture",
            text: "GET\n/spool/v1/jobs/a/images/3\nHost: 127.0.0.1\nAuthorization: Basic Ym9iOng=\n"),
        Seed(.gateway, "redirect", text: "GET\nhttp://gpu:7860/sd/x?y#z\nHost: a.localhost\n"),
        Seed(.gateway, "nul", text: "OPTIONS\n/\nHost: [::\0x]:80\nAuthorization: basic Ym9iOng=\n"),
    ]
}
