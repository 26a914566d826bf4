// How the pages look. One constant text: the policy names its hash, and nothing else may style a page.

enum Style {
    /// Of `text`, as the policy names it: `printf %s … | openssl sha256 -binary | base64`. A test tells what it is.
    static let hash = "sha256-63I7KZ2f38n+tHyns96uhGr5jFL9c86HOKoGfDTlqkw="

    static let text = """
        :root { color-scheme: light dark; --paper: #fbfaf8; --mat: #f0eeea; --ink: #22211f; --quiet: #6a6660;
          --line: #e2dfd9; --accent: #2f6690; --bad: #a4372c; --good: #3f7d4e; --warn: #85600c;
          font: 14px/1.45 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
        @media (prefers-color-scheme: dark) { :root { --paper: #17181a; --mat: #212326; --ink: #e3e1dd; --quiet: #989590;
          --line: #303236; --accent: #86b6dc; --bad: #ee8a7d; --good: #85c294; --warn: #dcb862; } }
        * { box-sizing: border-box; }
        [hidden] { display: none !important; }
        html { background: var(--paper); color: var(--ink); }
        body { margin: 0; padding: 0 1.5rem 3rem; }
        h1, h2, h3, p, ol, ul { margin: 0; padding: 0; font-size: inherit; }
        ol, ul { list-style: none; }
        a { color: var(--accent); text-underline-offset: .15em; text-decoration-thickness: 1px; }
        :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
        code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .93em; }
        .top { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: center; padding: .9rem 0;
          border-bottom: 1px solid var(--line); margin-bottom: 1.1rem; }
        h1 { font-size: 1.15rem; font-weight: 650; letter-spacing: -.01em; }
        h1 a { color: inherit; text-decoration: none; }
        form { display: flex; flex-wrap: wrap; gap: .4rem .7rem; align-items: center; margin-left: auto; color: var(--quiet); }
        form label[for] { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
        input[type=search] { font: inherit; color: var(--ink); background: var(--mat); border: 1px solid var(--line);
          border-radius: 6px; padding: .3rem .6rem; width: 17rem; max-width: 60vw; }
        .follow { display: inline-flex; gap: .35rem; align-items: center; }
        #newer { flex-basis: 100%; }
        h2 { font-size: .78rem; font-weight: 600; color: var(--quiet); text-transform: uppercase; letter-spacing: .06em;
          margin-bottom: .6rem; }
        .empty { color: var(--quiet); }
        .cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(168px, 1fr)); gap: 1.3rem .9rem; }
        .plate { display: grid; gap: 2px; aspect-ratio: 1; background: var(--mat); border-radius: 5px; overflow: hidden;
          position: relative; }
        .plate.of2, .plate.of3, .plate.of4 { grid-template-columns: 1fr 1fr; }
        .plate.of3, .plate.of4 { grid-template-rows: 1fr 1fr; }
        .plate a { display: block; min-width: 0; min-height: 0; overflow: hidden; position: relative; }
        .plate a:focus-visible { outline-offset: -3px; }
        .plate img { display: block; width: 100%; height: 100%; object-fit: contain; font-size: 0; }
        .plate.of2 img, .plate.of3 img, .plate.of4 img { object-fit: cover; }
        .plate.none { place-items: center; color: var(--quiet); font-size: 1.6rem; opacity: .6; }
        .plate a.more { position: absolute; right: 5px; bottom: 5px; background: rgb(0 0 0 / .65); color: #fff;
          font-size: .75rem; padding: .05rem .45rem; border-radius: 4px; text-decoration: none; }
        .gone { display: grid !important; place-items: center; color: var(--quiet); text-decoration: none; }
        .cards h3 { margin-top: .45rem; font-size: .93rem; font-weight: 600; white-space: nowrap; overflow: hidden;
          text-overflow: ellipsis; }
        .cards .prompt { color: var(--quiet); display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2;
          overflow: hidden; overflow-wrap: anywhere; line-height: 1.35; min-height: 2.7em; }
        .facts { color: var(--quiet); font-size: .86rem; font-variant-numeric: tabular-nums; margin-top: .15rem; }
        .facts span + span::before { content: " · "; }
        .links { font-size: .86rem; color: var(--quiet); display: flex; flex-wrap: wrap; gap: 0 .7rem; }
        .links a:not(:hover) { text-decoration: none; }
        time { font-variant-numeric: tabular-nums; white-space: nowrap; }
        .warning { color: var(--warn); font-size: .86rem; overflow-wrap: anywhere; }
        .older { display: flex; gap: 1rem; margin-top: 1.6rem; color: var(--quiet); }
        .top .older { margin-top: 0; }
        .failures li { padding: .6rem 0; border-top: 1px solid var(--line); }
        .failures h3 { display: inline; font-weight: 600; overflow-wrap: anywhere; }
        .class { color: var(--bad); font-size: .86rem; margin-left: .3rem; }
        .failures p { overflow-wrap: anywhere; }
        .now { position: relative; }
        .now iframe { display: block; width: 100%; height: 15rem; border: 0; color-scheme: light dark; }
        .now iframe.next { position: absolute; visibility: hidden; left: 0; top: 0; }
        @media (min-width: 60rem) {
          .sheet { display: grid; grid-template-columns: minmax(0, 1fr) 19rem; grid-template-rows: auto 1fr;
            gap: 2rem 2rem; align-items: start; }
          .results { grid-column: 1; grid-row: 1 / 3; }
          .now { grid-column: 2; grid-row: 1; }
          .failures { grid-column: 2; grid-row: 2; }
        }
        .now + .results { margin-top: 1.5rem; }
        @media (min-width: 60rem) { .now + .results { margin-top: 0; } }
        .results + .failures { margin-top: 2rem; }
        @media (min-width: 60rem) { .results + .failures { margin-top: 0; } }
        [data-kind=now] body { padding: 0 0 .5rem; }
        [data-kind=now] .state { display: flex; gap: .5rem; align-items: center; }
        [data-kind=now] .state strong { font-weight: 600; }
        [data-kind=now] .state::before { content: ""; width: .6rem; height: .6rem; border-radius: 50%; background: var(--quiet); }
        [data-kind=now] .state.rendering::before { background: var(--good); }
        [data-kind=now] .state.waiting::before, [data-kind=now] .state.paused::before { background: var(--warn); }
        [data-kind=now] .state.troubled::before { background: var(--bad); }
        .reason { color: var(--quiet); overflow-wrap: anywhere; }
        [data-kind=now] h3 { font-weight: 600; overflow-wrap: anywhere; }
        .render { margin-top: .8rem; }
        .render img { display: block; width: 100%; max-height: 19rem; object-fit: contain; background: var(--mat);
          border-radius: 5px; margin-bottom: .45rem; }
        .render .prompt { color: var(--quiet); overflow: hidden; display: -webkit-box; -webkit-box-orient: vertical;
          -webkit-line-clamp: 2; overflow-wrap: anywhere; line-height: 1.35; }
        progress { appearance: none; display: block; width: 100%; height: 6px; margin-top: .4rem; border: 0; border-radius: 3px;
          overflow: hidden; background: var(--line); }
        progress::-webkit-progress-bar { background: var(--line); }
        progress::-webkit-progress-value { background: var(--accent); }
        progress::-moz-progress-bar { background: var(--accent); }
        [data-kind=now] section { margin-top: 1rem; padding-top: .7rem; border-top: 1px solid var(--line); }
        .queue { max-height: 13rem; overflow-y: auto; }
        .queue li, .servers li { overflow-wrap: anywhere; color: var(--quiet); }
        .priority, .up, .away { font-size: .86rem; margin-left: .3rem; }
        .up { color: var(--good); }
        .away { color: var(--bad); }
        @media (prefers-reduced-motion: no-preference) { .plate img { transition: opacity .15s; } .plate a:hover img { opacity: .88; } }
        @media (forced-colors: active) { .plate, .top { border: 1px solid; } }
        """
}
